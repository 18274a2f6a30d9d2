/** What hangs together over many objects, each chain with rows that must survive. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prove } from './corpus.js'
import { parseCases } from './corpuscases.js'
import { type Cluster, createCasePair, createCluster } from './corpuspair.js'

let cluster: Cluster
beforeAll(async () => {
  cluster = await createCluster()
})
afterAll(() => cluster.drop())

/** Main and the standby have the same but for what `{main|standby}` tells apart. */
function drifted(name: string, ddl: string, rows: string, keeps: string): string {
  const side = (which: 1 | 2) =>
    ddl.replace(/\{([^{}|]*)\|([^{}|]*)\}/g, (_, ...both: string[]) => both[which - 1]!)
  return `-- case: ${name}\n-- main\n${side(1)}\n-- standby\n${side(2)}\n${rows}\n-- keeps\n${keeps}\n`
}

const dependents = drifted(
  'a view over a view over a materialized view over a retyped column',
  `CREATE TABLE t (id integer PRIMARY KEY, n {bigint|integer} NOT NULL, a text);
  CREATE INDEX t_n ON t (n);
  COMMENT ON INDEX t_n IS 'index of the table';
  COMMENT ON COLUMN t.n IS 'number';
  GRANT SELECT (n) ON t TO corpus_alice;
  CREATE MATERIALIZED VIEW m AS SELECT n, count(*) AS times FROM t GROUP BY n;
  CREATE UNIQUE INDEX m_n ON m (n);
  CREATE INDEX m_times ON m (times DESC) WHERE n > 0;
  COMMENT ON MATERIALIZED VIEW m IS 'counted';
  COMMENT ON COLUMN m.n IS 'of m';
  COMMENT ON INDEX m_times IS 'most first';
  GRANT SELECT ON m TO corpus_alice;
  CREATE VIEW v AS SELECT n, times FROM m WHERE n > 0;
  COMMENT ON VIEW v IS 'view';
  GRANT SELECT ON v TO corpus_bob WITH GRANT OPTION;
  ALTER VIEW v ALTER COLUMN n SET DEFAULT 7;
  CREATE VIEW w WITH (security_barrier = true) AS SELECT n * 2 AS twice, times FROM v;
  COMMENT ON VIEW w IS 'view over view';
  COMMENT ON COLUMN w.twice IS 'doubled';
  GRANT SELECT (twice) ON w TO corpus_carol;
  CREATE FUNCTION from_w() RETURNS SETOF w LANGUAGE sql AS 'SELECT * FROM w';
  GRANT EXECUTE ON FUNCTION from_w() TO corpus_carol;`,
  `INSERT INTO t SELECT n, n % 7, 'row ' || n FROM generate_series(1, 500) n;
  REFRESH MATERIALIZED VIEW m;`,
  `SELECT id, n, a FROM t ORDER BY id;
SELECT * FROM w ORDER BY twice;
SELECT * FROM from_w() ORDER BY twice;`
)

const enumValue = drifted(
  'an enum value removed under a default, a partial index, a check and an argument of a function',
  `CREATE TYPE state AS ENUM ('new',{| 'odd',} 'done');
  COMMENT ON TYPE state IS 'states';
  GRANT USAGE ON TYPE state TO corpus_alice;
  CREATE TABLE t (id integer PRIMARY KEY, s state DEFAULT 'new' NOT NULL, past state[] DEFAULT ARRAY['new'::state]);
  ALTER TABLE t ADD CONSTRAINT not_done CHECK (s <> 'done' OR id > 10);
  CREATE INDEX t_new ON t (id) WHERE s = 'new';
  CREATE INDEX t_s ON t (s);
  CREATE FUNCTION of_state(s state DEFAULT 'new', VARIADIC more state[] DEFAULT '{}') RETURNS bigint LANGUAGE sql STABLE
    AS 'SELECT count(*) FROM public.t WHERE t.s = $1';
  COMMENT ON FUNCTION of_state(state, state[]) IS 'how many';
  CREATE VIEW v AS SELECT id, s, of_state(s) AS like_it FROM t WHERE s >= 'new';
  GRANT SELECT ON v TO corpus_bob;
  CREATE TABLE log (id integer, s state);`,
  `INSERT INTO t SELECT n, CASE WHEN n > 10 THEN 'done' ELSE 'new' END::state, ARRAY['new', 'done']::state[] FROM generate_series(1, 30) n;`,
  `SELECT * FROM t ORDER BY id;
SELECT * FROM v ORDER BY id;`
)

