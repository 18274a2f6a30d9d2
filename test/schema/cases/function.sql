-- case: body, language, volatility and the rest
-- both
CREATE SCHEMA s;
-- main
CREATE FUNCTION a() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION b() RETURNS integer LANGUAGE plpgsql AS $x$ BEGIN RETURN $$2$$::integer; END $x$;
CREATE FUNCTION c(integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF SECURITY DEFINER COST 7 SET search_path TO 's', 'public' SET work_mem = '5MB' AS 'SELECT $1';
CREATE FUNCTION d() RETURNS SETOF integer LANGUAGE sql ROWS 5 STABLE AS 'SELECT 1';
-- standby
CREATE FUNCTION a() RETURNS integer LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION b() RETURNS integer LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION c(integer) RETURNS integer LANGUAGE sql SET search_path TO 'x' AS 'SELECT $1';
CREATE FUNCTION d() RETURNS SETOF integer LANGUAGE sql ROWS 50 COST 3 AS 'SELECT 1';
-- keeps
SELECT a(), b(), c(5); --> (1,2,5)

-- case: arguments' names, defaults, modes and the return type
-- main
CREATE FUNCTION a(x integer, y integer DEFAULT 5) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION b(x integer, y integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION c(x integer) RETURNS bigint LANGUAGE sql AS 'SELECT $1::bigint';
CREATE FUNCTION d(x integer, OUT y integer, OUT z text) LANGUAGE sql AS $$ SELECT $1, 'z' $$;
CREATE FUNCTION e(VARIADIC x integer[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f() RETURNS TABLE (a integer, b text) LANGUAGE sql AS $$ SELECT 1, 'x' $$;
CREATE FUNCTION g(x integer DEFAULT 1, y text DEFAULT 'q"''\') RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- standby
CREATE FUNCTION a(x integer, y integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION b(a integer, y integer DEFAULT 6) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION c(x integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION d(x integer, OUT y integer) LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION e(x integer[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f() RETURNS TABLE (a integer) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g(x integer DEFAULT 2, y text DEFAULT 'q') RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- keeps
SELECT a(1), c(2), e(1, 2), g(); --> (1,2,1,1)

-- case: overloads, of which one is another, one is missing, one is extra
-- both
CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f(text) RETURNS integer LANGUAGE sql AS 'SELECT 2';
-- main
CREATE OR REPLACE FUNCTION f(text) RETURNS integer LANGUAGE sql AS 'SELECT 3';
CREATE FUNCTION f(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 4';
COMMENT ON FUNCTION f(integer, text) IS 'two';
-- standby
CREATE FUNCTION f(bigint) RETURNS integer LANGUAGE sql AS 'SELECT 5';
GRANT EXECUTE ON FUNCTION f(integer) TO corpus_alice;
-- keeps
SELECT f(1), f('x'), f(1, 'x'); --> (1,3,4)

-- case: dropped and made under a view, a default, an index, a policy and a trigger
-- main
CREATE FUNCTION f(x integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT x::bigint';
CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE t (id integer PRIMARY KEY, a bigint DEFAULT f(1));
CREATE INDEX t_f ON t (f(id));
CREATE VIEW v AS SELECT f(id) AS f FROM t;
CREATE POLICY p ON t USING (f(id) > 0);
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW WHEN (f(NEW.id) > 0) EXECUTE FUNCTION tr();
-- standby
CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x';
CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE t (id integer PRIMARY KEY, a bigint DEFAULT f(1));
CREATE INDEX t_f ON t (f(id));
CREATE VIEW v AS SELECT f(id) AS f FROM t;
CREATE POLICY p ON t USING (f(id) > 0);
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW WHEN (f(NEW.id) > 0) EXECUTE FUNCTION tr();
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: SQL-standard bodies, which depend on what they name
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer);
-- main
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(a) FROM v; END;
CREATE FUNCTION g(x integer) RETURNS integer LANGUAGE sql RETURN x + 1;
CREATE PROCEDURE h(x integer) LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (x, g(x)); DELETE FROM t WHERE id = 0; END;
-- standby
CREATE FUNCTION g(x integer) RETURNS integer LANGUAGE sql RETURN x + 2;
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; END;
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT f(), g(1); --> (1,2)

-- case: recursive, and two that call each other
-- main
CREATE FUNCTION fac(n integer) RETURNS integer LANGUAGE sql AS 'SELECT CASE WHEN n < 2 THEN 1 ELSE n * fac(n - 1) END';
CREATE FUNCTION odd(n integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN n <> 0 AND even(n - 1); END';
CREATE FUNCTION even(n integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN n = 0 OR odd(n - 1); END';
-- standby
CREATE FUNCTION odd(n integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN false; END';
-- keeps
SELECT fac(5), odd(3); --> (120,t)

-- case: bodies that look like something else
-- main
CREATE FUNCTION a() RETURNS text LANGUAGE sql AS $body$ SELECT $$;'--$$ /* ; */ -- '
$body$;
CREATE FUNCTION b() RETURNS text LANGUAGE sql AS E'SELECT ''it''''s \\\\ a $$ quote'';\n\n';
CREATE FUNCTION c() RETURNS text LANGUAGE sql AS E'SELECT 1::text -- ünïcödé 列 \t tab\r\n';
-- standby
CREATE FUNCTION a() RETURNS text LANGUAGE sql AS 'SELECT 1::text';
-- keeps
SELECT c(); --> (1)

-- case: depends on a table's row type, and the table on it
-- main
CREATE TABLE t (id integer PRIMARY KEY, a bigint);
CREATE FUNCTION f(t) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a > 0';
ALTER TABLE t ADD CHECK (f(t));
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer);
CREATE FUNCTION f(t) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a > 0';
ALTER TABLE t ADD CHECK (f(t));
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT * FROM t;

-- case: becomes a procedure, an aggregate, a window function
-- both
CREATE FUNCTION step(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + $2';
-- main
CREATE PROCEDURE a(x integer) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE b(integer) (SFUNC = step, STYPE = integer);
CREATE FUNCTION c(x integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION d(integer) RETURNS integer LANGUAGE sql AS 'SELECT 2';
-- standby
CREATE FUNCTION a(x integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION b(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE c(x integer) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE d(integer) (SFUNC = step, STYPE = integer);
-- keeps
SELECT c(1), d(1); --> (1,2)

-- case: in C and internal
-- main
CREATE FUNCTION a(text) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'textlen';
CREATE FUNCTION b() RETURNS trigger LANGUAGE c AS '$libdir/refint', 'check_primary_key';
-- standby
CREATE FUNCTION a(text) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'textoctetlen';
CREATE FUNCTION b() RETURNS trigger LANGUAGE c AS '$libdir/refint', 'check_foreign_key';
-- keeps
SELECT a('ä'); --> (1)

-- case: grants, owner and comment
-- both
CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- main
REVOKE ALL ON FUNCTION f(integer) FROM PUBLIC; GRANT EXECUTE ON FUNCTION f(integer) TO corpus_alice WITH GRANT OPTION;
ALTER FUNCTION f(integer) OWNER TO corpus_bob;
COMMENT ON FUNCTION f(integer) IS 'one';
-- standby
REVOKE ALL ON FUNCTION g(integer) FROM PUBLIC; COMMENT ON FUNCTION g(integer) IS 'gone';

-- case: support function and transform-free attributes of plpgsql's sort
-- main
CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql SET plpgsql.variable_conflict = 'use_column' CALLED ON NULL INPUT PARALLEL RESTRICTED AS 'BEGIN RETURN 1; END';
-- standby
CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
-- keeps
SELECT f();
