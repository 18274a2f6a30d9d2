-- case: every property
-- both
CREATE SEQUENCE s;
CREATE SEQUENCE u INCREMENT 5 MINVALUE 10 MAXVALUE 100 START 20 CACHE 3 CYCLE;
-- main
ALTER SEQUENCE s INCREMENT BY 2 MINVALUE -100 MAXVALUE 1000 START WITH 50 CACHE 10 CYCLE;
ALTER SEQUENCE u INCREMENT BY 1 NO MINVALUE NO MAXVALUE START WITH 1 CACHE 1 NO CYCLE;
-- standby
SELECT setval('s', 77); SELECT setval('u', 35);
-- keeps
SELECT last_value, is_called FROM s;

-- case: turned round, up and down
-- both
CREATE SEQUENCE s;
CREATE SEQUENCE u INCREMENT BY -1;
-- main
ALTER SEQUENCE s INCREMENT BY -1 MINVALUE -1000 MAXVALUE 1000 START WITH 1000;
SELECT setval('s', -500);
ALTER SEQUENCE u INCREMENT BY 1 MINVALUE -100 MAXVALUE 100 START WITH -100;
-- keeps
SELECT last_value FROM s; --> (-500)

-- case: type, up and down
-- both
CREATE SEQUENCE s AS integer;
CREATE SEQUENCE u AS bigint;
CREATE SEQUENCE w AS smallint MAXVALUE 1000;
-- main
ALTER SEQUENCE s AS bigint;
ALTER SEQUENCE u AS smallint;
ALTER SEQUENCE w AS integer;
-- standby
SELECT setval('s', 77); SELECT setval('u', 35);
-- keeps
SELECT s.last_value, u.last_value AS other FROM s, u;

-- case: only main has it, and only the standby has it, under a default
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer);
-- main
CREATE SEQUENCE s START 5;
ALTER TABLE t ALTER a SET DEFAULT nextval('s');
-- standby
CREATE SEQUENCE old_s;
ALTER TABLE t ALTER a SET DEFAULT nextval('old_s');
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: owned by another column, by none, by one at last
-- both
CREATE TABLE t (a integer, b integer);
CREATE SEQUENCE s OWNED BY t.a;
CREATE SEQUENCE u OWNED BY t.a;
CREATE SEQUENCE w;
-- main
ALTER SEQUENCE s OWNED BY t.b;
ALTER SEQUENCE u OWNED BY NONE;
ALTER SEQUENCE w OWNED BY t.a;
-- standby
SELECT setval('s', 7);
-- keeps
SELECT last_value FROM s;

-- case: owned by a column that goes, and both have the sequence
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE SEQUENCE s;
-- standby
ALTER TABLE t ADD b integer;
CREATE SEQUENCE s OWNED BY t.b;
SELECT setval('s', 7);
INSERT INTO t VALUES (1);
-- keeps
SELECT last_value FROM s;

-- case: owned by a table that goes, and another owns it on main
-- main
CREATE TABLE t (id integer);
CREATE SEQUENCE s OWNED BY t.id;
-- standby
CREATE TABLE old (id integer);
CREATE SEQUENCE s OWNED BY old.id;
SELECT setval('s', 7);
-- keeps
SELECT last_value FROM s;

-- case: unlogged and logged
-- both
CREATE SEQUENCE s;
CREATE UNLOGGED SEQUENCE u;
-- main
ALTER SEQUENCE s SET UNLOGGED;
ALTER SEQUENCE u SET LOGGED;
-- standby
SELECT setval('s', 7); SELECT setval('u', 8);
-- keeps
SELECT s.last_value, u.last_value AS other FROM s, u;

-- case: grants, owner and comment
-- both
CREATE SEQUENCE s;
GRANT USAGE ON SEQUENCE s TO corpus_bob;
-- main
ALTER SEQUENCE s OWNER TO corpus_alice;
GRANT SELECT, UPDATE ON SEQUENCE s TO corpus_carol WITH GRANT OPTION;
COMMENT ON SEQUENCE s IS 'numbers';
REVOKE ALL ON SEQUENCE s FROM corpus_bob;
-- standby
SELECT setval('s', 7);
-- keeps
SELECT last_value FROM s;

-- case: a serial's sequence is renamed on main
-- both
CREATE TABLE t (id serial PRIMARY KEY, a text);
-- main
ALTER SEQUENCE t_id_seq RENAME TO numbers;
-- standby
INSERT INTO t (a) VALUES ('x');
-- keeps
SELECT * FROM t;

-- case: never used and outside of main's bounds; and a type with another direction
-- main
CREATE SEQUENCE a START 7;
CREATE SEQUENCE b AS smallint INCREMENT -2;
CREATE SEQUENCE c;
-- standby
CREATE SEQUENCE a MINVALUE -5 START -5;
CREATE SEQUENCE b AS integer;
CREATE SEQUENCE c INCREMENT -1;
