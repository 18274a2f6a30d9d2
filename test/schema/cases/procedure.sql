-- case: created, replaced with other arguments, dropped
-- main
CREATE PROCEDURE a(x integer, INOUT y text DEFAULT 'x') LANGUAGE plpgsql AS 'BEGIN END';
CREATE PROCEDURE b(x integer) LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN END';
CREATE PROCEDURE c(OUT x integer) LANGUAGE sql AS 'SELECT 1';
COMMENT ON PROCEDURE b(integer) IS 'b';
-- standby
CREATE PROCEDURE b(y integer) LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE PROCEDURE c(INOUT x integer) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE d() LANGUAGE sql AS 'SELECT 1';
