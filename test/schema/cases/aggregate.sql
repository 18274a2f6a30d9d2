-- case: created, changed, dropped, of every sort
-- both
CREATE FUNCTION step(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, 0) + $2';
CREATE FUNCTION fin(integer) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
-- main
CREATE AGGREGATE a(integer) (SFUNC = step, STYPE = integer, INITCOND = '0', FINALFUNC = fin, PARALLEL = safe, COMBINEFUNC = step);
CREATE AGGREGATE b(integer) (SFUNC = step, STYPE = integer, INITCOND = '5');
CREATE AGGREGATE m(integer) (SFUNC = step, STYPE = integer, MSFUNC = step, MINVFUNC = step, MSTYPE = integer, SSPACE = 100);
CREATE AGGREGATE o(double precision ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE n(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE least_of(integer) (SFUNC = int4smaller, STYPE = integer, SORTOP = <);
COMMENT ON AGGREGATE a(integer) IS 'a';
-- standby
CREATE AGGREGATE b(integer) (SFUNC = step, STYPE = integer, INITCOND = '0');
CREATE AGGREGATE c(integer) (SFUNC = step, STYPE = integer);
CREATE TABLE t (x integer);
INSERT INTO t VALUES (1);
-- keeps
SELECT a(x), b(x), n(*) FROM (VALUES (1), (2)) q (x); --> (3,8,2)

-- case: changed under a view
-- both
CREATE TABLE t (x integer);
-- main
CREATE FUNCTION step(bigint, integer) RETURNS bigint LANGUAGE sql AS 'SELECT $1 + $2';
CREATE AGGREGATE total(integer) (SFUNC = step, STYPE = bigint, INITCOND = '0');
CREATE VIEW v AS SELECT total(x) AS total FROM t;
-- standby
CREATE FUNCTION step(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + $2';
CREATE AGGREGATE total(integer) (SFUNC = step, STYPE = integer, INITCOND = '0');
CREATE VIEW v AS SELECT total(x) AS total FROM t;
INSERT INTO t VALUES (1), (2);
-- keeps
SELECT * FROM v;

-- case: its step function changes the type it takes by name only
-- main
CREATE FUNCTION step(a integer, b integer) RETURNS integer LANGUAGE sql AS 'SELECT a + b';
CREATE AGGREGATE total(integer) (SFUNC = step, STYPE = integer, INITCOND = '0');
-- standby
CREATE FUNCTION step(x integer, y integer) RETURNS integer LANGUAGE sql AS 'SELECT x + y';
CREATE AGGREGATE total(integer) (SFUNC = step, STYPE = integer, INITCOND = '0');
-- keeps
SELECT total(x) FROM (VALUES (1), (2)) q (x);
