-- case: created, dropped
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE COLLATION german (provider = icu, locale = 'de-DE');
CREATE COLLATION plain FROM "C";
COMMENT ON COLLATION german IS 'de';
ALTER TABLE t ALTER a TYPE text COLLATE german;
-- standby
CREATE COLLATION french (provider = icu, locale = 'fr-FR');
ALTER TABLE t ALTER a TYPE text COLLATE french;
CREATE INDEX i ON t (a);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: another locale, provider and determinism under columns, indexes, views, domains and types
-- main
CREATE COLLATION c (provider = icu, locale = 'und', deterministic = false);
CREATE COLLATION p (provider = libc, locale = 'C');
CREATE DOMAIN d AS text COLLATE c;
CREATE TYPE ct AS (x text COLLATE c);
CREATE TABLE t (id integer PRIMARY KEY, a text COLLATE c UNIQUE, b text COLLATE p, d d, e ct);
CREATE INDEX i ON t (b COLLATE c);
CREATE VIEW v AS SELECT a FROM t ORDER BY b COLLATE c;
-- standby
CREATE COLLATION c (provider = icu, locale = 'de');
CREATE COLLATION p (provider = icu, locale = 'fr');
CREATE DOMAIN d AS text COLLATE c;
CREATE TYPE ct AS (x text COLLATE c);
CREATE TABLE t (id integer PRIMARY KEY, a text COLLATE c UNIQUE, b text COLLATE p, d d, e ct);
CREATE INDEX i ON t (b COLLATE c);
CREATE VIEW v AS SELECT a FROM t ORDER BY b COLLATE c;
INSERT INTO t VALUES (1, 'x', 'y', 'z', '(w)');
-- keeps
SELECT * FROM t;
