-- case: created, changed, dropped
-- both
CREATE TABLE t (a integer, b integer, c text);
CREATE STATISTICS s1 (dependencies) ON a, b FROM t;
CREATE STATISTICS s2 ON a, b FROM t;
-- main
DROP STATISTICS s1;
CREATE STATISTICS s1 (ndistinct, mcv) ON a, b, c FROM t;
ALTER STATISTICS s2 SET STATISTICS 77;
CREATE SCHEMA s;
CREATE STATISTICS s.s3 ON (a + b) FROM t;
CREATE STATISTICS s4 (ndistinct) ON lower(c), a FROM t;
COMMENT ON STATISTICS s4 IS 'four';
ALTER STATISTICS s4 OWNER TO corpus_alice;
-- standby
CREATE STATISTICS s5 ON b, c FROM t;
INSERT INTO t VALUES (1, 2, 'x');
-- keeps
SELECT * FROM t;
