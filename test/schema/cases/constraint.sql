-- case: of every sort, only on main
-- both
CREATE TABLE t (id integer, a text, b integer, r int4range);
CREATE TABLE u (id integer, t integer, v integer);
-- main
ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY KEY (id) INCLUDE (a);
ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (a, b) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE t ADD CONSTRAINT t_n UNIQUE NULLS NOT DISTINCT (b, id) WITH (fillfactor = 70);
ALTER TABLE t ADD CONSTRAINT t_x EXCLUDE USING gist (r WITH &&) WHERE (id > 0);
ALTER TABLE t ADD CONSTRAINT t_c CHECK (b > 0);
ALTER TABLE t ADD CONSTRAINT t_nv CHECK (b > 1) NOT VALID;
ALTER TABLE t ADD CONSTRAINT t_ni CHECK (b > 2) NO INHERIT;
ALTER TABLE u ADD CONSTRAINT u_f FOREIGN KEY (t) REFERENCES t ON DELETE CASCADE ON UPDATE SET NULL;
ALTER TABLE u ADD CONSTRAINT u_nv FOREIGN KEY (v) REFERENCES t DEFERRABLE NOT VALID;
COMMENT ON CONSTRAINT u_f ON u IS 'to t';
-- standby
INSERT INTO t VALUES (1, 'x', 5, '[1,2)'); INSERT INTO u VALUES (1, 1, NULL);
-- keeps
SELECT * FROM t;
SELECT * FROM u;

-- case: of every sort, only on the standby
-- both
CREATE TABLE t (id integer NOT NULL, a text, b integer, r int4range);
CREATE TABLE u (id integer, t integer);
-- standby
ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY KEY (id);
ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (a, b);
ALTER TABLE t ADD CONSTRAINT t_x EXCLUDE USING gist (r WITH &&);
ALTER TABLE t ADD CONSTRAINT t_c CHECK (b > 0);
ALTER TABLE u ADD CONSTRAINT u_f FOREIGN KEY (t) REFERENCES t;
COMMENT ON CONSTRAINT t_pk ON t IS 'pk';
INSERT INTO t VALUES (1, 'x', 5, '[1,2)'); INSERT INTO u VALUES (1, 1);
-- keeps
SELECT * FROM t;

-- case: of every sort, each changed
-- both
CREATE TABLE t (id integer NOT NULL, k integer NOT NULL, a text, b integer, r int4range);
CREATE TABLE u (id integer, t integer, k integer);
-- main
ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY KEY (id, k);
ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (a, b) DEFERRABLE;
ALTER TABLE t ADD CONSTRAINT t_k UNIQUE (k);
ALTER TABLE t ADD CONSTRAINT t_x EXCLUDE USING gist (r WITH &&) WHERE (id > 0);
ALTER TABLE t ADD CONSTRAINT t_c CHECK (b > 0);
ALTER TABLE u ADD CONSTRAINT u_f FOREIGN KEY (t, k) REFERENCES t MATCH FULL;
ALTER TABLE u ADD CONSTRAINT u_k FOREIGN KEY (k) REFERENCES t (k) ON DELETE SET NULL (k) DEFERRABLE INITIALLY DEFERRED;
-- standby
ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY KEY (id);
ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (a);
ALTER TABLE t ADD CONSTRAINT t_k UNIQUE (k) WITH (fillfactor = 80);
ALTER TABLE t ADD CONSTRAINT t_x EXCLUDE USING gist (r WITH =);
ALTER TABLE t ADD CONSTRAINT t_c CHECK (b > -5);
ALTER TABLE u ADD CONSTRAINT u_f FOREIGN KEY (t) REFERENCES t;
ALTER TABLE u ADD CONSTRAINT u_k FOREIGN KEY (k) REFERENCES t (k) ON DELETE CASCADE DEFERRABLE;
INSERT INTO t VALUES (1, 2, 'x', 5, '[1,2)'); INSERT INTO u VALUES (1, 1, 2);
-- keeps
SELECT * FROM t;
SELECT * FROM u;

-- case: a primary key moves to another column under a view that groups by it
-- main
CREATE TABLE t (id integer NOT NULL, k integer PRIMARY KEY, a text);
CREATE VIEW v AS SELECT k, a FROM t GROUP BY k;
CREATE TABLE u (k integer REFERENCES t);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, k integer UNIQUE NOT NULL, a text);
CREATE VIEW v AS SELECT id, a FROM t GROUP BY id;
CREATE TABLE u (k integer REFERENCES t (k));
INSERT INTO t VALUES (1, 2, 'x'); INSERT INTO u VALUES (2);
-- keeps
SELECT * FROM t;

-- case: validated on main, and validated on the standby
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer);
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID, ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES t NOT VALID;
ALTER TABLE t ADD CONSTRAINT d CHECK (a > 1) NOT VALID, ADD CONSTRAINT g FOREIGN KEY (b) REFERENCES t NOT VALID;
-- main
ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t VALIDATE CONSTRAINT f;
-- standby
INSERT INTO t VALUES (1, 5, 1);
ALTER TABLE t VALIDATE CONSTRAINT d; ALTER TABLE t VALIDATE CONSTRAINT g;
-- keeps
SELECT * FROM t;

