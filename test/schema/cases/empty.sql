-- case: a standby that has nothing
-- main
CREATE SCHEMA s;
CREATE TYPE s.e AS ENUM ('a', 'b');
CREATE TABLE s.t (id serial PRIMARY KEY, e s.e DEFAULT 'a' NOT NULL, p integer REFERENCES s.t);
CREATE VIEW v AS SELECT * FROM s.t;
INSERT INTO s.t (e) VALUES ('a'), ('b');
-- keeps
SELECT id, e FROM v ORDER BY id; --> (1,a) (2,b)

-- case: a main that has nothing
-- standby
CREATE SCHEMA s;
CREATE TYPE s.e AS ENUM ('a', 'b');
CREATE TABLE s.t (id serial PRIMARY KEY, e s.e DEFAULT 'a' NOT NULL, p integer REFERENCES s.t);
CREATE VIEW v AS SELECT * FROM s.t;
INSERT INTO s.t (e) VALUES ('a');

-- case: the same on both, made in another order
-- equal: only OIDs differ
-- main
CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer REFERENCES a); CREATE INDEX i ON a (id); CREATE VIEW v AS SELECT * FROM a;
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- standby
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TABLE b (gone integer, id integer); ALTER TABLE b DROP gone; CREATE TABLE a (id integer PRIMARY KEY); CREATE VIEW v AS SELECT * FROM a;
ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a; CREATE INDEX i ON a (id);
INSERT INTO a VALUES (1);
-- keeps
SELECT * FROM a;
