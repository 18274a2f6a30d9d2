-- case: added, removed, and another expression
-- main
CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, c integer GENERATED ALWAYS AS (a * 3) STORED, d integer GENERATED ALWAYS AS (a + 1) STORED);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS (a * 2) STORED, c integer GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO t (id, a) VALUES (1, 10);
-- keeps
SELECT id, a, b, c, d FROM t; --> (1,10,20,30,11)

-- case: a plain column becomes a generated one
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer);
CREATE INDEX t_b ON t (b);
-- main
ALTER TABLE t DROP b;
ALTER TABLE t ADD b integer GENERATED ALWAYS AS (a * 2) STORED;
CREATE INDEX t_b ON t (b);
-- standby
INSERT INTO t VALUES (1, 10, 5);
-- keeps
SELECT id, a, b FROM t; --> (1,10,20)

-- case: another expression under a view, an index and a unique constraint
-- main
CREATE TABLE t (id integer PRIMARY KEY, a text, g text GENERATED ALWAYS AS (upper(a)) STORED UNIQUE, z integer);
CREATE VIEW v AS SELECT g FROM t;
CREATE INDEX t_g ON t (g, z);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a text, g text GENERATED ALWAYS AS (lower(a)) STORED UNIQUE, z integer);
CREATE VIEW v AS SELECT g FROM t;
CREATE INDEX t_g ON t (g, z);
INSERT INTO t (id, a, z) VALUES (1, 'Ab', 9);
-- keeps
SELECT id, a, z, g FROM t; --> (1,Ab,9,AB)

-- case: by a function that is another on main
-- main
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE t (id integer PRIMARY KEY, a integer, g integer GENERATED ALWAYS AS (twice(a)) STORED);
-- standby
CREATE FUNCTION double(integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2::bigint';
CREATE TABLE t (id integer PRIMARY KEY, a integer, g bigint GENERATED ALWAYS AS (double(a)) STORED);
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT * FROM t;

-- case: a generated column's type, from one kept the same otherwise
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer);
-- main
ALTER TABLE t ADD g numeric GENERATED ALWAYS AS (a * 2) STORED NOT NULL;
-- standby
ALTER TABLE t ADD g integer GENERATED ALWAYS AS (a * 2) STORED;
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT id, a, g FROM t; --> (1,2,4)
