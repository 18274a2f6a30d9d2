-- pgdump only: foreign data
-- case: wrappers, servers, user mappings and tables created
-- main
CREATE FOREIGN DATA WRAPPER w OPTIONS (debug 'true', "odd name" 'it''s');
CREATE SERVER s TYPE 'file' VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (host 'localhost');
CREATE USER MAPPING FOR corpus_alice SERVER s OPTIONS (user 'a', password 'b');
CREATE USER MAPPING FOR PUBLIC SERVER s;
CREATE FOREIGN TABLE f (id integer OPTIONS (n '1') NOT NULL, a text DEFAULT 'x' CHECK (a <> '')) SERVER s OPTIONS (path '/nowhere');
GRANT USAGE ON FOREIGN SERVER s TO corpus_alice;
GRANT USAGE ON FOREIGN DATA WRAPPER w TO corpus_bob;
COMMENT ON SERVER s IS 's'; COMMENT ON FOREIGN TABLE f IS 'f';
-- standby
CREATE TABLE t (id integer);
CREATE FOREIGN DATA WRAPPER old;
CREATE SERVER old_s FOREIGN DATA WRAPPER old;
CREATE FOREIGN TABLE old_f (id integer) SERVER old_s;

-- case: changed
-- both
CREATE FOREIGN DATA WRAPPER w OPTIONS (a '1', b '2');
CREATE SERVER s VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (host 'one', port '1');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'a');
CREATE FOREIGN TABLE f (id integer, gone text, a integer OPTIONS (n '1')) SERVER s OPTIONS (path 'x');
-- main
ALTER FOREIGN DATA WRAPPER w OPTIONS (SET a '2', DROP b, ADD c '3');
ALTER SERVER s VERSION '2' OPTIONS (SET host 'two', DROP port);
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET user 'b');
ALTER SERVER s OWNER TO corpus_alice;
DROP FOREIGN TABLE f;
CREATE FOREIGN TABLE f (id bigint, a integer OPTIONS (n '2', m '3'), n text NOT NULL) SERVER s OPTIONS (file 'y');
CREATE VIEW v AS SELECT id FROM f;
-- standby
CREATE VIEW v AS SELECT id FROM f;
CREATE TABLE t (id integer);

-- case: a table becomes a foreign one, a foreign one a table, and one another server's
-- both
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE SERVER r FOREIGN DATA WRAPPER w;
-- main
CREATE FOREIGN TABLE a (id integer) SERVER s;
CREATE TABLE b (id integer PRIMARY KEY);
CREATE FOREIGN TABLE c (id integer) SERVER r;
INSERT INTO b VALUES (1);
-- standby
CREATE TABLE a (id integer);
CREATE FOREIGN TABLE b (id integer) SERVER s;
CREATE FOREIGN TABLE c (id integer) SERVER s;
-- keeps
SELECT * FROM b; --> (1)

-- case: a partition is a foreign table
-- both
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE TABLE t (id integer, k integer) PARTITION BY RANGE (k);
-- main
CREATE FOREIGN TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10) SERVER s;
-- standby
CREATE FOREIGN TABLE t1 (id integer, k integer) SERVER s;
