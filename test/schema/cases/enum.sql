-- case: values added at the start, in the middle, at the end
-- both
CREATE TYPE e AS ENUM ('b', 'd');
CREATE TABLE t (id integer PRIMARY KEY, a e);
-- main
ALTER TYPE e ADD VALUE 'a' BEFORE 'b'; ALTER TYPE e ADD VALUE 'c' AFTER 'b'; ALTER TYPE e ADD VALUE 'e'; ALTER TYPE e ADD VALUE 'f''"x';
-- standby
INSERT INTO t VALUES (1, 'b'), (2, 'd');
-- keeps
SELECT * FROM t ORDER BY id;

-- case: a value added and used by a default, a check and a view at once
-- both
CREATE TYPE e AS ENUM ('a');
-- main
DROP TYPE e;
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (id integer PRIMARY KEY, a e DEFAULT 'b' CHECK (a <> 'a' OR id > 0));
CREATE INDEX t_b ON t (id) WHERE a = 'b';
CREATE VIEW v AS SELECT id FROM t WHERE a = 'b';
INSERT INTO t VALUES (1, 'b');
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a e DEFAULT 'a');
INSERT INTO t VALUES (2, 'a');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,b) (2,a)

-- case: a value that no row has removed
-- both
CREATE SCHEMA s;
-- main
CREATE TYPE s.e AS ENUM ('a', 'c');
CREATE TABLE t (id integer PRIMARY KEY, a s.e DEFAULT 'a');
COMMENT ON TYPE s.e IS 'letters';
GRANT USAGE ON TYPE s.e TO corpus_alice;
-- standby
CREATE TYPE s.e AS ENUM ('a', 'b', 'c');
CREATE TABLE t (id integer PRIMARY KEY, a s.e DEFAULT 'a');
COMMENT ON TYPE s.e IS 'letters';
GRANT USAGE ON TYPE s.e TO corpus_alice;
INSERT INTO t VALUES (1, 'a'), (2, 'c');
-- keeps
SELECT * FROM t ORDER BY id;

-- case: reordered, under a primary key, an index and a view that sorts
-- main
CREATE TYPE e AS ENUM ('c', 'b', 'a');
CREATE TABLE t (a e PRIMARY KEY, b e);
CREATE INDEX t_b ON t (b DESC);
CREATE VIEW v AS SELECT a FROM t ORDER BY a;
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TABLE t (a e PRIMARY KEY, b e);
CREATE INDEX t_b ON t (b DESC);
CREATE VIEW v AS SELECT a FROM t ORDER BY a;
INSERT INTO t VALUES ('a', 'b'), ('c', 'a');
-- keeps
SELECT * FROM t ORDER BY a; --> (c,a) (a,b)

-- case: a value renamed, main's rows come
-- main
CREATE TYPE e AS ENUM ('low', 'high');
CREATE TABLE t (id integer PRIMARY KEY, a e NOT NULL);
INSERT INTO t VALUES (1, 'low'), (2, 'high');
-- standby
CREATE TYPE e AS ENUM ('low', 'hi');
CREATE TABLE t (id integer PRIMARY KEY, a e NOT NULL);
INSERT INTO t VALUES (1, 'low');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,low) (2,high)

-- case: a value removed under an array, a composite type, a domain and a range
-- main
CREATE TYPE e AS ENUM ('a', 'c');
CREATE TYPE pair AS (x e, y integer);
CREATE DOMAIN de AS e DEFAULT 'a';
CREATE TABLE t (id integer PRIMARY KEY, a e[] DEFAULT '{a}', b pair, c de);
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TYPE pair AS (x e, y integer);
CREATE DOMAIN de AS e DEFAULT 'a';
CREATE TABLE t (id integer PRIMARY KEY, a e[] DEFAULT '{a}', b pair, c de);
INSERT INTO t VALUES (1, '{a,c}', '(c,5)', 'c');
-- keeps
SELECT * FROM t;

-- case: a value removed under a partial index, a check, a generated column, a trigger's condition and a policy
-- main
CREATE TYPE e AS ENUM ('a', 'c');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE t (id integer PRIMARY KEY, a e CHECK (a <> 'c' OR id > 0), g boolean GENERATED ALWAYS AS (a = 'a') STORED);
CREATE INDEX t_p ON t (id) WHERE a = 'a';
CREATE TRIGGER on_c BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a = 'c') EXECUTE FUNCTION touch();
CREATE POLICY only_a ON t USING (a = 'a');
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE t (id integer PRIMARY KEY, a e CHECK (a <> 'c' OR id > 0), g boolean GENERATED ALWAYS AS (a = 'a') STORED);
CREATE INDEX t_p ON t (id) WHERE a = 'a';
CREATE TRIGGER on_c BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a = 'c') EXECUTE FUNCTION touch();
CREATE POLICY only_a ON t USING (a = 'a');
INSERT INTO t VALUES (1, 'a'), (2, 'c');
-- keeps
SELECT * FROM t ORDER BY id;

