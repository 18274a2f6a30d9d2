-- case: columns added at the end, in the middle, removed, renamed, retyped
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- main
CREATE VIEW v1 AS SELECT id, a FROM t;
CREATE VIEW v2 AS SELECT id, b, a FROM t;
CREATE VIEW v3 AS SELECT id FROM t;
CREATE VIEW v4 AS SELECT id AS number, a FROM t;
CREATE VIEW v5 AS SELECT id::bigint AS id FROM t;
-- standby
CREATE VIEW v1 AS SELECT id FROM t;
CREATE VIEW v2 AS SELECT id, a FROM t;
CREATE VIEW v3 AS SELECT id, a FROM t;
CREATE VIEW v4 AS SELECT id, a FROM t;
CREATE VIEW v5 AS SELECT id FROM t;
INSERT INTO t VALUES (1, 'x', 2);
-- keeps
SELECT * FROM t;

-- case: replaced under views and functions that are the same
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE VIEW v AS SELECT a, id FROM t;
CREATE VIEW w AS SELECT id FROM v;
CREATE VIEW x AS SELECT id FROM w;
CREATE FUNCTION f() RETURNS SETOF w LANGUAGE sql AS 'SELECT * FROM w';
CREATE MATERIALIZED VIEW m AS SELECT * FROM x;
CREATE INDEX m_id ON m (id);
GRANT SELECT ON w TO corpus_alice;
COMMENT ON VIEW x IS 'third';
-- standby
CREATE VIEW v AS SELECT id, a FROM t WHERE a <> '';
CREATE VIEW w AS SELECT id FROM v;
CREATE VIEW x AS SELECT id FROM w;
CREATE FUNCTION f() RETURNS SETOF w LANGUAGE sql AS 'SELECT * FROM w';
CREATE MATERIALIZED VIEW m AS SELECT * FROM x;
CREATE INDEX m_id ON m (id);
GRANT SELECT ON w TO corpus_alice;
COMMENT ON VIEW x IS 'third';
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM f();

-- case: only main has it, only the standby has it, with one of main's upon it
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE VIEW new AS SELECT id FROM t;
CREATE VIEW w AS SELECT id FROM new;
-- standby
CREATE VIEW old AS SELECT id FROM t;
CREATE VIEW w AS SELECT id FROM old;
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM w;

-- case: options: check option, security barrier, security invoker
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE VIEW a AS SELECT id FROM t WHERE id > 0;
CREATE VIEW b AS SELECT id FROM t WHERE id > 0 WITH CASCADED CHECK OPTION;
CREATE VIEW c WITH (security_barrier) AS SELECT id FROM t;
CREATE VIEW d AS SELECT id FROM t;
CREATE VIEW e WITH (security_invoker = true) AS SELECT id FROM t;
-- main
ALTER VIEW a SET (check_option = local);
ALTER VIEW b SET (check_option = local);
ALTER VIEW c RESET (security_barrier);
ALTER VIEW d SET (security_invoker = true, security_barrier = true);
-- standby
ALTER VIEW e SET (security_barrier = false);
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;

-- case: recursive, with WITH, window functions, LATERAL
-- both
CREATE TABLE t (id integer PRIMARY KEY, parent integer);
-- main
CREATE RECURSIVE VIEW tree (id, depth) AS SELECT id, 1 FROM t WHERE parent IS NULL UNION ALL SELECT t.id, depth + 1 FROM t JOIN tree ON t.parent = tree.id;
CREATE VIEW v AS WITH c AS (SELECT id, row_number() OVER (PARTITION BY parent ORDER BY id) AS n FROM t) SELECT c.*, l.x FROM c, LATERAL (SELECT c.n * 2 AS x) l;
-- standby
CREATE RECURSIVE VIEW tree (id, depth) AS SELECT id, 0 FROM t WHERE parent IS NULL UNION ALL SELECT t.id, depth + 1 FROM t JOIN tree ON t.parent = tree.id;
INSERT INTO t VALUES (1, NULL), (2, 1);
-- keeps
SELECT * FROM tree ORDER BY id; --> (1,1) (2,2)

