-- case: added at the end, nullable
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
ALTER TABLE t ADD b text;
-- standby
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT id, a FROM t;

-- case: added with a default, filled for the rows there are
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
ALTER TABLE t ADD b text DEFAULT 'none' NOT NULL, ADD c timestamptz DEFAULT now();
-- standby
INSERT INTO t VALUES (1), (2);
-- keeps
SELECT id, b, c IS NOT NULL FROM t ORDER BY id; --> (1,none,t) (2,none,t)

-- case: added as NOT NULL without a default, the rows come from main
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
ALTER TABLE t ADD b text NOT NULL;
INSERT INTO t VALUES (1, 'x', 'one'), (2, 'y', 'two');
-- standby
INSERT INTO t VALUES (1, 'x'), (2, 'old');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,x,one) (2,y,two)

-- case: added in the middle, which is a rewrite
-- both
CREATE SEQUENCE s;
-- main
CREATE TABLE t (id integer PRIMARY KEY, b integer DEFAULT 7, a text CHECK (a <> ''));
CREATE INDEX t_a ON t (a);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a text CHECK (a <> ''));
CREATE INDEX t_a ON t (a);
INSERT INTO t VALUES (1, 'x'), (2, 'y');
-- keeps
SELECT id, a FROM t ORDER BY id;

-- case: another order
-- main
CREATE TABLE t (c text, b integer NOT NULL, a integer PRIMARY KEY);
CREATE VIEW v AS SELECT a, b FROM t;
GRANT SELECT (b), UPDATE (c) ON t TO corpus_alice;
COMMENT ON COLUMN t.c IS 'third, first';
-- standby
CREATE TABLE t (a integer PRIMARY KEY, b integer NOT NULL, c text);
CREATE VIEW v AS SELECT a, b FROM t;
GRANT SELECT (b), UPDATE (c) ON t TO corpus_alice;
COMMENT ON COLUMN t.c IS 'third, first';
INSERT INTO t VALUES (1, 2, 'x'), (3, 4, 'y');
-- keeps
SELECT a, b, c FROM t ORDER BY a;
SELECT * FROM v ORDER BY a;

-- case: another order where foreign keys point at the table and away from it
-- both
CREATE TABLE top (id integer PRIMARY KEY);
-- main
CREATE TABLE t (top integer REFERENCES top, note text, id integer PRIMARY KEY, parent integer REFERENCES t);
CREATE TABLE child (id integer PRIMARY KEY, t integer REFERENCES t ON DELETE CASCADE);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, top integer REFERENCES top, parent integer REFERENCES t, note text);
CREATE TABLE child (id integer PRIMARY KEY, t integer REFERENCES t ON DELETE CASCADE);
INSERT INTO top VALUES (1);
INSERT INTO t VALUES (1, 1, NULL, 'a'), (2, 1, 1, 'b');
INSERT INTO child VALUES (1, 2);
-- keeps
SELECT id, top, parent, note FROM t ORDER BY id;
SELECT * FROM child;

-- case: another order of a table with triggers, rules, policies, statistics, a sequence and a publication
-- both
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := NEW.note || '!'; RETURN NEW; END $$;
-- main
CREATE TABLE t (note text, id serial PRIMARY KEY, a integer, b integer);
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON t USING (note = current_user);
CREATE STATISTICS t_ab ON a, b FROM t;
CREATE PUBLICATION p FOR TABLE t;
ALTER TABLE t OWNER TO corpus_bob;
-- standby
CREATE TABLE t (id serial PRIMARY KEY, a integer, b integer, note text);
INSERT INTO t (a, b, note) VALUES (1, 2, 'x'), (3, 4, 'y');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON t USING (note = current_user);
CREATE STATISTICS t_ab ON a, b FROM t;
CREATE PUBLICATION p FOR TABLE t;
ALTER TABLE t OWNER TO corpus_bob;
-- keeps
SELECT id, a, b, note FROM t ORDER BY id;
SELECT last_value, is_called FROM t_id_seq;

-- case: another order under a view that groups by the primary key
-- main
CREATE TABLE t (a text, id integer PRIMARY KEY);
CREATE VIEW v AS SELECT id, a, count(*) AS n FROM t GROUP BY id;
CREATE VIEW w AS SELECT * FROM v;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE VIEW v AS SELECT id, a, count(*) AS n FROM t GROUP BY id;
CREATE VIEW w AS SELECT * FROM v;
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM w;

