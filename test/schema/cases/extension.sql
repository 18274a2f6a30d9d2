-- case: created, dropped, with what is made of them
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
ALTER TABLE t ADD h hstore DEFAULT 'x=>1';
CREATE INDEX i ON t USING gin (a gin_trgm_ops);
-- standby
CREATE EXTENSION citext;
ALTER TABLE t ALTER a TYPE citext;
CREATE VIEW v AS SELECT a FROM t;
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT id, a FROM t;

-- case: in another schema
-- both
CREATE SCHEMA ext;
CREATE SCHEMA other;
-- main
CREATE EXTENSION hstore SCHEMA ext;
CREATE TABLE t (id integer PRIMARY KEY, h ext.hstore);
COMMENT ON EXTENSION hstore IS 'moved';
-- standby
CREATE EXTENSION hstore SCHEMA other;
CREATE TABLE t (id integer PRIMARY KEY, h other.hstore);
INSERT INTO t VALUES (1, 'x=>1');
-- keeps
SELECT * FROM t;

-- case: another version
-- equal: pg_dump tells no version
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE EXTENSION hstore VERSION '1.8';
-- standby
CREATE EXTENSION hstore VERSION '1.7';
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: grants on what belongs to one
-- pgdump only: the catalogs' reader leaves out what belongs to an extension, with its grants
-- both
CREATE EXTENSION hstore;
-- main
REVOKE EXECUTE ON FUNCTION akeys(hstore) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION akeys(hstore) TO corpus_alice;
-- standby
CREATE TABLE t (h hstore);
INSERT INTO t VALUES ('a=>1');

-- case: an object of the same name that belongs to none
-- both
CREATE SCHEMA ext;
-- main
CREATE EXTENSION citext SCHEMA ext;
CREATE TABLE t (id integer PRIMARY KEY, a ext.citext);
-- standby
CREATE DOMAIN ext.citext AS text;
CREATE TABLE t (id integer PRIMARY KEY, a ext.citext);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;
