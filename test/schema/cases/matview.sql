-- case: its query, with indexes, statistics, grants and comments
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE MATERIALIZED VIEW m AS SELECT id, a, id + 1 AS n FROM t;
CREATE UNIQUE INDEX m_id ON m (id);
CREATE STATISTICS m_s ON id, a FROM m;
GRANT SELECT ON m TO corpus_alice;
COMMENT ON MATERIALIZED VIEW m IS 'm';
COMMENT ON COLUMN m.a IS 'a';
-- standby
CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t;
CREATE UNIQUE INDEX m_id ON m (id);
CREATE STATISTICS m_s ON id, a FROM m;
GRANT SELECT ON m TO corpus_alice;
COMMENT ON MATERIALIZED VIEW m IS 'm';
COMMENT ON COLUMN m.a IS 'a';
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM m; --> (1,x,2)

-- case: over another one, over a view
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE VIEW v AS SELECT id::bigint AS id FROM t;
CREATE MATERIALIZED VIEW m1 AS SELECT id FROM v;
CREATE MATERIALIZED VIEW m2 AS SELECT max(id) AS top FROM m1;
CREATE INDEX m2_top ON m2 (top);
-- standby
CREATE VIEW v AS SELECT id FROM t;
CREATE MATERIALIZED VIEW m1 AS SELECT id FROM v;
CREATE MATERIALIZED VIEW m2 AS SELECT max(id) AS top FROM m1;
CREATE INDEX m2_top ON m2 (top);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM m2; --> (1)

-- case: options, columns' settings and its indexes alone
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t;
CREATE INDEX m_a ON m (a);
-- main
ALTER MATERIALIZED VIEW m SET (fillfactor = 70);
ALTER MATERIALIZED VIEW m ALTER a SET STATISTICS 50;
ALTER MATERIALIZED VIEW m ALTER a SET STORAGE EXTERNAL;
DROP INDEX m_a; CREATE INDEX m_a ON m (a DESC);
ALTER MATERIALIZED VIEW m CLUSTER ON m_a;
ALTER MATERIALIZED VIEW m OWNER TO corpus_bob;
GRANT SELECT ON t TO corpus_bob;
-- standby
GRANT SELECT ON t TO corpus_bob;
INSERT INTO t VALUES (1, 'x'); REFRESH MATERIALIZED VIEW m;
-- keeps
SELECT * FROM m;

-- case: not populated on main
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE MATERIALIZED VIEW m AS SELECT id FROM t WITH NO DATA;
CREATE INDEX m_id ON m (id);
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;

-- case: only the standby has it
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- standby
CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
CREATE UNIQUE INDEX ON m (id);
CREATE VIEW over_m AS SELECT * FROM m;
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t;
