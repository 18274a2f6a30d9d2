-- case: only main has it, with rows
-- main
CREATE TABLE t (id serial PRIMARY KEY, a text DEFAULT 'x' NOT NULL);
INSERT INTO t (a) VALUES ('one'), ('two');
COMMENT ON TABLE t IS 'new';
-- standby
CREATE TABLE own (a integer);
-- keeps
SELECT * FROM t ORDER BY id; --> (1,one) (2,two)

-- case: only the standby has it, and what both have depends on it
-- both
CREATE TABLE kept (id integer PRIMARY KEY, extra integer);
-- main
CREATE VIEW v AS SELECT id FROM kept;
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM kept';
-- standby
CREATE TABLE extra (id integer PRIMARY KEY);
ALTER TABLE kept ADD FOREIGN KEY (extra) REFERENCES extra;
CREATE VIEW v AS SELECT id FROM extra;
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM extra; END;
INSERT INTO extra VALUES (1); INSERT INTO kept VALUES (1, 1);
-- keeps
SELECT * FROM kept;

-- case: only the standby has it, and a function of both took its rows
-- main
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- standby
CREATE TABLE extra (id integer);
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g() RETURNS SETOF extra LANGUAGE sql AS 'SELECT * FROM extra';
CREATE TABLE t (id integer PRIMARY KEY, a text, e extra);
INSERT INTO t VALUES (1, 'x', ROW(1));
-- keeps
SELECT id, a FROM t;

-- case: two that refer to each other are dropped, two others come
-- main
CREATE TABLE a (id integer PRIMARY KEY, b integer);
CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1;
-- standby
CREATE TABLE c (id integer PRIMARY KEY, d integer);
CREATE TABLE d (id integer PRIMARY KEY, c integer REFERENCES c);
ALTER TABLE c ADD FOREIGN KEY (d) REFERENCES d;
-- keeps
SELECT * FROM a, b; --> (1,1,1,1)

-- case: storage parameters and those of its TOAST table
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text) WITH (fillfactor = 70, toast.autovacuum_enabled = false);
CREATE TABLE u (id integer PRIMARY KEY, a text);
-- main
ALTER TABLE t SET (fillfactor = 80, autovacuum_enabled = false, toast.vacuum_truncate = false);
ALTER TABLE t RESET (toast.autovacuum_enabled);
-- standby
ALTER TABLE u SET (parallel_workers = 4, toast.autovacuum_vacuum_threshold = 99);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: unlogged and logged again
-- both
CREATE TABLE t (id integer PRIMARY KEY);
CREATE UNLOGGED TABLE u (id integer PRIMARY KEY);
-- main
ALTER TABLE t SET UNLOGGED;
ALTER TABLE u SET LOGGED;
-- standby
INSERT INTO t VALUES (1); INSERT INTO u VALUES (2);
-- keeps
SELECT t.id, u.id AS other FROM t, u;

-- case: two made unlogged that a foreign key joins
-- both
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TABLE u (id integer REFERENCES t);
-- main
ALTER TABLE u SET UNLOGGED;
ALTER TABLE t SET UNLOGGED;
-- standby
INSERT INTO t VALUES (1); INSERT INTO u VALUES (1);
-- keeps
SELECT * FROM u;

-- case: replica identity
-- both
CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY, k integer NOT NULL);
CREATE TABLE d (id integer PRIMARY KEY, k integer NOT NULL);
CREATE UNIQUE INDEX c_k ON c (k);
CREATE UNIQUE INDEX d_k ON d (k);
-- main
ALTER TABLE a REPLICA IDENTITY FULL;
ALTER TABLE c REPLICA IDENTITY USING INDEX c_k;
-- standby
ALTER TABLE b REPLICA IDENTITY NOTHING;
ALTER TABLE d REPLICA IDENTITY USING INDEX d_k;
INSERT INTO c VALUES (1, 2);
-- keeps
SELECT * FROM c;

-- case: replica identity by an index that is another on main
-- both
CREATE TABLE t (id integer PRIMARY KEY, k integer NOT NULL, l integer NOT NULL);
-- main
CREATE UNIQUE INDEX t_k ON t (k, l);
ALTER TABLE t REPLICA IDENTITY USING INDEX t_k;
-- standby
CREATE UNIQUE INDEX t_k ON t (k);
ALTER TABLE t REPLICA IDENTITY USING INDEX t_k;
INSERT INTO t VALUES (1, 2, 3);
-- keeps
SELECT * FROM t;

-- case: row security on, off and forced
-- both
CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY);
-- main
ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a FORCE ROW LEVEL SECURITY;
ALTER TABLE c ENABLE ROW LEVEL SECURITY;
-- standby
ALTER TABLE b ENABLE ROW LEVEL SECURITY;
ALTER TABLE c FORCE ROW LEVEL SECURITY;
INSERT INTO b VALUES (1);
-- keeps
SELECT * FROM b;

-- case: of a type, and no longer
-- both
CREATE TYPE ty AS (id integer, a text);
-- main
CREATE TABLE t OF ty (PRIMARY KEY (id));
CREATE TABLE u (id integer, a text);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE TABLE u OF ty;
INSERT INTO t VALUES (1, 'x'); INSERT INTO u VALUES (2, 'y');
-- keeps
SELECT t.*, u.a AS other FROM t, u;

