-- case: created, changed, disabled, dropped
-- both
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER a ON ddl_command_end EXECUTE FUNCTION f();
CREATE EVENT TRIGGER b ON ddl_command_end EXECUTE FUNCTION f();
-- main
DROP EVENT TRIGGER a;
CREATE EVENT TRIGGER a ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION f();
ALTER EVENT TRIGGER b DISABLE;
CREATE EVENT TRIGGER c ON sql_drop EXECUTE FUNCTION f();
ALTER EVENT TRIGGER c ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER c IS 'drops';
-- standby
CREATE EVENT TRIGGER d ON table_rewrite EXECUTE FUNCTION f();

-- case: its function is another
-- both
CREATE TABLE t (id integer);
-- main
CREATE SCHEMA s;
CREATE FUNCTION s.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER a ON ddl_command_end EXECUTE FUNCTION s.f();
-- standby
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER a ON ddl_command_end EXECUTE FUNCTION f();
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;