const partitions = drifted(
  'a partitioned table of three levels whose key type widens',
  `CREATE TABLE t (id {bigint|integer} NOT NULL, k {bigint|integer} NOT NULL, region text NOT NULL, a text, PRIMARY KEY (id, k, region)) PARTITION BY RANGE (k);
  CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (100) PARTITION BY LIST (region);
  CREATE TABLE t_low_eu PARTITION OF t_low FOR VALUES IN ('eu') PARTITION BY HASH (id);
  CREATE TABLE t_low_eu_0 PARTITION OF t_low_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE t_low_eu_1 PARTITION OF t_low_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  CREATE TABLE t_low_rest PARTITION OF t_low DEFAULT;
  CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (100) TO (MAXVALUE) WITH (fillfactor = 90);
  CREATE INDEX t_a ON t (a, k);
  CREATE INDEX t_high_only ON t_high (lower(a));
  CREATE TABLE child (id {bigint|integer}, k {bigint|integer}, region text, FOREIGN KEY (id, k, region) REFERENCES t ON DELETE CASCADE);
  CREATE VIEW v AS SELECT region, sum(k) AS k FROM t GROUP BY region;
  GRANT SELECT ON t TO corpus_alice; GRANT SELECT ON t_high TO corpus_bob;
  COMMENT ON TABLE t_low_eu_1 IS 'odd ones';`,
  `INSERT INTO t SELECT n, n, CASE WHEN n % 3 = 0 THEN 'us' ELSE 'eu' END, 'row ' || n FROM generate_series(1, 300) n;
  INSERT INTO child SELECT id, k, region FROM t WHERE id % 10 = 0;`,
  `SELECT * FROM t ORDER BY id;
SELECT * FROM child ORDER BY id;
SELECT * FROM v ORDER BY region;`
)

const generated = drifted(
  'a generated column over a retyped one',
  `CREATE FUNCTION half(x {numeric|integer}) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT x / 2.0';
  CREATE TABLE t (id integer PRIMARY KEY, price {numeric(12, 2)|integer} NOT NULL, half numeric GENERATED ALWAYS AS (half(price)) STORED,
    label text GENERATED ALWAYS AS ('costs ' || price::text) STORED, tail text);
  CREATE INDEX t_half ON t (half) INCLUDE (label);
  ALTER TABLE t ADD CONSTRAINT cheap CHECK (half < 10000);
  COMMENT ON COLUMN t.half IS 'half';
  GRANT SELECT (half, label) ON t TO corpus_alice;
  CREATE VIEW v AS SELECT id, half, label FROM t;`,
  `INSERT INTO t (id, price, tail) SELECT n, n * 10, 'tail ' || n FROM generate_series(1, 200) n;`,
  `SELECT id, price::integer, half::integer, tail FROM t ORDER BY id;
SELECT label FROM v WHERE id = 5; --> ("costs 50.00")`
)