-- case: a value removed under functions, their defaults, an aggregate, an operator and a cast
-- pgdump only: operators and casts
-- main
CREATE TYPE e AS ENUM ('a', 'c');
CREATE FUNCTION f(x e DEFAULT 'a') RETURNS e LANGUAGE sql AS 'SELECT x';
CREATE FUNCTION g() RETURNS TABLE (x e, y e[]) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION step(integer, e) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1';
CREATE AGGREGATE agg(e) (SFUNC = step, STYPE = integer, INITCOND = '0');
CREATE FUNCTION same(e, e) RETURNS boolean LANGUAGE sql AS 'SELECT $1::text = $2::text';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = e, RIGHTARG = e);
CREATE FUNCTION to_e(integer) RETURNS e LANGUAGE sql AS 'SELECT ''a''::e';
CREATE CAST (integer AS e) WITH FUNCTION to_e(integer);
CREATE TABLE t (a e);
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE FUNCTION f(x e DEFAULT 'a') RETURNS e LANGUAGE sql AS 'SELECT x';
CREATE FUNCTION g() RETURNS TABLE (x e, y e[]) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION step(integer, e) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1';
CREATE AGGREGATE agg(e) (SFUNC = step, STYPE = integer, INITCOND = '0');
CREATE FUNCTION same(e, e) RETURNS boolean LANGUAGE sql AS 'SELECT $1::text = $2::text';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = e, RIGHTARG = e);
CREATE FUNCTION to_e(integer) RETURNS e LANGUAGE sql AS 'SELECT ''a''::e';
CREATE CAST (integer AS e) WITH FUNCTION to_e(integer);
CREATE TABLE t (a e);
INSERT INTO t VALUES ('a');
-- keeps
SELECT f(), agg(a) FROM t;

-- case: only main has it, only the standby has it
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE TYPE e AS ENUM ('a');
CREATE TYPE empty AS ENUM ();
ALTER TABLE t ADD a e DEFAULT 'a';
-- standby
CREATE TYPE f AS ENUM ('x');
ALTER TABLE t ADD x f DEFAULT 'x';
INSERT INTO t VALUES (1);
-- keeps
SELECT id, a FROM t; --> (1,a)

-- case: becomes a domain, and a domain becomes an enum
-- main
CREATE DOMAIN e AS text CHECK (VALUE IN ('a', 'b'));
CREATE TYPE d AS ENUM ('x', 'y');
CREATE TABLE t (id integer PRIMARY KEY, a e, b d DEFAULT 'x');
-- standby
CREATE TYPE e AS ENUM ('a', 'b');
CREATE DOMAIN d AS text CHECK (VALUE IN ('x', 'y'));
CREATE TABLE t (id integer PRIMARY KEY, a e, b d DEFAULT 'x');
INSERT INTO t VALUES (1, 'b', 'y');
-- keeps
SELECT * FROM t;

-- case: is a partition key, and a value between comes
-- both
CREATE TYPE e AS ENUM ('a', 'c');
CREATE TABLE t (id integer, a e) PARTITION BY LIST (a);
CREATE TABLE ta PARTITION OF t FOR VALUES IN ('a');
-- main
DROP TABLE t; DROP TYPE e;
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TABLE t (id integer, a e) PARTITION BY LIST (a);
CREATE TABLE ta PARTITION OF t FOR VALUES IN ('a');
CREATE TABLE tb PARTITION OF t FOR VALUES IN ('b');
-- standby
INSERT INTO t VALUES (1, 'a');
-- keeps
SELECT * FROM t;

-- case: is a partition key, and a value is removed
-- main
CREATE TYPE e AS ENUM ('a', 'c');
CREATE TABLE t (id integer, a e) PARTITION BY LIST (a);
CREATE TABLE ta PARTITION OF t FOR VALUES IN ('a');
CREATE TABLE tc PARTITION OF t FOR VALUES IN ('c');
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TABLE t (id integer, a e) PARTITION BY LIST (a);
CREATE TABLE ta PARTITION OF t FOR VALUES IN ('a');
CREATE TABLE tc PARTITION OF t FOR VALUES IN ('c');
INSERT INTO t VALUES (1, 'a'), (2, 'c');
-- keeps
SELECT * FROM t ORDER BY id;

