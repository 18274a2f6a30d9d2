-- case: attributes added, dropped, retyped, under a column with rows
-- both
CREATE TYPE c AS (x integer, y text, z integer);
CREATE TABLE t (id integer PRIMARY KEY, a c);
-- main
DROP TABLE t;
ALTER TYPE c ADD ATTRIBUTE n text, DROP ATTRIBUTE y, ALTER ATTRIBUTE z TYPE bigint;
CREATE TABLE t (id integer PRIMARY KEY, a c);
-- standby
INSERT INTO t VALUES (1, '(5,gone,6)');
-- keeps
SELECT id, (a).x, (a).z FROM t; --> (1,5,6)

-- case: attributes in another order
-- main
CREATE TYPE c AS (y text, x integer);
CREATE TABLE t (id integer PRIMARY KEY, a c);
-- standby
CREATE TYPE c AS (x integer, y text);
CREATE TABLE t (id integer PRIMARY KEY, a c);
INSERT INTO t VALUES (1, '(5,five)');
-- keeps
SELECT id, (a).x, (a).y FROM t; --> (1,5,five)

-- case: used by nobody
-- both
CREATE TYPE c AS (x integer, y text COLLATE "C");
-- main
ALTER TYPE c ADD ATTRIBUTE z date; ALTER TYPE c RENAME ATTRIBUTE x TO xx; ALTER TYPE c ALTER ATTRIBUTE y TYPE text COLLATE "POSIX";
COMMENT ON COLUMN c.y IS 'second'; COMMENT ON TYPE c IS 'three';

-- case: in an array, a function, a view, another composite type and a domain
-- main
CREATE TYPE c AS (x bigint, y text);
CREATE TYPE outer_c AS (c c, n integer);
CREATE DOMAIN dc AS c CHECK ((VALUE).x > 0);
CREATE TABLE t (id integer PRIMARY KEY, a c[], b outer_c, d dc);
CREATE FUNCTION f(c) RETURNS bigint LANGUAGE sql AS 'SELECT $1.x::bigint';
CREATE VIEW v AS SELECT (b).c.x AS x FROM t;
-- standby
CREATE TYPE c AS (x integer, y text);
CREATE TYPE outer_c AS (c c, n integer);
CREATE DOMAIN dc AS c CHECK ((VALUE).x > 0);
CREATE TABLE t (id integer PRIMARY KEY, a c[], b outer_c, d dc);
CREATE FUNCTION f(c) RETURNS bigint LANGUAGE sql AS 'SELECT $1.x::bigint';
CREATE VIEW v AS SELECT (b).c.x AS x FROM t;
INSERT INTO t VALUES (1, ARRAY['(1,a)'::c], '("(2,b)",3)', '(4,d)');
-- keeps
SELECT * FROM t;
SELECT * FROM v;

-- case: becomes a table, and a table a composite type
-- main
CREATE TABLE c (x integer, y text);
CREATE TYPE t AS (x integer);
INSERT INTO c VALUES (1, 'x');
-- standby
CREATE TYPE c AS (x integer, y text);
CREATE TABLE t (x integer);
-- keeps
SELECT * FROM c; --> (1,x)

-- case: the type of a typed table loses an attribute
-- main
CREATE TYPE c AS (x integer, z text);
CREATE TABLE t OF c (PRIMARY KEY (x));
-- standby
CREATE TYPE c AS (x integer, y text, z text);
CREATE TABLE t OF c (PRIMARY KEY (x));
INSERT INTO t VALUES (1, 'y', 'z');
-- keeps
SELECT x, z FROM t;

-- case: only main has it, only the standby has it
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE TYPE c AS (x integer, "y y" text);
ALTER TABLE t ADD a c[];
-- standby
CREATE TYPE o AS (x integer);
ALTER TABLE t ADD b o DEFAULT '(1)';
CREATE FUNCTION of_o(o) RETURNS integer LANGUAGE sql AS 'SELECT $1.x';
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;

-- case: within another one, both changed
-- main
CREATE TYPE inner_one AS (n bigint, extra text);
CREATE TYPE outer_one AS (label text, i inner_one);
CREATE TABLE t (id integer PRIMARY KEY, o outer_one);
-- standby
CREATE TYPE inner_one AS (n integer);
CREATE TYPE outer_one AS (i inner_one, label text);
CREATE TABLE t (id integer PRIMARY KEY, o outer_one);
INSERT INTO t VALUES (1, ROW(ROW(7), 'seven'));
-- keeps
SELECT id, (o).label, ((o).i).n FROM t;