-- case: another order of a table with an identity and a generated column
-- main
CREATE TABLE t (twice integer GENERATED ALWAYS AS (a * 2) STORED, a integer, id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10) PRIMARY KEY);
-- standby
CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10) PRIMARY KEY, a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO t (a) VALUES (1), (2), (3);
-- keeps
SELECT id, a, twice FROM t ORDER BY id;
SELECT last_value, is_called FROM t_id_seq;

-- case: dropped
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- standby
ALTER TABLE t ADD b integer DEFAULT 3;
INSERT INTO t VALUES (1, 'x', 2);
-- keeps
SELECT id, a FROM t;

-- case: dropped with what both have upon it
-- main
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE VIEW v AS SELECT id, a FROM t;
CREATE VIEW w AS SELECT * FROM v;
CREATE INDEX t_i ON t (a);
GRANT SELECT ON w TO corpus_alice;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE VIEW v AS SELECT id, a FROM t WHERE b IS NULL;
CREATE VIEW w AS SELECT * FROM v;
CREATE INDEX t_i ON t (a, b);
GRANT SELECT ON w TO corpus_alice;
INSERT INTO t VALUES (1, 'x', NULL), (2, 'y', 2);
-- keeps
SELECT id, a FROM t ORDER BY id;
SELECT count(*) FROM w; --> (2)

-- case: dropped from under a primary key, a check, statistics, a trigger and a policy
-- main
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- standby
CREATE TABLE t (id integer, a text, k integer, PRIMARY KEY (id, k), CONSTRAINT both_of CHECK (id <> k));
CREATE STATISTICS t_s ON id, k FROM t;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER on_k BEFORE UPDATE OF k ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY only_k ON t USING (k > 0);
INSERT INTO t VALUES (1, 'x', 5), (2, 'y', 6);
-- keeps
SELECT id, a FROM t ORDER BY id;

-- case: dropped under a generated column and a partial index of main's
-- main
CREATE TABLE t (id integer PRIMARY KEY, a integer, g integer GENERATED ALWAYS AS (a + 1) STORED);
CREATE INDEX t_p ON t (id) WHERE a > 0;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, g integer GENERATED ALWAYS AS (a + b) STORED);
CREATE INDEX t_p ON t (id) WHERE b > 0;
INSERT INTO t VALUES (1, 10, 100);
-- keeps
SELECT id, a, g FROM t; --> (1,10,11)

-- case: renamed is one dropped and one added, and main's rows come
-- main
CREATE TABLE t (id integer PRIMARY KEY, full_name text NOT NULL);
INSERT INTO t VALUES (1, 'Ann'), (2, 'Bo');
-- standby
CREATE TABLE t (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO t VALUES (1, 'Ann'), (2, 'Bo');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,Ann) (2,Bo)

-- case: all of them other ones
-- main
CREATE TABLE t (x integer, y integer);
-- standby
CREATE TABLE t (a text, b text);
INSERT INTO t VALUES ('1', '2');
-- keeps
SELECT count(*) FROM t; --> (1)

-- case: a table without columns gets some, another loses all
-- main
CREATE TABLE t (a integer);
CREATE TABLE u ();
-- standby
CREATE TABLE t ();
CREATE TABLE u (a integer);
INSERT INTO u VALUES (1);
-- keeps
SELECT count(*) FROM u;