-- case: grouped by a primary key, which makes it depend on the constraint
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- main
CREATE VIEW v AS SELECT id, a, count(*) AS n FROM t GROUP BY id;
CREATE VIEW w AS SELECT id, a FROM v;
-- standby
CREATE VIEW v AS SELECT id, a, b, count(*) AS n FROM t GROUP BY id;
CREATE VIEW w AS SELECT id, a FROM v;
INSERT INTO t VALUES (1, 'x', 2);
-- keeps
SELECT * FROM w;

-- case: default of a column, and a comment on one
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE VIEW v AS SELECT id, a FROM t;
ALTER VIEW v ALTER id SET DEFAULT 5;
-- main
ALTER VIEW v ALTER id DROP DEFAULT;
ALTER VIEW v ALTER a SET DEFAULT 'none';
COMMENT ON COLUMN v.a IS 'letters';
-- standby
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM v;

-- case: becomes a table, and a table becomes a view
-- main
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TABLE v (id integer);
CREATE VIEW x AS SELECT id FROM t;
INSERT INTO v VALUES (9);
-- standby
CREATE TABLE t (id integer PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM t;
CREATE TABLE x (id integer);
INSERT INTO t VALUES (1); INSERT INTO x VALUES (5);
-- keeps
SELECT * FROM t;
SELECT * FROM v; --> (9)

-- case: becomes a materialized view, and the other way
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE MATERIALIZED VIEW v AS SELECT id FROM t;
CREATE VIEW m AS SELECT id FROM t;
CREATE VIEW w AS SELECT v.id FROM v JOIN m USING (id);
-- standby
CREATE VIEW v AS SELECT id FROM t;
CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
CREATE INDEX ON m (id);
CREATE VIEW w AS SELECT v.id FROM v JOIN m USING (id);
INSERT INTO t VALUES (1); REFRESH MATERIALIZED VIEW m;
-- keeps
SELECT * FROM w;

-- case: with rules and triggers INSTEAD OF
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (NEW.id); RETURN NEW; END';
-- main
CREATE VIEW v AS SELECT a, id FROM t;
CREATE TRIGGER put INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION put();
CREATE RULE gone AS ON DELETE TO v DO INSTEAD DELETE FROM t WHERE t.id = OLD.id;
-- standby
CREATE VIEW v AS SELECT id, a FROM t;
CREATE TRIGGER put INSTEAD OF INSERT OR UPDATE ON v FOR EACH ROW EXECUTE FUNCTION put();
CREATE RULE gone AS ON DELETE TO v DO INSTEAD NOTHING;
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT id, a FROM v;

-- case: two that refer to each other by their rules
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE VIEW a AS SELECT id FROM t;
CREATE VIEW b AS SELECT id FROM a;
CREATE RULE up AS ON UPDATE TO a DO INSTEAD DELETE FROM b;
-- standby
CREATE VIEW a AS SELECT id FROM t WHERE id > 0;
CREATE VIEW b AS SELECT id FROM a;
CREATE RULE up AS ON UPDATE TO a DO INSTEAD DELETE FROM b WHERE b.id = 3;
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM b;

-- case: of temporary names, casts and collations that the server prints its own way
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, at timestamptz);
-- main
CREATE VIEW v AS SELECT CASE WHEN a ~~ 'x%' THEN a COLLATE "C" ELSE NULL END AS c, at AT TIME ZONE 'UTC' AS u, ARRAY[id, 1] AS r, EXISTS (SELECT FROM t x WHERE x.id = t.id) AS e, extract(year FROM at) AS y FROM t;
-- standby
CREATE VIEW v AS SELECT CASE WHEN a ~~ 'y%' THEN a COLLATE "C" ELSE NULL END AS c, at AT TIME ZONE 'UTC' AS u, ARRAY[id, 1] AS r, EXISTS (SELECT FROM t x WHERE x.id = t.id) AS e, extract(year FROM at) AS y FROM t;
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT c FROM v; --> (x)

-- case: a VALUES list, which is printed another way once it was restored
-- unstable: `FROM (VALUES` is printed as `FROM ( VALUES` after a restore
-- main
CREATE VIEW w (one, two) AS VALUES (1, 'a'), (2, 'b');
CREATE VIEW same (one, two) AS VALUES (1, 'a');
-- standby
CREATE VIEW w (one, two) AS VALUES (1, 'a');
CREATE VIEW same (one, two) AS VALUES (1, 'a');
-- keeps
SELECT * FROM w ORDER BY one; --> (1,a) (2,b)
