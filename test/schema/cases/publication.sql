-- case: created, changed, dropped
-- both
CREATE SCHEMA s;
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE TABLE u (id integer PRIMARY KEY);
CREATE TABLE s.w (id integer PRIMARY KEY);
CREATE PUBLICATION p1 FOR TABLE t;
CREATE PUBLICATION p2 FOR TABLE t, u;
CREATE PUBLICATION p3 FOR ALL TABLES;
CREATE PUBLICATION p6 FOR TABLE t;
-- main
ALTER PUBLICATION p1 SET TABLE t (id, a) WHERE (id > 5), u;
ALTER PUBLICATION p2 SET (publish = 'insert, update', publish_via_partition_root = true);
ALTER PUBLICATION p2 DROP TABLE u;
DROP PUBLICATION p3; CREATE PUBLICATION p3 FOR TABLE u;
CREATE PUBLICATION p4 FOR TABLES IN SCHEMA s;
ALTER PUBLICATION p4 OWNER TO corpus_alice;
COMMENT ON PUBLICATION p4 IS 'four';
DROP PUBLICATION p6; CREATE PUBLICATION p6 FOR ALL TABLES WITH (publish = 'delete');
-- standby
CREATE PUBLICATION p5 FOR TABLE s.w;
INSERT INTO t VALUES (1, 'x', 2);
-- keeps
SELECT * FROM t;

-- case: publishes a table that only the standby has, and columns that change
-- main
CREATE TABLE t (id bigint PRIMARY KEY, a text);
CREATE PUBLICATION p FOR TABLE t (id, a) WHERE (a <> 'x') WITH (publish = 'insert');
-- standby
CREATE TABLE t (id integer PRIMARY KEY, b integer, a varchar(5));
CREATE TABLE own (id integer);
CREATE PUBLICATION p FOR TABLE t (id, b) WHERE (id > 1), own;
INSERT INTO t VALUES (1, 2, 'x');
-- keeps
SELECT id, a FROM t;
