/**
 * The drift cases: tables that both sides have, what has happened on the standby, and what exactly a diff must count.
 * Each is run diff → sync → diff → psql's own digest of both sides (drift.test.ts).
 */
import type { SyncOptions } from '../../src/index.js'

export interface DriftCase {
  name: string
  /** Tables and rows, on both sides. */
  ddl: string
  /** On the standby alone. */
  drift: string
  /** On main alone. */
  main?: string
  /** Table (in public, unless it says otherwise) → inserts, updates, deletes. Tables not named are identical. */
  expect: Record<string, [inserts: number, updates: number, deletes: number]>
  options?: Partial<SyncOptions>
}

const numbers = (n: number) => `FROM generate_series(1, ${n}) n`

export const driftCases: DriftCase[] = [
  {
    name: 'bigint key: inserted, changed and removed rows in several chunks',
    ddl: `CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n ${numbers(5000)}`,
    drift: `UPDATE t SET v = 'x' WHERE id % 1000 = 1; DELETE FROM t WHERE id BETWEEN 2000 AND 2009; INSERT INTO t VALUES (-5, 'low'), (99999, 'high')`,
    expect: { t: [10, 4, 2] },
    options: { chunkSize: 500 }
  },
  {
    name: 'identical tables',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' ${numbers(100)}`,
    drift: '',
    expect: {}
  },
  {
    name: 'composite key of different types, compared as rows',
    ddl: `CREATE TABLE t (a int, b uuid, c date, v int, PRIMARY KEY (a, b, c));
      INSERT INTO t SELECT n % 7, md5(n::text)::uuid, date '2020-01-01' + n, n ${numbers(3000)}`,
    drift: `DELETE FROM t WHERE v % 100 = 3; UPDATE t SET v = -v WHERE v % 100 = 4; INSERT INTO t VALUES (3, '00000000-0000-0000-0000-000000000000', '1999-01-01', 0)`,
    expect: { t: [30, 30, 1] },
    options: { chunkSize: 100 }
  },
  {
    name: 'key over an enum, and one over a domain of it, which has no operators and is no key',
    ddl: `CREATE TYPE mood AS ENUM ('low', 'high'); CREATE DOMAIN felt AS mood CHECK (VALUE IS NOT NULL);
      CREATE TABLE t (id int, m mood, v int, PRIMARY KEY (id, m)); INSERT INTO t SELECT n, 'low', n ${numbers(50)};
      CREATE TABLE d (id int, m felt, v int, PRIMARY KEY (id, m)); INSERT INTO d SELECT n, 'low', n ${numbers(50)}`,
    drift: `UPDATE t SET v = 0 WHERE id = 3; DELETE FROM t WHERE id = 4; UPDATE t SET m = 'high' WHERE id = 5;
      UPDATE d SET v = 0 WHERE id = 3; DELETE FROM d WHERE id = 4; UPDATE d SET m = 'high' WHERE id = 5`,
    expect: { t: [2, 1, 1], d: [3, 0, 2] }
  },
  {
    name: 'text key under the C collation',
    ddl: `CREATE TABLE t (k text COLLATE "C" PRIMARY KEY, v int); INSERT INTO t SELECT 'K' || md5(n::text), n ${numbers(2000)}`,
    drift: `UPDATE t SET v = 0 WHERE v % 200 = 0; DELETE FROM t WHERE v = 17; INSERT INTO t VALUES ('', 1), ('ÿ', 2)`,
    expect: { t: [1, 10, 2] },
    options: { chunkSize: 100 }
  },
  {
    name: 'text key under an ICU collation',
    ddl: `CREATE TABLE t (k text COLLATE "de-x-icu" PRIMARY KEY, v int); INSERT INTO t SELECT 'ä' || n || 'Z', n ${numbers(1000)}`,
    drift: `UPDATE t SET v = 0 WHERE v % 100 = 0; INSERT INTO t VALUES ('Äb', 1)`,
    expect: { t: [0, 10, 1] },
    options: { chunkSize: 100 }
  },
  {
    name: 'text key whose collations the two servers name differently: buckets',
    ddl: `SELECT 1`,
    main: `CREATE TABLE t (k text COLLATE "de-x-icu" PRIMARY KEY, v int); INSERT INTO t SELECT 'ä' || n, n ${numbers(3000)}`,
    drift: `CREATE TABLE t (k text COLLATE "sv-x-icu" PRIMARY KEY, v int); INSERT INTO t SELECT 'ä' || n, n ${numbers(3000)};
      UPDATE t SET v = 0 WHERE v % 100 = 0; DELETE FROM t WHERE v = 5; INSERT INTO t VALUES ('z''"\\', 1)`,
    expect: { t: [1, 30, 1] },
    options: { chunkSize: 100, syncSchema: false }
  },
  {
    name: 'uuid key',
    ddl: `CREATE TABLE t (id uuid PRIMARY KEY, v int); INSERT INTO t SELECT md5(n::text)::uuid, n ${numbers(2000)}`,
    drift: `UPDATE t SET v = v + 1 WHERE v <= 20; DELETE FROM t WHERE v > 1990`,
    expect: { t: [10, 20, 0] },
    options: { chunkSize: 64 }
  },
  {
    name: 'sparse key, with the greatest and the least bigint',
    ddl: `CREATE TABLE t (id bigint PRIMARY KEY, v int); INSERT INTO t SELECT n * 1000000007::bigint, n ${numbers(1000)};
      INSERT INTO t VALUES (9223372036854775807, 1), (-9223372036854775808, 2)`,
    drift: `UPDATE t SET v = 0 WHERE id IN (9223372036854775807, -9223372036854775808); DELETE FROM t WHERE v = 3`,
    expect: { t: [1, 2, 0] },
    options: { chunkSize: 10 }
  },
  {
    name: 'no key: copies are counted',
    ddl: `CREATE TABLE t (a int, b text); INSERT INTO t SELECT n % 10, 'x' ${numbers(1000)}; INSERT INTO t VALUES (NULL, NULL), (NULL, NULL)`,
    drift: `DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = 3 LIMIT 7); INSERT INTO t SELECT 4, 'x' ${numbers(5)}; INSERT INTO t VALUES (NULL, NULL); UPDATE t SET b = 'y' WHERE ctid = (SELECT ctid FROM t WHERE a = 9 LIMIT 1)`,
    expect: { t: [8, 0, 7] },
    options: { chunkSize: 50 }
  },
  {
    name: 'a unique not null index instead of a primary key',
    ddl: `CREATE TABLE t (code varchar(20) COLLATE "C" NOT NULL UNIQUE, v numeric); INSERT INTO t SELECT 'c' || n, n ${numbers(100)}`,
    drift: `UPDATE t SET v = 1.0 WHERE v = 1; DELETE FROM t WHERE code = 'c2'`,
    expect: { t: [1, 1, 0] }
  },
  {
    name: 'a unique index that allows nulls is no key',
    ddl: `CREATE TABLE t (a int UNIQUE, v int); INSERT INTO t SELECT n, n ${numbers(50)}; INSERT INTO t VALUES (NULL, 1), (NULL, 1)`,
    drift: `DELETE FROM t WHERE a = 7; INSERT INTO t VALUES (NULL, 1)`,
    expect: { t: [1, 0, 1] }
  },
  {
    name: 'no key, but unique values that change rows, in several buckets',
    ddl: `CREATE TABLE t (a int UNIQUE, span int4range, v int, EXCLUDE USING gist (span WITH &&));
      INSERT INTO t SELECT nullif(n, 3), int4range(n * 3, n * 3 + 3), n ${numbers(40)}`,
    drift: `UPDATE t SET v = -v WHERE a < 20; UPDATE t SET a = 100 WHERE a = 30; UPDATE t SET a = 30 WHERE a = 31; UPDATE t SET a = 31 WHERE a = 100`,
    expect: { t: [20, 0, 20] },
    options: { chunkSize: 4 }
  },
  {
    name: 'vectors, of which the binary form of an empty one cannot be read',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, a oidvector, b int2vector, c oidvector[]); INSERT INTO t SELECT n, '', '', '{""}' ${numbers(3)}`,
    drift: `UPDATE t SET a = '1 2', b = '3' WHERE id = 2`,
    expect: { t: [0, 1, 0] }
  },
  {
    name: 'values that are equal to = and print differently',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, n numeric, f float8, j json, b jsonb, i interval, c text);
      INSERT INTO t VALUES (1, 1.0, 0, '{"a":1}', '{"a": 1.0}', '1 day', 'a'), (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, 5, 'NaN', '1', '1', '1 mon', '')`,
    drift: `UPDATE t SET n = 1.00, f = '-0', j = '{"a": 1}', b = '{"a": 1.00}', i = '24 hours' WHERE id = 1; UPDATE t SET c = '' WHERE id = 2; UPDATE t SET c = NULL WHERE id = 3`,
    expect: { t: [0, 3, 0] }
  },
  {
    name: 'values that only a collation holds for equal, and trailing blanks',
    ddl: `CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE t (id int PRIMARY KEY, a text COLLATE nocase, b varchar(9) COLLATE nocase, c text[] COLLATE nocase, d bpchar);
      INSERT INTO t SELECT n, 'a', 'b', '{c}', 'd' ${numbers(6)}`,
    drift: `UPDATE t SET a = 'A' WHERE id = 1; UPDATE t SET b = 'B' WHERE id = 2; UPDATE t SET c = '{C}' WHERE id = 3; UPDATE t SET d = 'd  ' WHERE id = 4`,
    expect: { t: [0, 4, 0] }
  },
  {
    name: 'a numeric key whose equal values print differently',
    ddl: `CREATE TABLE t (id numeric PRIMARY KEY, v int); INSERT INTO t SELECT n, n ${numbers(50)}`,
    drift: `UPDATE t SET id = 7.00 WHERE id = 7`,
    expect: { t: [1, 0, 1] }
  },
  {
    name: 'all the common types',
    ddl: `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pt AS (x int, y text); CREATE DOMAIN pos AS int CHECK (VALUE > 0);
      CREATE TABLE t (id int PRIMARY KEY, a smallint, b bool, c bytea, d "char", e name, f char(5), g timestamp, h timestamptz, i timetz, j time,
        k money, l inet, m cidr, n macaddr, o bit(3), p varbit, q point, r box, s int4range, t tstzrange, u int[], v text[], w mood, x mood[], y pt, z pos,
        aa xml, ab tsvector, ac tsquery, ad pg_lsn, ae float4, af oid, ag regclass, ah int4multirange, ai jsonpath, aj pos[]);
      INSERT INTO t VALUES (1, 2, true, '\\x0001ff', 'q', 'nm', 'ab', '2020-01-01 10:00', '2020-01-01 10:00+02', '10:00+02', '10:00',
        12.34, '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', B'101', B'1', '(1,2)', '(1,1),(0,0)', '[1,5)', '[2020-01-01,)', '{1,NULL,3}', '{"a,b","c\\"d"}', 'ok', '{sad,ok}', '(1,"x,y")', 5,
        '<a/>', 'a:1 b:2', 'a & b', '0/16B3748', 1.5, 42, 'pg_class', '{[1,3),[7,9)}', '$.a', '{1,2}'), (2), (3)`.replaceAll(
      ', (2), (3)',
      `; INSERT INTO t (id) VALUES (2), (3)`
    ),
    drift: `UPDATE t SET u = '[0:2]={1,NULL,3}' WHERE id = 1; UPDATE t SET y = '(1,)' WHERE id = 2; DELETE FROM t WHERE id = 3`,
    expect: { t: [1, 2, 0] }
  },
  {
    name: 'two rows swap a unique value',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE); INSERT INTO t SELECT n, 'm' || n ${numbers(1000)}`,
    drift: `UPDATE t SET email = 'tmp' WHERE id = 1; UPDATE t SET email = 'm1' WHERE id = 900; UPDATE t SET email = 'm900' WHERE id = 1`,
    expect: { t: [0, 2, 0] },
    options: { chunkSize: 100 }
  },
  {
    name: 'unique values shifted through every chunk',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, pos int UNIQUE); INSERT INTO t SELECT n, n ${numbers(500)}`,
    drift: `UPDATE t SET pos = pos + 10000; UPDATE t SET pos = CASE WHEN pos = 10500 THEN 1 ELSE pos - 9999 END`,
    expect: { t: [0, 500, 0] },
    options: { chunkSize: 50 }
  },
  {
    name: 'a row that moved to another key and kept its unique value',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE); INSERT INTO t SELECT n, 'm' || n ${numbers(100)}`,
    drift: `UPDATE t SET id = 5000 WHERE id = 50`,
    expect: { t: [1, 0, 1] },
    options: { chunkSize: 10 }
  },
  {
    name: 'a deferrable primary key',
    ddl: `CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v int); INSERT INTO t SELECT n, n ${numbers(100)}`,
    drift: `UPDATE t SET v = 0 WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (200, 1)`,
    expect: { t: [1, 1, 1] }
  },
  {
    name: 'a key that is there twice, the second time deferrable',
    ddl: `CREATE TABLE t (a int, b int, v int, PRIMARY KEY (a, b), UNIQUE (b, a) DEFERRABLE INITIALLY DEFERRED); INSERT INTO t SELECT n, n, n ${numbers(100)}`,
    drift: `UPDATE t SET v = 0 WHERE a = 1; DELETE FROM t WHERE a = 2; INSERT INTO t VALUES (200, 1, 1)`,
    expect: { t: [1, 1, 1] }
  },
  {
    name: 'an exclusion constraint in the way',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, span int4range, EXCLUDE USING gist (span WITH &&)); INSERT INTO t SELECT n, int4range(n * 10, n * 10 + 10) ${numbers(20)}`,
    drift: `UPDATE t SET span = int4range(1000, 1010) WHERE id = 1; UPDATE t SET span = int4range(10, 20) WHERE id = 2; UPDATE t SET span = int4range(20, 30) WHERE id = 1`,
    expect: { t: [0, 2, 0] }
  },
  {
    name: 'only key columns',
    ddl: `CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)); INSERT INTO t SELECT n % 10, n ${numbers(200)}`,
    drift: `DELETE FROM t WHERE b = 5; INSERT INTO t VALUES (77, 77)`,
    expect: { t: [1, 0, 1] }
  },
  {
    name: 'a table without columns',
    ddl: `CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES`,
    drift: `INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES`,
    expect: { t: [0, 0, 2] }
  },
  {
    name: 'generated and identity columns',
    ddl: `CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int GENERATED BY DEFAULT AS IDENTITY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
      INSERT INTO t (a) SELECT n ${numbers(100)}`,
    drift: `UPDATE t SET a = 0 WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t (a) VALUES (7)`,
    expect: { t: [1, 1, 1] }
  },
  {
    name: 'an ALWAYS identity that is not the key',
    ddl: `CREATE TABLE t (k text COLLATE "C" PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY); INSERT INTO t (k) SELECT 'k' || n ${numbers(20)}`,
    drift: `DELETE FROM t WHERE k = 'k7'; INSERT INTO t (k) VALUES ('k7')`,
    expect: { t: [0, 1, 0] }
  },
  {
    name: 'foreign keys: parents and children both drifted',
    ddl: `CREATE TABLE child (id int PRIMARY KEY, p int); CREATE TABLE parent (id int PRIMARY KEY, v text);
      INSERT INTO parent SELECT n, 'p' ${numbers(50)}; INSERT INTO child SELECT n, n ${numbers(50)};
      ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES parent ON DELETE CASCADE`,
    drift: `DELETE FROM parent WHERE id <= 5; INSERT INTO parent VALUES (100, 'x'); INSERT INTO child VALUES (100, 100); UPDATE child SET p = 100 WHERE id = 20`,
    expect: { parent: [5, 0, 1], child: [5, 1, 1] }
  },
  {
    name: 'a table that refers to itself',
    ddl: `CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node); INSERT INTO node SELECT n, CASE WHEN n < 1000 THEN n + 1 END ${numbers(1000)}`,
    drift: `UPDATE node SET up = NULL; DELETE FROM node WHERE id > 900; INSERT INTO node VALUES (5000, 1)`,
    expect: { node: [100, 900, 1] },
    options: { chunkSize: 100 }
  },
  {
    name: 'a circle of foreign keys',
    ddl: `CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int);
      INSERT INTO a SELECT n, n ${numbers(30)}; INSERT INTO b SELECT n, n ${numbers(30)};
      ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a`,
    drift: `UPDATE a SET b = NULL; UPDATE b SET a = NULL; DELETE FROM a WHERE id > 20; DELETE FROM b WHERE id > 10; INSERT INTO a VALUES (99, 1)`,
    expect: { a: [10, 20, 1], b: [20, 10, 0] }
  },
  {
    name: 'a foreign key to a unique column that changes',
    ddl: `CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE); CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent (code));
      INSERT INTO parent SELECT n, 'c' || n ${numbers(10)}; INSERT INTO child SELECT n, 'c' || n ${numbers(10)}`,
    drift: `UPDATE child SET code = 'c2'; UPDATE parent SET code = 'z' WHERE id = 1; UPDATE child SET code = 'z' WHERE id = 3`,
    expect: { parent: [0, 1, 0], child: [0, 9, 0] }
  },
  {
    name: 'foreign keys to a table whose rows no key matches, and in a circle with it',
    ddl: `CREATE TABLE parent (k int4range PRIMARY KEY, v int); CREATE TABLE child (id int PRIMARY KEY, k int4range);
      CREATE TABLE node (k int4range PRIMARY KEY, up int4range); INSERT INTO parent SELECT int4range(n, n + 1), n ${numbers(30)};
      INSERT INTO child SELECT n, int4range(n, n + 1) ${numbers(20)}; INSERT INTO node SELECT int4range(n, n + 1), int4range(n % 20 + 1, n % 20 + 2) ${numbers(20)};
      ALTER TABLE child ADD FOREIGN KEY (k) REFERENCES parent ON DELETE CASCADE; ALTER TABLE node ADD FOREIGN KEY (up) REFERENCES node`,
    drift: `UPDATE parent SET v = -v WHERE v < 4; DELETE FROM parent WHERE v = 5; INSERT INTO parent VALUES ('[100,101)', 1); UPDATE child SET k = '[100,101)' WHERE id = 7;
      UPDATE node SET up = '[3,4)' WHERE k < '[9,10)'; DELETE FROM node WHERE k = '[15,16)' AND NOT EXISTS (SELECT FROM node n WHERE n.up = node.k); INSERT INTO node VALUES ('[200,201)', '[3,4)')`,
    expect: { parent: [4, 0, 4], child: [1, 1, 0], node: [7, 0, 8] },
    options: { chunkSize: 5 }
  },
  {
    name: 'partitions, leaf by leaf',
    ddl: `CREATE TABLE p (id int, day date, v int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
      CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); CREATE TABLE p_2 PARTITION OF p DEFAULT;
      INSERT INTO p SELECT n, date '2020-01-01' + n % 60, n ${numbers(600)}`,
    drift: `DELETE FROM p_1 WHERE id = 1; UPDATE p SET v = 0 WHERE id IN (40, 41); INSERT INTO p VALUES (9999, '2021-01-01', 1)`,
    expect: { p_1: [1, 0, 0], p_2: [0, 2, 1] }
  },
  {
    name: 'partitioned differently on the two sides: through the parent',
    ddl: `CREATE TABLE p (id int PRIMARY KEY, v int) PARTITION BY RANGE (id)`,
    main: `CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (100) TO (1000); INSERT INTO p SELECT n, n ${numbers(500)}`,
    drift: `CREATE TABLE p_all PARTITION OF p DEFAULT; INSERT INTO p SELECT n, n ${numbers(490)}; UPDATE p SET v = 0 WHERE id = 7; INSERT INTO p VALUES (5000, 1)`,
    expect: { p: [10, 1, 1] },
    options: { syncSchema: false }
  },
  {
    name: 'partitioned differently, and without a key: a row’s place is one of its partition',
    ddl: `CREATE TABLE p (id int, v int) PARTITION BY RANGE (id)`,
    main: `CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (100) TO (1000); INSERT INTO p SELECT n, n ${numbers(500)}`,
    drift: `CREATE TABLE p_a PARTITION OF p FOR VALUES FROM (0) TO (50); CREATE TABLE p_b PARTITION OF p DEFAULT; INSERT INTO p SELECT n, n ${numbers(490)}; UPDATE p SET v = 0 WHERE id = 7; INSERT INTO p VALUES (5000, 1)`,
    expect: { p: [11, 0, 2] },
    options: { syncSchema: false }
  },
  {
    name: 'partitions whose rows changed places, below a table whose rows refer to all of them',
    ddl: `CREATE TABLE p (a int, b int, PRIMARY KEY (a, b), UNIQUE (a)) PARTITION BY RANGE (a); CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (11);
      CREATE TABLE p_2 PARTITION OF p DEFAULT; INSERT INTO p SELECT n, n ${numbers(20)};
      CREATE TABLE child (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES p); INSERT INTO child SELECT n, n, n ${numbers(20)}`,
    drift: `SET session_replication_role = replica; DELETE FROM p; INSERT INTO p SELECT n, 21 - n ${numbers(20)}`,
    expect: { p_1: [10, 0, 10], p_2: [10, 0, 10] },
    options: { chunkSize: 3 }
  },
  {
    name: 'plain inheritance: each table by itself',
    ddl: `CREATE TABLE base (id int PRIMARY KEY, v int); CREATE TABLE sub (extra int, PRIMARY KEY (id)) INHERITS (base); INSERT INTO base SELECT n, n ${numbers(10)}; INSERT INTO sub SELECT n, n, n ${numbers(10)}`,
    drift: `DELETE FROM ONLY base WHERE id = 1; UPDATE sub SET extra = 0 WHERE id = 2`,
    expect: { base: [1, 0, 0], sub: [0, 1, 0] }
  },
  {
    name: 'user triggers do not fire',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (n int); INSERT INTO t SELECT n, 'v' ${numbers(10)};
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES (1); NEW.v := 'TRIGGER'; RETURN NEW; END $$;
      CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION shout()`,
    drift: `SET session_replication_role = replica; UPDATE t SET v = 'x' WHERE id = 1; DELETE FROM t WHERE id = 2`,
    expect: { t: [1, 1, 0] }
  },
  {
    name: 'hostile names',
    ddl: `CREATE TABLE "we ""ird. Täble;--" ("the 'key'" int PRIMARY KEY, "a.b" text, "SELECT" int, "日本" text); INSERT INTO "we ""ird. Täble;--" SELECT n, 'x', n, '語' ${numbers(10)}`,
    drift: `UPDATE "we ""ird. Täble;--" SET "a.b" = E'\\\\ '' " \\n\\t {}' WHERE "the 'key'" = 3; DELETE FROM "we ""ird. Täble;--" WHERE "SELECT" = 4`,
    expect: { 'we "ird. Täble;--': [1, 1, 0] }
  },
  {
    name: 'a table that has the name of what an upsert brings',
    ddl: `CREATE TABLE excluded (id int PRIMARY KEY, v int); INSERT INTO excluded SELECT n, n ${numbers(9)}`,
    drift: `UPDATE excluded SET v = 0 WHERE id = 1; DELETE FROM excluded WHERE id = 2`,
    expect: { excluded: [1, 1, 0] }
  },
  {
    name: 'an empty table on both sides, and one emptied on the standby',
    ddl: `CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u SELECT n, NULL ${numbers(1000)}`,
    drift: `TRUNCATE u`,
    expect: { u: [1000, 0, 0] }
  },
  {
    name: 'no key, in many buckets of which some are empty on one side',
    ddl: `CREATE TABLE t (v text); INSERT INTO t SELECT 'v' || n ${numbers(1000)}`,
    drift: `DELETE FROM t WHERE substr(v, 2)::int <= 400; INSERT INTO t SELECT 'w' || n ${numbers(300)}`,
    expect: { t: [400, 0, 300] },
    options: { chunkSize: 2 }
  },
  {
    name: 'a column that main computes and the standby keeps',
    ddl: 'SELECT 1',
    main: `CREATE TABLE t (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO t (id, a) SELECT n, n ${numbers(20)}`,
    drift: `CREATE TABLE t (id int PRIMARY KEY, a int, twice int); INSERT INTO t SELECT n, n, n * 2 ${numbers(18)}; UPDATE t SET twice = 0 WHERE id = 5`,
    expect: { t: [2, 1, 0] }
  },
  {
    name: 'a table emptied on main',
    ddl: `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT n ${numbers(900)}`,
    main: 'TRUNCATE t',
    drift: '',
    expect: { t: [0, 0, 900] },
    options: { chunkSize: 100 }
  },
  {
    name: 'a row filter on one table',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n ${numbers(100)}`,
    drift: `UPDATE t SET v = 0 WHERE id IN (10, 20)`,
    expect: { t: [0, 2, 0] },
    options: { where: { t: 'id <= 50' } }
  },
  {
    name: 'sha256 of every row (--strict-hash)',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' ${numbers(100)}; CREATE TABLE k (v text); INSERT INTO k SELECT 'x' ${numbers(9)}`,
    drift: `UPDATE t SET v = 'w' WHERE id = 5; INSERT INTO t VALUES (-1, NULL); DELETE FROM k WHERE ctid = '(0,1)'`,
    expect: { t: [0, 1, 1], k: [1, 0, 0] },
    options: { strictHash: true, chunkSize: 10 }
  },
  {
    name: 'rules, row security, and a CHECK',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v >= 0)); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON t USING (false); INSERT INTO t SELECT n, n ${numbers(10)}`,
    drift: `UPDATE t SET v = 1 WHERE id = 5`,
    expect: { t: [0, 1, 0] }
  },
  {
    name: 'keys of a domain, an enum and a fixed-width char',
    ddl: `CREATE DOMAIN code AS varchar(9) COLLATE "C"; CREATE TYPE lvl AS ENUM ('z', 'a');
      CREATE TABLE t (a code, b lvl, c char(4) COLLATE "C", v int, PRIMARY KEY (a, b, c)); INSERT INTO t SELECT 'c' || n, (ARRAY['z','a'])[1 + n % 2]::lvl, 'x' || n, n ${numbers(60)}`,
    drift: `UPDATE t SET v = 0 WHERE v = 1; DELETE FROM t WHERE v = 2; INSERT INTO t VALUES ('new', 'a', 'q', 1)`,
    expect: { t: [1, 1, 1] },
    options: { chunkSize: 8 }
  }
]
