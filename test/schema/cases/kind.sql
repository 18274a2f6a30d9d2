-- case: a sequence where the standby has a table, and the other way
-- main
CREATE SEQUENCE a;
CREATE TABLE b (id integer);
INSERT INTO b VALUES (1);
-- standby
CREATE TABLE a (id integer);
CREATE SEQUENCE b;
-- keeps
SELECT * FROM b; --> (1)

-- case: a domain, an enum, a range, a composite type, each where the standby has the next
-- main
CREATE DOMAIN a AS text; CREATE TYPE b AS ENUM ('x'); CREATE TYPE c AS RANGE (subtype = date); CREATE TYPE d AS (x integer);
CREATE TABLE t (id integer PRIMARY KEY, a a, d d);
-- standby
CREATE TYPE a AS ENUM ('x'); CREATE TYPE b AS RANGE (subtype = date); CREATE TYPE c AS (x integer); CREATE DOMAIN d AS text;
CREATE TABLE t (id integer PRIMARY KEY, a a, d d);
INSERT INTO t VALUES (1, 'x', '(5)');
-- keeps
SELECT id, a, (d).x FROM t; --> (1,x,5)

-- case: a table whose name is a type's, an index's, a sequence's and a view's of the standby
-- main
CREATE TABLE a (id integer); CREATE TABLE b (id integer); CREATE TABLE c (id integer); CREATE TABLE d (id integer);
CREATE TABLE t (id integer PRIMARY KEY, x integer);
INSERT INTO a VALUES (1); INSERT INTO b VALUES (2); INSERT INTO c VALUES (3); INSERT INTO d VALUES (4);
-- standby
CREATE TYPE a AS ENUM ('x');
CREATE TABLE t (id integer PRIMARY KEY, x integer);
CREATE INDEX b ON t (x);
CREATE SEQUENCE c OWNED BY t.x;
CREATE VIEW d AS SELECT id FROM t;
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT t.*, a.id, b.id, c.id, d.id FROM t, a, b, c, d; --> (1,2,1,2,3,4)

-- case: a constraint where the standby has an index of its own table, and a trigger of a foreign key's name
-- both
CREATE TABLE t (id integer NOT NULL, a integer);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- main
ALTER TABLE t ADD CONSTRAINT x UNIQUE (a);
ALTER TABLE t ADD CONSTRAINT y PRIMARY KEY (id);
CREATE TRIGGER z BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE t ADD CONSTRAINT w CHECK (a > 0);
-- standby
CREATE INDEX x ON t (a);
ALTER TABLE t ADD CONSTRAINT y CHECK (id > 0);
ALTER TABLE t ADD CONSTRAINT w UNIQUE (id);
ALTER TABLE t ADD CONSTRAINT z FOREIGN KEY (a) REFERENCES t (id);
INSERT INTO t VALUES (1, 1);
-- keeps
SELECT * FROM t;

-- case: a table where an array type's name stands, and a type renamed out of the way
-- main
CREATE TABLE _t (id integer);
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TYPE _e AS ENUM ('x');
CREATE TYPE e AS ENUM ('a');
-- standby
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TYPE e AS ENUM ('a', 'b');
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;
