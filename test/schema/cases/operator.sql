-- pgdump only: operators
-- case: created, changed, dropped
-- both
CREATE TYPE p AS (x integer);
CREATE FUNCTION eq(p, p) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x = $2.x';
CREATE FUNCTION ne(p, p) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x <> $2.x';
CREATE FUNCTION neg(p) RETURNS p LANGUAGE sql IMMUTABLE AS 'SELECT ROW(-$1.x)::p';
-- main
CREATE OPERATOR === (FUNCTION = eq, LEFTARG = p, RIGHTARG = p, COMMUTATOR = ===, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR !== (FUNCTION = ne, LEFTARG = p, RIGHTARG = p, NEGATOR = ===);
CREATE OPERATOR !! (FUNCTION = neg, RIGHTARG = p);
COMMENT ON OPERATOR !! (NONE, p) IS 'prefix';
-- standby
CREATE OPERATOR === (FUNCTION = eq, LEFTARG = p, RIGHTARG = p);
CREATE OPERATOR ~~~ (FUNCTION = eq, LEFTARG = p, RIGHTARG = p);
CREATE TABLE t (a p);
INSERT INTO t VALUES ('(1)');
-- keeps
SELECT ROW(1)::p === ROW(1)::p; --> (t)

-- case: its function takes another type, under a view and an index
-- main
CREATE FUNCTION plus(integer, integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT ($1 + $2)::bigint';
CREATE OPERATOR <+> (FUNCTION = plus, LEFTARG = integer, RIGHTARG = integer);
CREATE TABLE t (id integer PRIMARY KEY);
CREATE VIEW v AS SELECT id <+> 1 AS n FROM t;
CREATE INDEX i ON t ((id <+> 1));
-- standby
CREATE FUNCTION plus(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE OPERATOR <+> (FUNCTION = plus, LEFTARG = integer, RIGHTARG = integer);
CREATE TABLE t (id integer PRIMARY KEY);
CREATE VIEW v AS SELECT id <+> 1 AS n FROM t;
CREATE INDEX i ON t ((id <+> 1));
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM v;

-- case: classes and families created, changed, dropped
-- both
CREATE FUNCTION cmp(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
CREATE OPERATOR FAMILY fam USING btree;
-- main
CREATE OPERATOR CLASS c1 FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 cmp(integer, integer);
CREATE OPERATOR CLASS c2 FOR TYPE integer USING hash AS OPERATOR 1 =, FUNCTION 1 hashint4(integer);
ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 < (integer, bigint), FUNCTION 1 btint48cmp(integer, bigint);
COMMENT ON OPERATOR CLASS c1 USING btree IS 'own';
CREATE TABLE t (id integer, a text);
CREATE INDEX i ON t (id c1);
-- standby
CREATE OPERATOR CLASS c1 FOR TYPE integer USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
CREATE OPERATOR CLASS c3 FOR TYPE integer USING btree FAMILY fam AS OPERATOR 3 =, FUNCTION 1 cmp(integer, integer);
CREATE OPERATOR FAMILY gone USING hash;
CREATE TABLE t (id integer, a text);
CREATE INDEX i ON t (id c1);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;
