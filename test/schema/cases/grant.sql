-- case: to roles, PUBLIC, by column, with grant option, of every kind
-- both
CREATE SCHEMA s;
CREATE TABLE t (id integer PRIMARY KEY, a text, b text);
CREATE SEQUENCE q; CREATE VIEW v AS SELECT id FROM t; CREATE TYPE e AS ENUM ('a');
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
-- main
GRANT SELECT, INSERT ON t TO corpus_alice;
GRANT SELECT ON t TO corpus_bob WITH GRANT OPTION;
GRANT UPDATE (a), REFERENCES (b) ON t TO corpus_carol;
GRANT SELECT (a) ON t TO PUBLIC;
GRANT USAGE ON SEQUENCE q TO PUBLIC;
GRANT ALL ON v TO corpus_alice;
REVOKE USAGE ON TYPE e FROM PUBLIC; GRANT USAGE ON TYPE e TO corpus_bob;
REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC; GRANT EXECUTE ON PROCEDURE p() TO corpus_alice;
GRANT USAGE ON SCHEMA s TO corpus_alice;
-- standby
INSERT INTO t VALUES (1, 'x', 'y');
-- keeps
SELECT * FROM t;

-- case: other ones
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b text);
GRANT SELECT, INSERT, UPDATE ON t TO corpus_alice;
GRANT SELECT (a) ON t TO corpus_bob;
GRANT DELETE ON t TO corpus_carol WITH GRANT OPTION;
-- main
REVOKE UPDATE ON t FROM corpus_alice;
REVOKE SELECT (a) ON t FROM corpus_bob; GRANT SELECT (b) ON t TO corpus_bob;
REVOKE GRANT OPTION FOR DELETE ON t FROM corpus_carol;
-- standby
GRANT TRUNCATE ON t TO corpus_alice; GRANT ALL ON t TO PUBLIC;
INSERT INTO t VALUES (1, 'x', 'y');
-- keeps
SELECT * FROM t;

-- case: granted by one who was given the right to grant
-- both
CREATE TABLE t (id integer PRIMARY KEY);
GRANT SELECT ON t TO corpus_alice WITH GRANT OPTION;
-- main
SET ROLE corpus_alice; GRANT SELECT ON t TO corpus_bob; RESET ROLE;
-- standby
SET ROLE corpus_alice; GRANT SELECT ON t TO corpus_carol; RESET ROLE;
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: the owner has taken his own rights away
-- both
CREATE TABLE t (id integer PRIMARY KEY);
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER TABLE t OWNER TO corpus_alice;
-- main
REVOKE ALL ON t FROM corpus_alice;
REVOKE ALL ON FUNCTION f() FROM PUBLIC, CURRENT_USER;
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: on a table that is rewritten, on a view that is replaced
-- main
CREATE TABLE t (b text, id integer PRIMARY KEY, a text);
CREATE VIEW v AS SELECT b, id FROM t;
GRANT SELECT ON t TO corpus_alice; GRANT INSERT (a) ON t TO corpus_bob; GRANT SELECT (b) ON v TO corpus_bob;
ALTER TABLE t OWNER TO corpus_carol;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a text, b text);
CREATE VIEW v AS SELECT id, b FROM t;
GRANT SELECT ON t TO corpus_alice; GRANT INSERT (a) ON t TO corpus_bob; GRANT SELECT (b) ON v TO corpus_bob;
ALTER TABLE t OWNER TO corpus_carol;
INSERT INTO t VALUES (1, 'x', 'y');
-- keeps
SELECT id, a, b FROM t;

-- case: default privileges, of the database and of a schema
-- both
CREATE SCHEMA s;
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO corpus_bob;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO corpus_carol;
-- main
ALTER DEFAULT PRIVILEGES IN SCHEMA s REVOKE SELECT ON TABLES FROM corpus_bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT INSERT ON TABLES TO corpus_alice WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE corpus_alice GRANT USAGE ON TYPES TO corpus_bob;
CREATE TABLE s.t (id integer);
CREATE FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- standby
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;
CREATE TABLE s.own (id integer);
INSERT INTO s.own VALUES (1);

-- case: default privileges of the standby would give new tables what main's do not have
-- both
CREATE TABLE t (id integer PRIMARY KEY);
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO corpus_alice;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
-- main
CREATE TABLE n (id integer); REVOKE ALL ON n FROM corpus_alice;
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION f() TO PUBLIC;
CREATE VIEW v AS SELECT id FROM t;
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: owners of every kind
-- both
CREATE SCHEMA s; CREATE TYPE e AS ENUM ('a'); CREATE TYPE c AS (x integer); CREATE DOMAIN d AS text; CREATE SEQUENCE q;
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
CREATE TABLE t (id serial PRIMARY KEY, a text); CREATE VIEW v AS SELECT 1 AS x; CREATE MATERIALIZED VIEW m AS SELECT 1 AS x;
CREATE AGGREGATE ag(integer) (SFUNC = int4pl, STYPE = integer);
-- main
ALTER SCHEMA s OWNER TO corpus_alice; ALTER TYPE e OWNER TO corpus_alice; ALTER TYPE c OWNER TO corpus_alice; ALTER DOMAIN d OWNER TO corpus_alice;
ALTER SEQUENCE q OWNER TO corpus_alice; ALTER FUNCTION f() OWNER TO corpus_alice; ALTER PROCEDURE p() OWNER TO corpus_alice;
ALTER TABLE t OWNER TO corpus_alice; ALTER VIEW v OWNER TO corpus_alice; ALTER MATERIALIZED VIEW m OWNER TO corpus_alice; ALTER AGGREGATE ag(integer) OWNER TO corpus_alice;
-- standby
INSERT INTO t VALUES (1, 'x');
ALTER FUNCTION f() OWNER TO corpus_bob;
-- keeps
SELECT * FROM t;

-- case: new objects of other owners
-- both
CREATE SCHEMA s AUTHORIZATION corpus_bob;
-- main
SET ROLE corpus_bob;
CREATE TABLE s.t (id serial PRIMARY KEY); CREATE VIEW s.v AS SELECT id FROM s.t; CREATE FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
GRANT SELECT ON s.v TO corpus_alice;
INSERT INTO s.t DEFAULT VALUES;
-- standby
SET ROLE corpus_bob;
CREATE TABLE s.own (id integer);
-- keeps
SELECT * FROM s.v; --> (1)

-- case: what initdb granted, taken back on the standby
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- standby
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
COMMENT ON SCHEMA public IS 'mine';
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;

-- case: on a language, taken back on the standby
-- pgdump only: the catalogs' reader does not read languages
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- standby
REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC;

-- case: on what belongs to an extension, given and taken on the standby
-- pgdump only: the catalogs' reader leaves out what belongs to an extension, with its grants
-- both
CREATE EXTENSION hstore;
-- main
GRANT EXECUTE ON FUNCTION avals(hstore) TO corpus_alice;
-- standby
REVOKE EXECUTE ON FUNCTION akeys(hstore) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION akeys(hstore) TO corpus_bob;

-- case: default privileges in a schema that goes
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- standby
CREATE SCHEMA gone; ALTER DEFAULT PRIVILEGES IN SCHEMA gone GRANT SELECT ON TABLES TO corpus_alice;
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;
