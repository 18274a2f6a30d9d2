-- case: created, changed, dropped
-- both
CREATE TYPE a AS ENUM ('x');
CREATE FUNCTION to_a(integer) RETURNS a LANGUAGE sql IMMUTABLE AS $$ SELECT 'x'::a $$;
CREATE TYPE b AS (n integer);
CREATE FUNCTION to_b(integer) RETURNS b LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1)::b';
CREATE FUNCTION from_b(b) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.n';
CREATE CAST (integer AS b) WITH FUNCTION to_b(integer);
-- main
DROP CAST (integer AS b);
CREATE CAST (integer AS a) WITH FUNCTION to_a(integer);
CREATE CAST (integer AS b) WITH FUNCTION to_b(integer) AS IMPLICIT;
CREATE CAST (text AS b) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS b) IS 'by text';
-- standby
CREATE CAST (b AS integer) WITH FUNCTION from_b(b);

-- case: under a view, dropped with its function
-- both
CREATE TYPE b AS (n integer);
CREATE TABLE t (id integer PRIMARY KEY, a b);
-- main
CREATE VIEW v AS SELECT (a).n AS n FROM t;
-- standby
CREATE FUNCTION from_b(b) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.n';
CREATE CAST (b AS integer) WITH FUNCTION from_b(b);
CREATE VIEW v AS SELECT a::integer AS n FROM t;
INSERT INTO t VALUES (1, '(5)');
-- keeps
SELECT * FROM v;
