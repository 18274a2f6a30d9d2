-- case: created, changed in each way, dropped
-- both
CREATE TABLE t (id integer PRIMARY KEY, owner text, a integer);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
-- main
CREATE POLICY a ON t FOR SELECT TO corpus_alice, corpus_bob USING (owner = current_user);
CREATE POLICY b ON t AS RESTRICTIVE FOR UPDATE USING (a > 0) WITH CHECK (a < 100);
CREATE POLICY c ON t FOR INSERT WITH CHECK (a > 1);
CREATE POLICY d ON t USING (a > 0);
CREATE POLICY e ON t FOR DELETE TO CURRENT_USER USING (true);
COMMENT ON POLICY a ON t IS 'mine';
-- standby
CREATE POLICY a ON t FOR SELECT TO corpus_alice USING (owner = current_user);
CREATE POLICY b ON t FOR UPDATE USING (a > 0);
CREATE POLICY c ON t FOR INSERT WITH CHECK (a > 2);
CREATE POLICY d ON t FOR SELECT USING (a > 0);
CREATE POLICY f ON t USING (false);
INSERT INTO t VALUES (1, 'x', 5);
-- keeps
SELECT * FROM t;

-- case: reads another table, whose column is another
-- main
CREATE TABLE u (id bigint PRIMARY KEY, who text);
CREATE TABLE t (id integer PRIMARY KEY);
CREATE POLICY p ON t USING (EXISTS (SELECT FROM u WHERE u.id = t.id AND u.who = current_user));
-- standby
CREATE TABLE u (id integer PRIMARY KEY, who text);
CREATE TABLE t (id integer PRIMARY KEY);
CREATE POLICY p ON t USING (EXISTS (SELECT FROM u WHERE u.id = t.id AND u.who = current_user));
INSERT INTO u VALUES (1, 'x'); INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM u;

-- case: reads a table that only the standby has
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE POLICY p ON t USING (id > 0);
-- standby
CREATE TABLE u (id integer);
CREATE POLICY p ON t USING (id IN (SELECT id FROM u));
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;
