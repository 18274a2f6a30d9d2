-- case: of every sort, only on main
-- both
CREATE TABLE t (id integer, a text, b integer, c jsonb, r int4range, p point);
-- main
CREATE UNIQUE INDEX i01 ON t (id);
CREATE INDEX i02 ON t (a DESC NULLS LAST, b NULLS FIRST);
CREATE INDEX i03 ON t (lower(a), (b + 1));
CREATE INDEX i04 ON t (b) WHERE b IS NOT NULL AND a <> 'x';
CREATE UNIQUE INDEX i05 ON t (id) INCLUDE (a, b);
CREATE UNIQUE INDEX i06 ON t (b, a) NULLS NOT DISTINCT;
CREATE INDEX i07 ON t (a text_pattern_ops);
CREATE INDEX i08 ON t (a COLLATE "C");
CREATE INDEX i09 ON t USING hash (a);
CREATE INDEX i10 ON t USING gin (c jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX i11 ON t USING gist (r) WITH (buffering = on);
CREATE INDEX i12 ON t USING brin (b) WITH (pages_per_range = 4);
CREATE INDEX i13 ON t USING spgist (p);
CREATE INDEX i14 ON t ((a || 'x')) WITH (fillfactor = 50);
ALTER INDEX i14 ALTER COLUMN 1 SET STATISTICS 99;
COMMENT ON INDEX i14 IS 'last';
-- standby
INSERT INTO t VALUES (1, 'x', 2);
-- keeps
SELECT id, a, b FROM t;

-- case: each changed in another way
-- both
CREATE TABLE t (id integer, a text, b integer);
-- main
CREATE UNIQUE INDEX i1 ON t (id);
CREATE INDEX i2 ON t (a DESC);
CREATE INDEX i3 ON t (upper(a));
CREATE INDEX i4 ON t (b) WHERE b > 5;
CREATE INDEX i5 ON t (id) INCLUDE (b);
CREATE UNIQUE INDEX i6 ON t (b) NULLS NOT DISTINCT;
CREATE INDEX i7 ON t USING hash (a);
CREATE INDEX i8 ON t (a) WITH (fillfactor = 60);
CREATE INDEX i9 ON t ((a || 'x'), (b + 1));
ALTER INDEX i9 ALTER COLUMN 1 SET STATISTICS 99;
-- standby
CREATE INDEX i1 ON t (id);
CREATE INDEX i2 ON t (a);
CREATE INDEX i3 ON t (lower(a));
CREATE INDEX i4 ON t (b) WHERE b > 6;
CREATE INDEX i5 ON t (id) INCLUDE (a);
CREATE UNIQUE INDEX i6 ON t (b);
CREATE INDEX i7 ON t (a);
CREATE INDEX i8 ON t (a) WITH (fillfactor = 70);
CREATE INDEX i9 ON t ((a || 'x'), (b + 1));
ALTER INDEX i9 ALTER COLUMN 2 SET STATISTICS 99;
INSERT INTO t VALUES (1, 'x', 2);
-- keeps
SELECT * FROM t;

-- case: only on the standby, one under a foreign key and one that a table is clustered on
-- both
CREATE TABLE t (id integer, a text);
CREATE TABLE u (id integer);
-- main
ALTER TABLE u ADD a text;
-- standby
CREATE UNIQUE INDEX t_id ON t (id);
ALTER TABLE u ADD FOREIGN KEY (id) REFERENCES t (id);
CREATE INDEX t_a ON t (a); ALTER TABLE t CLUSTER ON t_a;
INSERT INTO t VALUES (1, 'x'); INSERT INTO u VALUES (1);
-- keeps
SELECT * FROM t;

-- case: its name is another table's on main
-- main
CREATE TABLE t (id integer, a text);
CREATE TABLE x (id integer);
CREATE INDEX y ON t (a);
-- standby
CREATE TABLE t (id integer, a text);
CREATE INDEX x ON t (id);
CREATE TABLE y (id integer);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: two that have changed names
-- both
CREATE TABLE t (id integer, a text);
-- main
CREATE INDEX one ON t (id); CREATE INDEX two ON t (a);
-- standby
CREATE INDEX two ON t (id); CREATE INDEX one ON t (a);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: on an expression whose function is another
-- main
CREATE FUNCTION f(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE TABLE t (id integer, a text);
CREATE INDEX i ON t (f(a));
-- standby
CREATE FUNCTION f(text) RETURNS varchar LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)::varchar';
CREATE TABLE t (id integer, a text);
CREATE INDEX i ON t (f(a));
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: becomes a constraint's, and a constraint's becomes one's own
-- both
CREATE TABLE t (id integer NOT NULL, k integer, l integer);
-- main
ALTER TABLE t ADD CONSTRAINT i PRIMARY KEY (id);
CREATE UNIQUE INDEX j ON t (k);
ALTER TABLE t ADD CONSTRAINT u UNIQUE (l);
-- standby
CREATE UNIQUE INDEX i ON t (id);
ALTER TABLE t ADD CONSTRAINT j UNIQUE (k);
CREATE UNIQUE INDEX u ON t (l);
INSERT INTO t VALUES (1, 2, 3);
-- keeps
SELECT * FROM t;

-- case: left invalid by a CREATE INDEX CONCURRENTLY that failed
-- both
CREATE TABLE t (id integer, a integer);
-- main
CREATE UNIQUE INDEX i ON t (a);
-- standby
INSERT INTO t VALUES (1, 1);
CREATE UNIQUE INDEX i ON t (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass;
-- keeps
SELECT * FROM t;

-- case: a unique one that the standby's rows break until main's came
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer);
-- main
CREATE UNIQUE INDEX i ON t (a);
INSERT INTO t VALUES (1, 10), (2, 20);
-- standby
INSERT INTO t VALUES (1, 10), (2, 10);
-- keeps
SELECT * FROM t ORDER BY id; --> (1,10) (2,20)

-- case: an extension's operator class
-- both
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE TABLE t (id integer PRIMARY KEY, a text, r daterange);
-- main
CREATE INDEX i ON t USING gin (a gin_trgm_ops);
ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (id WITH =, r WITH &&);
-- standby
CREATE INDEX i ON t USING gist (a gist_trgm_ops (siglen = 32));
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT id, a FROM t;