const foreignKeys = drifted(
  'foreign keys both ways',
  `CREATE TABLE author (id {bigint|integer} PRIMARY KEY, name text, best {bigint|integer}, mentor {bigint|integer} REFERENCES author ON DELETE SET NULL);
  CREATE TABLE book (id {bigint|integer} PRIMARY KEY, author {bigint|integer} NOT NULL REFERENCES author, title text, UNIQUE (author, id));
  ALTER TABLE author ADD CONSTRAINT author_best FOREIGN KEY (id, best) REFERENCES book (author, id) DEFERRABLE INITIALLY DEFERRED;
  COMMENT ON CONSTRAINT author_best ON author IS 'closes the circle';
  CREATE TABLE review (book {bigint|integer} REFERENCES book ON UPDATE CASCADE, author {bigint|integer}, PRIMARY KEY (book, author));
  ALTER TABLE review ADD CONSTRAINT reviewer FOREIGN KEY (author) REFERENCES author NOT VALID;
  CREATE VIEW best AS SELECT a.name, b.title FROM author a JOIN book b ON b.id = a.best;`,
  `INSERT INTO author SELECT n, 'author ' || n, NULL, NULLIF(n / 2, 0) FROM generate_series(1, 50) n;
  INSERT INTO book SELECT n, 1 + n % 50, 'book ' || n FROM generate_series(1, 200) n;
  UPDATE author SET best = (SELECT max(id) FROM book WHERE author = author.id) WHERE id % 2 = 0;
  INSERT INTO review SELECT n, 1 + n % 7 FROM generate_series(1, 200) n;`,
  `SELECT * FROM author ORDER BY id;
SELECT * FROM book ORDER BY id;
SELECT * FROM review ORDER BY book;
SELECT * FROM best ORDER BY name;`
)

const types = drifted(
  'a type used in an array, in a composite type and in a domain',
  `CREATE TYPE unit AS ENUM ('kg',{ 'lb'| 'stone'}, 'g');
  CREATE TYPE amount AS (n {numeric|integer}, unit unit);
  CREATE DOMAIN heavy AS amount CHECK ((VALUE).n > 0);
  CREATE DOMAIN units AS unit[] DEFAULT '{kg}';
  CREATE TYPE span AS RANGE (subtype = {bigint|integer});
  CREATE TABLE t (id integer PRIMARY KEY, a amount, l amount[], h heavy, u units, s span, tail text);
  CREATE FUNCTION grams(a amount) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT CASE a.unit WHEN ''g'' THEN a.n ELSE a.n * 1000 END';
  CREATE INDEX t_g ON t (grams(a));
  CREATE VIEW v AS SELECT id, (a).n, (h).unit, u[1] AS first, grams(a) AS g FROM t;
  GRANT SELECT ON v TO corpus_alice;
  GRANT USAGE ON TYPE amount TO corpus_bob;
  COMMENT ON COLUMN amount.n IS 'how many';`,
  `INSERT INTO t VALUES (1, '(5,kg)', ARRAY['(6,g)', '(7,kg)']::amount[], '(8,g)', '{g,kg}', '[1,9)', 'x'), (2, NULL, '{}', NULL, DEFAULT, 'empty', 'y');`,
  `SELECT * FROM t ORDER BY id;
SELECT * FROM v ORDER BY id;`
)