-- case: not valid on main, and a row of the standby breaks it
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer);
-- main
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
-- standby
INSERT INTO t VALUES (1, -5);
-- keeps
SELECT * FROM t;

-- case: the standby's rows break each until main's came
-- both
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, p integer);
-- main
ALTER TABLE t ADD CHECK (a > 0), ADD UNIQUE (b), ADD FOREIGN KEY (p) REFERENCES p;
INSERT INTO p VALUES (7);
INSERT INTO t VALUES (1, 1, 1, 7), (2, 2, 2, 7);
-- standby
INSERT INTO t VALUES (1, -1, 5, 7), (2, 2, 5, 8);
-- keeps
SELECT * FROM t ORDER BY id; --> (1,1,1,7) (2,2,2,7)

-- case: a check renamed
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer CONSTRAINT one CHECK (a > 0));
-- main
ALTER TABLE t RENAME CONSTRAINT one TO two;
-- standby
INSERT INTO t VALUES (1, 1);
-- keeps
SELECT * FROM t;

-- case: primary key, unique and foreign key renamed
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer UNIQUE, b integer REFERENCES t);
-- main
ALTER TABLE t RENAME CONSTRAINT t_pkey TO pk; ALTER TABLE t RENAME CONSTRAINT t_a_key TO uq; ALTER TABLE t RENAME CONSTRAINT t_b_fkey TO fk;
-- standby
INSERT INTO t VALUES (1, 1, 1);
-- keeps
SELECT * FROM t;

-- case: a check by a function that only main has, and one by a function that goes
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE FUNCTION good(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 <> 'bad' $$;
ALTER TABLE t ADD CONSTRAINT c CHECK (good(a));
-- standby
CREATE FUNCTION fine(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 <> 'worse' $$;
ALTER TABLE t ADD CONSTRAINT c CHECK (fine(a));
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: a foreign key to another table, and the old one goes
-- both
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE c (id integer);
-- main
ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES a;
-- standby
CREATE TABLE b (id integer PRIMARY KEY);
ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES b;
INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO c VALUES (1);
-- keeps
SELECT * FROM c;

-- case: the same name on two tables, and a name with everything in it
-- both
CREATE TABLE "a b" (x integer); CREATE TABLE "a" (x integer);
-- main
ALTER TABLE "a" ADD CONSTRAINT "b c" CHECK (x > 0); ALTER TABLE "a b" ADD CONSTRAINT "c" CHECK (x > 0);
ALTER TABLE "a" ADD CONSTRAINT """it's""; $$--" CHECK (x > 1);
-- standby
ALTER TABLE "a" ADD CONSTRAINT "b c" CHECK (x > 5); ALTER TABLE "a b" ADD CONSTRAINT "c" CHECK (x > 5);
INSERT INTO "a" VALUES (7);
-- keeps
SELECT * FROM a;

-- case: an exclusion constraint over a function that is another on main
-- main
CREATE FUNCTION twice(n integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT n * 2::bigint';
CREATE TABLE t (id integer PRIMARY KEY, EXCLUDE USING btree (twice(id) WITH =));
-- standby
CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE TABLE t (id integer PRIMARY KEY, EXCLUDE USING btree (twice(id) WITH =));
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;

-- case: two tables whose names begin alike, a foreign key between them, and the key is another
-- main
CREATE TABLE shop (id text, val text, PRIMARY KEY (id, val));
CREATE TABLE "shop key" (id text, val text, CONSTRAINT of_shop FOREIGN KEY (id, val) REFERENCES shop);
-- standby
CREATE TABLE shop (id text PRIMARY KEY, val text NOT NULL);
CREATE TABLE "shop key" (id text CONSTRAINT of_shop REFERENCES shop, val text);
INSERT INTO shop VALUES ('a', 'b'); INSERT INTO "shop key" VALUES ('a', 'b');
-- keeps
SELECT id, val FROM "shop key";

-- case: a foreign key that stays, while what it refers to moves from a unique constraint to a key
-- main
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TABLE u (t integer CONSTRAINT of_t REFERENCES t (id));
-- standby
CREATE TABLE t (id integer NOT NULL CONSTRAINT t_only UNIQUE);
CREATE TABLE u (t integer CONSTRAINT of_t REFERENCES t (id));
INSERT INTO t VALUES (1); INSERT INTO u VALUES (1);
-- keeps
SELECT t FROM u;

-- case: a check with a comment is no longer valid for all
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
ALTER TABLE t ADD CONSTRAINT small CHECK (id < 100) NOT VALID; COMMENT ON CONSTRAINT small ON t IS 'small';
-- standby
ALTER TABLE t ADD CONSTRAINT small CHECK (id < 100); COMMENT ON CONSTRAINT small ON t IS 'small';
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;