-- case: a value removed where a key only carries the column, and a foreign key refers to it
-- main
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE p (k integer, e e, v text, UNIQUE (k) INCLUDE (e), UNIQUE (v, k) INCLUDE (e));
CREATE TABLE c (id integer PRIMARY KEY, k integer REFERENCES p (k));
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TABLE p (k integer, e e, v text, UNIQUE (k) INCLUDE (e), UNIQUE (v, k) INCLUDE (e));
CREATE TABLE c (id integer PRIMARY KEY, k integer REFERENCES p (k));
INSERT INTO p VALUES (1, 'a', 'v'), (2, 'b', NULL); INSERT INTO c VALUES (1, 1);
-- keeps
SELECT k, e FROM p ORDER BY k; --> (1,a) (2,b)

-- case: a value removed under a composite type, in partitions whose columns stand in another order
-- both
CREATE TABLE t (id integer NOT NULL) PARTITION BY RANGE (id);
-- main
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TYPE c AS (e e, x integer);
ALTER TABLE t ADD c c;
CREATE TABLE t_1 (c c, id integer NOT NULL);
ALTER TABLE t ATTACH PARTITION t_1 FOR VALUES FROM (0) TO (10);
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'gone');
CREATE TYPE c AS (e e, x integer);
ALTER TABLE t ADD c c;
CREATE TABLE t_1 (c c, id integer NOT NULL);
ALTER TABLE t ATTACH PARTITION t_1 FOR VALUES FROM (0) TO (10);
INSERT INTO t VALUES (1, '(b,5)'), (2, NULL), (3, '(,)');
-- keeps
SELECT id, c, c IS NULL AS n FROM t ORDER BY id; --> (1,"(b,5)",f) (2,,t) (3,"(,)",t)

-- case: a value removed that a primary key could hold
-- main
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (id integer, e e, PRIMARY KEY (id, e));
CREATE TABLE r (id integer, e e, FOREIGN KEY (id, e) REFERENCES t);
CREATE TABLE p (e e PRIMARY KEY, v integer) PARTITION BY LIST (e);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a');
INSERT INTO t VALUES (2, 'b');
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'gone');
CREATE TABLE t (id integer, e e, PRIMARY KEY (id, e));
CREATE TABLE r (id integer, e e, FOREIGN KEY (id, e) REFERENCES t);
CREATE TABLE p (e e PRIMARY KEY, v integer) PARTITION BY LIST (e);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a');
INSERT INTO t VALUES (1, 'a'), (2, 'b'); INSERT INTO r VALUES (1, 'a');
-- keeps
SELECT * FROM t ORDER BY id; --> (1,a) (2,b)

-- case: a value removed that rows hold in arrays, domains and composite types
-- main
CREATE TYPE e AS ENUM ('a', 'c');
CREATE DOMAIN d AS e;
CREATE DOMAIN ds AS e[];
CREATE TYPE pair AS (x e, y integer);
CREATE TABLE t (id integer PRIMARY KEY, many e[], d d, ds ds, pair pair, other e[] NOT NULL);
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE DOMAIN d AS e;
CREATE DOMAIN ds AS e[];
CREATE TYPE pair AS (x e, y integer);
CREATE TABLE t (id integer PRIMARY KEY, many e[], d d, ds ds, pair pair, other e[] NOT NULL);
INSERT INTO t VALUES (1, '{a,b}', 'b', '{b}', '(b,5)', '{a}'), (2, '{{a,NULL},{c,a}}', 'c', '{c,NULL}', '(c,6)', '{}'),
  (3, '[0:1]={a,c}', NULL, NULL, NULL, '{a,c}');
-- keeps
SELECT id, many, d, ds, pair, other FROM t ORDER BY id; --> (1,,,,"(,5)",{a}) (2,"{{a,NULL},{c,a}}",c,"{c,NULL}","(c,6)",{}) (3,"[0:1]={a,c}",,,,"{a,c}")

-- case: a value removed under generated columns, of a table and of a partition
-- main
CREATE TYPE e AS ENUM ('a', 'c');
CREATE TABLE t (id integer PRIMARY KEY, a e, g e GENERATED ALWAYS AS (a) STORED, last integer);
CREATE TABLE p (id integer, a e, g e GENERATED ALWAYS AS (a) STORED) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p DEFAULT;
-- standby
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TABLE t (id integer PRIMARY KEY, a e, g e GENERATED ALWAYS AS (a) STORED, last integer);
CREATE TABLE p (id integer, a e, g e GENERATED ALWAYS AS (a) STORED) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p DEFAULT;
INSERT INTO t VALUES (1, 'c'), (2, 'b'); INSERT INTO p VALUES (1, 'a');
-- keeps
SELECT id, a, g FROM t ORDER BY id; --> (1,c,c) (2,,)
SELECT id, a, g FROM p ORDER BY id; --> (1,a,a)