const columnOrder = `
-- case: column order, under all that a table can have
-- both
CREATE TYPE kind AS ENUM ('a', 'b');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- main
CREATE TABLE t (note text COLLATE "C", id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, k kind DEFAULT 'b', extra jsonb, twice integer GENERATED ALWAYS AS (n * 2) STORED, n integer NOT NULL);
__
-- standby
CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n integer NOT NULL, twice integer GENERATED ALWAYS AS (n * 2) STORED, k kind DEFAULT 'b', gone text, note text COLLATE "C");
__
INSERT INTO t (n, k, note) SELECT n, 'a', 'note ' || n FROM generate_series(1, 1000) n;
INSERT INTO other SELECT id FROM t WHERE id % 5 = 0;
-- keeps
SELECT id, n, twice, k, note FROM t ORDER BY id;
SELECT * FROM other ORDER BY t;
SELECT * FROM v ORDER BY id;
SELECT last_value, is_called FROM t_id_seq;
`.replaceAll(
  /^__$/gm,
  () => `CREATE UNIQUE INDEX t_n ON t (n) INCLUDE (note);
CREATE INDEX t_p ON t (lower(note)) WHERE k = 'a';
ALTER TABLE t ADD CONSTRAINT t_c CHECK (n > 0);
ALTER TABLE t REPLICA IDENTITY USING INDEX t_n;
ALTER TABLE t CLUSTER ON t_n;
ALTER TABLE t SET (fillfactor = 80);
ALTER TABLE t ALTER note SET STATISTICS 300, ALTER note SET STORAGE EXTERNAL;
CREATE TABLE other (t bigint REFERENCES t ON DELETE CASCADE);
CREATE TABLE heir () INHERITS (other);
CREATE VIEW v AS SELECT id, n, note FROM t WHERE k = 'a';
CREATE MATERIALIZED VIEW m AS SELECT k, count(*) FROM t GROUP BY k;
CREATE UNIQUE INDEX m_k ON m (k);
CREATE FUNCTION notes(t) RETURNS text LANGUAGE sql AS 'SELECT $1.note';
CREATE TRIGGER touch BEFORE UPDATE OF n ON t FOR EACH ROW WHEN (OLD.n <> NEW.n) EXECUTE FUNCTION touch();
ALTER TABLE t DISABLE TRIGGER touch;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON t FOR SELECT TO corpus_alice USING (note <> '');
CREATE STATISTICS t_s ON n, k FROM t;
CREATE PUBLICATION p FOR TABLE t (id, n, note);
COMMENT ON TABLE t IS 'table'; COMMENT ON COLUMN t.note IS 'note'; COMMENT ON CONSTRAINT t_c ON t IS 'check'; COMMENT ON TRIGGER touch ON t IS 'trigger';
GRANT SELECT ON t TO corpus_alice; GRANT UPDATE (note) ON t TO corpus_bob WITH GRANT OPTION; GRANT USAGE ON SEQUENCE t_id_seq TO corpus_bob;`
)

const plain = `CREATE TABLE t (id integer, at date NOT NULL, n bigint, a text DEFAULT 'x', PRIMARY KEY (id, at)) WITH (fillfactor = 100);`
const partitioned = `CREATE TABLE t (id integer, at date NOT NULL, n bigint, a text DEFAULT 'x', PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE t_2023 PARTITION OF t FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE t_2024 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE t_rest PARTITION OF t DEFAULT;`
const around = `CREATE INDEX t_n ON t (n);
CREATE TABLE child (id integer, at date, FOREIGN KEY (id, at) REFERENCES t);
CREATE VIEW v AS SELECT extract(year FROM at) AS year, count(*) AS rows, sum(n) AS n FROM t GROUP BY 1;
GRANT SELECT ON t TO corpus_alice;
COMMENT ON TABLE t IS 'many rows';`
const manyRows = `INSERT INTO t SELECT n, date '2023-01-01' + n % 1000, n::bigint * n, 'row ' || n FROM generate_series(1, 100000) n;
INSERT INTO child SELECT id, at FROM t WHERE id % 1000 = 0;
-- keeps
SELECT count(*), sum(id), sum(n), md5(string_agg(concat_ws('|', id, at, n, a), ',' ORDER BY id)) FROM t;
SELECT * FROM v ORDER BY year;
SELECT count(*) FROM child;
`
const shapes = `
-- case: plain to partitioned with 100,000 rows
-- main
${partitioned}
${around}
-- standby
${plain}
${around}
${manyRows}
-- case: partitioned to plain with 100,000 rows
-- main
${plain}
${around}
-- standby
${partitioned}
${around}
${manyRows}`

const chains = [
  dependents,
  enumValue,
  partitions,
  generated,
  foreignKeys,
  types,
  columnOrder,
  shapes
].flatMap(text => parseCases('chain', text))

describe.each(['pgdump', 'catalog'] as const)('by %s', method => {
  it.each(chains.map(each => [each.title, each] as const))('%s', async (_, each) => {
    const pair = await createCasePair(each, cluster)
    try {
      expect(each.keeps.length).toBeGreaterThan(0)
      await prove(each, pair, method)
    } finally {
      await pair.drop()
    }
  })
})
