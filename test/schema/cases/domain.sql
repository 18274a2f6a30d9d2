-- case: default and NOT NULL set and dropped
-- both
CREATE DOMAIN d AS integer DEFAULT 1;
CREATE DOMAIN f AS text NOT NULL;
CREATE DOMAIN g AS text DEFAULT 'x';
CREATE TABLE t (id d PRIMARY KEY, a f, b g);
-- main
ALTER DOMAIN d SET NOT NULL; ALTER DOMAIN d DROP DEFAULT;
ALTER DOMAIN f DROP NOT NULL; ALTER DOMAIN f SET DEFAULT 'it''s';
ALTER DOMAIN g SET DEFAULT 'y';
-- standby
INSERT INTO t VALUES (1, 'a', 'b');
-- keeps
SELECT * FROM t;

-- case: checks added, dropped, changed, renamed, not valid
-- both
CREATE DOMAIN d AS integer CONSTRAINT a CHECK (VALUE > 0) CONSTRAINT b CHECK (VALUE < 100) CONSTRAINT e CHECK (VALUE <> 50);
CREATE TABLE t (id integer PRIMARY KEY, a d);
-- main
ALTER DOMAIN d DROP CONSTRAINT a;
ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE <> 7);
ALTER DOMAIN d DROP CONSTRAINT b; ALTER DOMAIN d ADD CONSTRAINT b CHECK (VALUE < 1000);
ALTER DOMAIN d RENAME CONSTRAINT e TO e2;
ALTER DOMAIN d ADD CONSTRAINT later CHECK (VALUE <> 1) NOT VALID;
COMMENT ON CONSTRAINT c ON DOMAIN d IS 'no seven';
-- standby
INSERT INTO t VALUES (1, 5), (2, 99);
-- keeps
SELECT * FROM t ORDER BY id;

-- case: a check that the standby's rows meet only after main's rows came
-- both
CREATE DOMAIN d AS integer;
CREATE TABLE t (id integer PRIMARY KEY, a d);
-- main
ALTER DOMAIN d ADD CONSTRAINT positive CHECK (VALUE > 0);
INSERT INTO t VALUES (1, 10);
-- standby
INSERT INTO t VALUES (1, -10), (2, 3);
-- keeps
SELECT * FROM t ORDER BY id; --> (1,10) (2,3)

-- case: base type changed
-- main
CREATE DOMAIN d AS bigint DEFAULT 5 CHECK (VALUE > 0);
CREATE TABLE t (id integer PRIMARY KEY, a d, b d[]);
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f(d) RETURNS d LANGUAGE sql AS 'SELECT $1';
COMMENT ON DOMAIN d IS 'positive';
-- standby
CREATE DOMAIN d AS integer DEFAULT 5 CHECK (VALUE > 0);
CREATE TABLE t (id integer PRIMARY KEY, a d, b d[]);
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f(d) RETURNS d LANGUAGE sql AS 'SELECT $1';
COMMENT ON DOMAIN d IS 'positive';
INSERT INTO t VALUES (1, 7, '{8,9}');
-- keeps
SELECT * FROM t;

-- case: length, collation
-- main
CREATE DOMAIN d AS varchar(20);
CREATE DOMAIN c AS text COLLATE "C";
CREATE TABLE t (id integer PRIMARY KEY, a d UNIQUE, b c);
CREATE INDEX t_b ON t (b);
-- standby
CREATE DOMAIN d AS varchar(10);
CREATE DOMAIN c AS text;
CREATE TABLE t (id integer PRIMARY KEY, a d UNIQUE, b c);
CREATE INDEX t_b ON t (b);
INSERT INTO t VALUES (1, 'x', 'y');
-- keeps
SELECT * FROM t;

-- case: over a domain, in a composite type and an array, which PostgreSQL will not alter in place
-- main
CREATE DOMAIN a AS integer CHECK (VALUE > 0);
CREATE DOMAIN b AS a DEFAULT 3 CHECK (VALUE < 100);
CREATE TYPE pair AS (x b, y text);
CREATE TABLE t (id integer PRIMARY KEY, p b, q b[], r pair);
-- standby
CREATE DOMAIN a AS integer;
CREATE DOMAIN b AS a;
CREATE TYPE pair AS (x b, y text);
CREATE TABLE t (id integer PRIMARY KEY, p b, q b[], r pair);
INSERT INTO t VALUES (1, 5, '{6}', '(7,x)');
-- keeps
SELECT * FROM t;

-- case: a check by a function that changes
-- main
CREATE FUNCTION good(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 <> 'bad' $$;
CREATE DOMAIN d AS text CONSTRAINT is_good CHECK (good(VALUE));
CREATE TABLE t (id integer PRIMARY KEY, a d);
-- standby
CREATE FUNCTION good(v text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 <> 'worse' $$;
CREATE DOMAIN d AS text CONSTRAINT is_good CHECK (good(VALUE));
CREATE TABLE t (id integer PRIMARY KEY, a d);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: only main has it, only the standby has it
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE DOMAIN d AS text CHECK (VALUE <> '');
ALTER TABLE t ALTER a TYPE d;
-- standby
CREATE DOMAIN old_d AS text CHECK (length(VALUE) < 9);
ALTER TABLE t ALTER a TYPE old_d;
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: owner and grants
-- both
CREATE DOMAIN d AS text;
GRANT USAGE ON DOMAIN d TO corpus_bob;
-- main
ALTER DOMAIN d OWNER TO corpus_alice;
REVOKE USAGE ON DOMAIN d FROM PUBLIC;

-- case: its check and its default call a function that is another on main, within an array too
-- main
CREATE FUNCTION fits(value text, start text, more integer DEFAULT 1) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT starts_with(value, start)';
CREATE FUNCTION first_one() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 5::bigint';
CREATE DOMAIN name_of AS text CHECK (fits(VALUE, 'n_'));
CREATE DOMAIN counted AS integer DEFAULT first_one();
CREATE TABLE t (id integer PRIMARY KEY, n name_of, all_n name_of[], c counted);
-- standby
CREATE FUNCTION fits(val text, prefix text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT starts_with(val, prefix)';
CREATE FUNCTION first_one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 5';
CREATE DOMAIN name_of AS text CHECK (fits(VALUE, 'n_'));
CREATE DOMAIN counted AS integer DEFAULT first_one();
CREATE TABLE t (id integer PRIMARY KEY, n name_of, all_n name_of[], c counted);
INSERT INTO t VALUES (1, 'n_a', '{n_b,n_c}');
-- keeps
SELECT id, n, all_n, c FROM t;

-- case: of a type that moves to another schema, and of a collation that goes
-- main
CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a', 'b'); CREATE DOMAIN d AS s.e;
CREATE DOMAIN sorted AS text;
CREATE TABLE t (id integer PRIMARY KEY, d d, w sorted);
-- standby
CREATE TYPE e AS ENUM ('a', 'b'); CREATE DOMAIN d AS e;
CREATE COLLATION plain (locale = 'POSIX'); CREATE DOMAIN sorted AS text COLLATE plain;
CREATE TABLE t (id integer PRIMARY KEY, d d, w sorted);
INSERT INTO t VALUES (1, 'b', 'w');
-- keeps
SELECT id, d, w FROM t;