-- case: of another type, and the type of one gets an attribute
-- both
CREATE TYPE ty AS (id integer);
CREATE TYPE other AS (id integer);
-- main
CREATE TABLE t OF other (id WITH OPTIONS DEFAULT 3);
CREATE TABLE u OF ty;
ALTER TYPE ty ADD ATTRIBUTE b text CASCADE;
-- standby
CREATE TABLE t OF ty;
CREATE TABLE u OF ty;
INSERT INTO t VALUES (1); INSERT INTO u VALUES (2);
-- keeps
SELECT t.id, u.id AS other FROM t, u;

-- case: in another tablespace, and back, with an index
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE TABLE u (id integer PRIMARY KEY, a text) TABLESPACE corpus_space;
CREATE INDEX t_a ON t (a);
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
-- main
ALTER TABLE t SET TABLESPACE corpus_space;
ALTER TABLE u SET TABLESPACE pg_default;
ALTER INDEX t_a SET TABLESPACE corpus_space;
ALTER INDEX u_pkey SET TABLESPACE corpus_space;
ALTER MATERIALIZED VIEW m SET TABLESPACE corpus_space;
-- standby
INSERT INTO t VALUES (1, 'x'); INSERT INTO u VALUES (2, 'y');
-- keeps
SELECT t.a, u.a AS other FROM t, u;

-- case: another access method
-- both
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE u (id integer PRIMARY KEY) USING heap2;
CREATE TABLE t (id integer PRIMARY KEY);
-- main
ALTER TABLE t SET ACCESS METHOD heap2;
ALTER TABLE u SET ACCESS METHOD heap;
-- standby
INSERT INTO t VALUES (1); INSERT INTO u VALUES (2);
-- keeps
SELECT t.id, u.id AS other FROM t, u;

-- case: clustered on an index, on another one, and on none
-- both
CREATE TABLE a (id integer PRIMARY KEY, k integer); CREATE INDEX a_k ON a (k);
CREATE TABLE b (id integer PRIMARY KEY, k integer); CREATE INDEX b_k ON b (k);
CREATE TABLE c (id integer PRIMARY KEY, k integer); CREATE INDEX c_k ON c (k);
-- main
ALTER TABLE a CLUSTER ON a_k; ALTER TABLE b CLUSTER ON b_pkey;
-- standby
ALTER TABLE b CLUSTER ON b_k; ALTER TABLE c CLUSTER ON c_k;
INSERT INTO a VALUES (1, 2);
-- keeps
SELECT * FROM a;

-- case: owner
-- both
CREATE TABLE t (id serial PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM t;
CREATE TABLE u (id integer);
-- main
ALTER TABLE t OWNER TO corpus_alice;
ALTER VIEW v OWNER TO corpus_bob;
GRANT SELECT ON t TO corpus_bob;
-- standby
INSERT INTO t DEFAULT VALUES;
ALTER TABLE u OWNER TO corpus_carol;
GRANT SELECT ON t TO corpus_bob;
-- keeps
SELECT * FROM t;

-- case: a comment added, changed and taken away
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b text, c text);
COMMENT ON COLUMN t.a IS 'old'; COMMENT ON COLUMN t.b IS 'old'; COMMENT ON TABLE t IS 'same';
-- main
COMMENT ON COLUMN t.a IS E'new\nwith "quotes" and '' and \\ and $$'; COMMENT ON COLUMN t.b IS NULL; COMMENT ON COLUMN t.c IS 'c';
COMMENT ON CONSTRAINT t_pkey ON t IS 'key';
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;

-- case: moved to another schema with all that is its own
-- both
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE TABLE a.t (id serial PRIMARY KEY, x text CHECK (x <> ''));
CREATE INDEX t_x ON a.t (x);
CREATE VIEW v AS SELECT x FROM a.t;
-- main
ALTER TABLE a.t SET SCHEMA b;
INSERT INTO b.t (x) VALUES ('one');
-- standby
INSERT INTO a.t (x) VALUES ('one');
-- keeps
SELECT * FROM b.t; --> (1,one)
SELECT * FROM v;

-- case: the same name in two schemas, each different
-- both
CREATE SCHEMA a; CREATE SCHEMA b;
-- main
CREATE TABLE a.t (id integer PRIMARY KEY, x bigint); CREATE INDEX i ON a.t (x);
CREATE TABLE b.t (id integer PRIMARY KEY, x text); CREATE INDEX i ON b.t (lower(x));
-- standby
CREATE TABLE a.t (id integer PRIMARY KEY, x integer); CREATE INDEX i ON a.t (id, x);
CREATE TABLE b.t (id integer PRIMARY KEY); CREATE INDEX i ON b.t ((id + 1));
INSERT INTO a.t VALUES (1, 2); INSERT INTO b.t VALUES (3);
-- keeps
SELECT a.t.*, b.t.id AS other FROM a.t, b.t;

-- case: a rule on it, and a table that only a rule writes
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE TABLE log (at timestamptz DEFAULT now(), a text);
CREATE RULE logged AS ON UPDATE TO t DO ALSO INSERT INTO log (a) VALUES (NEW.a);
-- standby
CREATE TABLE old_log (a text);
CREATE RULE logged AS ON UPDATE TO t DO ALSO INSERT INTO old_log (a) VALUES (OLD.a);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;