-- case: default changed, set and dropped
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer DEFAULT 1, b integer, c integer DEFAULT 3, d text DEFAULT 'it''s', e timestamptz DEFAULT now());
-- main
ALTER TABLE t ALTER a SET DEFAULT 2, ALTER b SET DEFAULT 2, ALTER c DROP DEFAULT, ALTER d SET DEFAULT 'a' || 'b', ALTER e SET DEFAULT '-infinity';
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: a default that calls a function of main's
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer DEFAULT 1);
-- main
CREATE FUNCTION next_a() RETURNS integer LANGUAGE sql AS 'SELECT 42';
ALTER TABLE t ALTER a SET DEFAULT next_a();
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: the function under a default is dropped
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer);
-- main
ALTER TABLE t ALTER a SET DEFAULT 0;
-- standby
CREATE FUNCTION next_a() RETURNS integer LANGUAGE sql AS 'SELECT 42';
ALTER TABLE t ALTER a SET DEFAULT next_a();
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: the function under a default changes its return type
-- both
CREATE TABLE t (id integer PRIMARY KEY, a bigint);
-- main
CREATE FUNCTION next_a() RETURNS bigint LANGUAGE sql AS 'SELECT 42::bigint';
ALTER TABLE t ALTER a SET DEFAULT next_a();
-- standby
CREATE FUNCTION next_a() RETURNS integer LANGUAGE sql AS 'SELECT 42';
ALTER TABLE t ALTER a SET DEFAULT next_a();
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: NOT NULL over NULL rows, filled by main's rows
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
ALTER TABLE t ALTER a SET NOT NULL;
INSERT INTO t VALUES (1, 'x'), (2, 'y');
-- standby
INSERT INTO t VALUES (1, NULL), (2, NULL), (3, 'own');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,x) (2,y) (3,own)

-- case: NOT NULL over NULL rows that only the standby has, filled from the default
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
ALTER TABLE t ALTER a SET DEFAULT 'none', ALTER a SET NOT NULL;
-- standby
INSERT INTO t VALUES (1, NULL), (2, 'own');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,none) (2,own)

-- case: NOT NULL over a NULL row that goes, because main does not have it
-- clean rows
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
ALTER TABLE t ALTER a SET NOT NULL;
INSERT INTO t VALUES (1, 'x');
-- standby
INSERT INTO t VALUES (1, 'x'), (2, NULL);
-- keeps
SELECT * FROM t ORDER BY id; --> (1,x)

-- case: NOT NULL dropped
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL);
-- main
ALTER TABLE t ALTER a DROP NOT NULL;
INSERT INTO t VALUES (1, NULL);
-- standby
INSERT INTO t VALUES (1, 'x'), (2, 'y');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,) (2,y)

-- case: NOT NULL dropped where a primary key went
-- both
CREATE TABLE t (id integer, a text);
-- main
ALTER TABLE t ADD UNIQUE (id);
-- standby
ALTER TABLE t ADD PRIMARY KEY (id);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: storage, statistics, options of a column
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b text, c text, d text, e bytea);
-- main
ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER b SET STATISTICS 500, ALTER c SET (n_distinct = 5, n_distinct_inherited = 7), ALTER e SET STORAGE PLAIN;
-- standby
ALTER TABLE t ALTER b SET STORAGE MAIN, ALTER c SET STATISTICS 10, ALTER d SET (n_distinct = -0.5), ALTER a SET STATISTICS 20;
INSERT INTO t VALUES (1, 'a', 'b', 'c', 'd', '\x00');
-- keeps
SELECT * FROM t;

-- case: compression set and taken away
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b text);
-- main
ALTER TABLE t ALTER a SET COMPRESSION pglz;
-- standby
ALTER TABLE t ALTER b SET COMPRESSION pglz;
INSERT INTO t VALUES (1, repeat('a', 9999), 'b');
-- keeps
SELECT id, md5(a), b FROM t;

-- case: another collation
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b text COLLATE "POSIX", c text COLLATE "C");
CREATE INDEX t_a ON t (a);
CREATE INDEX t_c ON t (c);
CREATE VIEW v AS SELECT a, c FROM t;
-- main
DROP VIEW v;
ALTER TABLE t ALTER a TYPE text COLLATE "C", ALTER b TYPE text, ALTER c TYPE text COLLATE "de-x-icu";
CREATE VIEW v AS SELECT a, c FROM t;
-- standby
INSERT INTO t VALUES (1, 'ä', 'b', 'c');
-- keeps
SELECT * FROM t;

-- case: hundreds of them, three of another type
-- main
DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE t (' || string_agg(format('c%s %s', n, CASE WHEN n % 100 = 0 THEN 'bigint' ELSE 'integer' END), ', ') || ')' FROM generate_series(1, 300) n); END $$;
-- standby
DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE t (' || string_agg(format('c%s integer', n), ', ') || ')' FROM generate_series(1, 300) n); END $$;
INSERT INTO t (c1, c100) VALUES (1, 100);
-- keeps
SELECT c1, c100 FROM t;
