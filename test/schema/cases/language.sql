-- pgdump only: languages and transforms
-- case: created, changed, dropped
-- both
CREATE FUNCTION handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION inliner(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION validator(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
-- main
CREATE LANGUAGE one HANDLER handler INLINE inliner VALIDATOR validator;
CREATE TRUSTED LANGUAGE two HANDLER handler;
GRANT USAGE ON LANGUAGE two TO corpus_alice;
COMMENT ON LANGUAGE one IS 'one';
CREATE FUNCTION f() RETURNS integer LANGUAGE two AS 'BEGIN RETURN 1; END';
-- standby
CREATE LANGUAGE two HANDLER handler;
CREATE LANGUAGE three HANDLER handler;
CREATE FUNCTION f() RETURNS integer LANGUAGE three AS 'BEGIN RETURN 2; END';
-- keeps
SELECT f(); --> (1)

-- case: transforms created, changed, dropped
-- both
CREATE TYPE a AS ENUM ('x'); CREATE TYPE b AS ENUM ('x'); CREATE TYPE c AS ENUM ('x');
-- main
CREATE TRANSFORM FOR integer LANGUAGE plpgsql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE TRANSFORM FOR smallint LANGUAGE plpgsql (TO SQL WITH FUNCTION int2recv(internal));
-- standby
CREATE TRANSFORM FOR smallint LANGUAGE plpgsql (FROM SQL WITH FUNCTION prsd_lextype(internal));
CREATE TRANSFORM FOR bigint LANGUAGE plpgsql (TO SQL WITH FUNCTION int8recv(internal));
