-- case: a function that reads a view that calls the function
-- main
CREATE TABLE t (id integer PRIMARY KEY);
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 2::bigint';
CREATE VIEW v AS SELECT id, f() AS n FROM t;
CREATE OR REPLACE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; END;
-- standby
CREATE TABLE t (id integer PRIMARY KEY);
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 2';
CREATE VIEW v AS SELECT id, f() AS n FROM t;
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM v;

-- case: a default that reads the table through a function with an SQL-standard body
-- main
CREATE TABLE t (id integer PRIMARY KEY, a bigint);
CREATE FUNCTION next_a() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(a) + 1 FROM t; END;
ALTER TABLE t ALTER a SET DEFAULT next_a();
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer);
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT * FROM t;

-- case: foreign keys in a ring, with another type
-- main
CREATE TABLE a (id bigint PRIMARY KEY, c bigint); CREATE TABLE b (id bigint PRIMARY KEY, a bigint REFERENCES a); CREATE TABLE c (id bigint PRIMARY KEY, b bigint REFERENCES b);
ALTER TABLE a ADD FOREIGN KEY (c) REFERENCES c DEFERRABLE;
-- standby
CREATE TABLE a (id integer PRIMARY KEY, c integer); CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a); CREATE TABLE c (id integer PRIMARY KEY, b integer REFERENCES b);
ALTER TABLE a ADD FOREIGN KEY (c) REFERENCES c DEFERRABLE;
INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1, 1); UPDATE a SET c = 1;
-- keeps
SELECT * FROM a, b, c;

-- case: rewritten tables in a ring, with a view over all and a materialized view
-- main
CREATE TABLE a (b integer, id integer PRIMARY KEY); CREATE TABLE b (a integer REFERENCES a, id integer PRIMARY KEY);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
CREATE VIEW v AS SELECT a.id, b.a FROM a JOIN b ON b.a = a.id;
CREATE MATERIALIZED VIEW m AS SELECT * FROM v;
-- standby
CREATE TABLE a (id integer PRIMARY KEY, b integer); CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
CREATE VIEW v AS SELECT a.id, b.a FROM a JOIN b ON b.a = a.id;
CREATE MATERIALIZED VIEW m AS SELECT * FROM v;
INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (2, 1); UPDATE a SET b = 2;
-- keeps
SELECT * FROM v;
SELECT id, b FROM a;

-- case: types that hold each other's arrays
-- main
CREATE TYPE a AS (x bigint);
CREATE TYPE b AS (a a[], n integer);
CREATE TABLE t (id integer PRIMARY KEY, b b[]);
CREATE TYPE c AS (t t, n integer);
CREATE FUNCTION f(c) RETURNS t LANGUAGE sql AS 'SELECT ($1).t.*';
-- standby
CREATE TYPE a AS (x integer);
CREATE TYPE b AS (a a[], n integer);
CREATE TABLE t (id integer PRIMARY KEY, b b[]);
CREATE TYPE c AS (t t, n integer);
CREATE FUNCTION f(c) RETURNS t LANGUAGE sql AS 'SELECT ($1).t.*';
INSERT INTO t VALUES (1, ARRAY[ROW(ARRAY[ROW(1)::a], 2)::b]);
-- keeps
SELECT * FROM t;
