/**
 * Two databases that differ in every way a sync mends, made of templates in a moment, and what must hold whatever became of a run:
 * each chunk of rows is as it was or as it is on main, nothing that both sides had is missing for good, nothing of ours stays.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { expect } from 'vitest'

/** Milliseconds that a server may take to start, or to notice that its client has gone. */
const patience = 60_000

/** Rows of a chunk. */
export const chunkSize = 50

const rows = (n: number) => `FROM generate_series(1, ${n}) n`

const both = `
  CREATE TYPE lvl AS ENUM ('a', 'b');
  CREATE TABLE ranged (id int PRIMARY KEY, v text, at timestamptz DEFAULT now());
  INSERT INTO ranged SELECT n, 'v' || n, '2024-01-01' ${rows(1000)};
  CREATE TABLE swapped (id int PRIMARY KEY, u int UNIQUE);
  INSERT INTO swapped SELECT n, n ${rows(200)};
  CREATE TABLE keyless (v text);
  INSERT INTO keyless SELECT 'v' || n % 50 ${rows(500)};
  CREATE TABLE hashed (k lvl, n int, v text, PRIMARY KEY (k, n));
  INSERT INTO hashed SELECT (ARRAY['a', 'b'])[1 + n % 2]::lvl, n, 'v' ${rows(300)};
  CREATE TABLE parents (id int PRIMARY KEY, v text);
  INSERT INTO parents SELECT n, 'p' ${rows(200)};
  CREATE TABLE children (id int PRIMARY KEY, parent int NOT NULL REFERENCES parents ON DELETE CASCADE, v text);
  INSERT INTO children SELECT n, 1 + n % 200, 'c' ${rows(400)};
  CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree, v text);
  INSERT INTO tree SELECT n, nullif(n / 2, 0), 't' ${rows(200)};
  CREATE TABLE dated (id int PRIMARY KEY, v text, updated_at timestamptz NOT NULL);
  INSERT INTO dated SELECT n, 'd', '2024-01-01' ${rows(300)};
  CREATE TABLE serials (id serial PRIMARY KEY, v text);
  CREATE TABLE log (id bigserial PRIMARY KEY, what text);
  CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log (what) VALUES (TG_OP); RETURN NULL; END $$;
  CREATE TRIGGER told AFTER INSERT OR UPDATE OR DELETE ON ranged FOR EACH ROW EXECUTE FUNCTION tell();
  CREATE TABLE fresh (id int PRIMARY KEY, v text, u int UNIQUE);
  CREATE INDEX fresh_v ON fresh (v);
  CREATE TABLE bag (v text);
  CREATE TABLE altered (id int PRIMARY KEY, a int, n int);
  INSERT INTO altered SELECT n, n, n ${rows(200)};
  CREATE INDEX altered_n ON altered (n);
  CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n, max(v) AS last FROM fresh;`

const onMain = `
  INSERT INTO ranged SELECT n, 'new', '2025-01-01' FROM generate_series(1001, 1200) n;
  INSERT INTO swapped SELECT n, n FROM generate_series(201, 250) n;
  INSERT INTO tree SELECT n, n / 2, 't' FROM generate_series(201, 260) n;
  INSERT INTO serials (v) SELECT 's' || n ${rows(250)};
  INSERT INTO fresh SELECT n, 'f' || n, n ${rows(800)};
  INSERT INTO bag SELECT 'b' || n % 40 ${rows(600)};
  TRUNCATE log;
  ALTER TYPE lvl ADD VALUE 'c';
  ALTER TABLE altered ADD b text; UPDATE altered SET b = 'b' || id; ALTER TABLE altered ALTER b SET NOT NULL;
  ALTER TABLE altered ALTER n TYPE bigint;
  CREATE INDEX altered_b ON altered (b);
  CREATE TABLE missing (id int PRIMARY KEY, parent int REFERENCES parents, v text CHECK (v <> ''));
  INSERT INTO missing SELECT n, 1 + n % 200, 'm' ${rows(300)};
  CREATE INDEX missing_v ON missing (v);
  CREATE TRIGGER told AFTER INSERT ON missing FOR EACH ROW EXECUTE FUNCTION tell();
  CREATE INDEX ranged_v ON ranged (v);
  CREATE VIEW seen AS SELECT b FROM altered;
  REFRESH MATERIALIZED VIEW sums;`

/** The rows with ids behind main's own are extra: they go only where --clean-extra was given. */
const onStandby = `
  ALTER TABLE ranged DISABLE TRIGGER told;
  UPDATE ranged SET v = 'old' WHERE id % 7 = 0; DELETE FROM ranged WHERE id % 31 = 0;
  INSERT INTO ranged SELECT n, 'extra', '2024-01-01' FROM generate_series(2001, 2060) n;
  ALTER TABLE ranged ENABLE TRIGGER told;
  UPDATE swapped SET u = -u WHERE id <= 60; UPDATE swapped SET u = 61 + u WHERE u < 0;
  DELETE FROM keyless WHERE v = 'v7'; INSERT INTO keyless SELECT 'x' ${rows(5)};
  UPDATE hashed SET v = 'old' WHERE n % 9 = 0; DELETE FROM hashed WHERE n % 40 = 1;
  UPDATE children SET v = 'old' WHERE id % 5 = 0; DELETE FROM parents WHERE id % 25 = 0;
  INSERT INTO parents SELECT n, 'extra' FROM generate_series(501, 520) n;
  INSERT INTO children SELECT n, n, 'extra' FROM generate_series(501, 520) n;
  UPDATE tree SET v = 'old' WHERE id % 6 = 0;
  UPDATE dated SET v = 'old' WHERE id % 8 = 0;
  TRUNCATE log;`

export interface Scene {
  main: string
  standby: string
  /** Superusers' connections to `postgres` of both servers, to look at what a run does. */
  admin: { main: pg.Client; standby: pg.Client }
  /** The rows before the run and on main: table → its rows as text, sorted. */
  before: Rows
  goal: Rows
  /** After a restart of a server. */
  reconnect(): Promise<void>
  drop(): Promise<void>
}

export type Rows = ReadonlyMap<string, readonly string[]>

/** Makes scenes on two servers (a superuser's URLs), which may be one. */
export class Stage {
  readonly #templates: Promise<{ main: string; standby: string }>

  constructor(
    readonly servers: { main: string; standby: string },
    readonly label: string
  ) {
    this.#templates = this.#make()
  }

  async #make() {
    const names = { main: `t_${this.label}_main`, standby: `t_${this.label}_standby` }
    for (const side of ['main', 'standby'] as const) {
      await withClient(this.servers[side], async admin => {
        await admin.query(`DROP DATABASE IF EXISTS ${names[side]}`)
        await admin.query(`CREATE DATABASE ${names[side]} TEMPLATE template0`)
      })
      await withClient(at(this.servers[side], names[side]), async client => {
        await client.query(both)
        // Main is altered with what no transaction takes.
        for (const statement of side === 'main' ? split(onMain) : [onStandby]) await client.query(statement)
      })
    }
    return names
  }

  /** A new scene; `number` is part of its databases' names. */
  async scene(number: number): Promise<Scene> {
    const templates = await this.#templates
    const admin = { main: await connect(this.servers.main), standby: await connect(this.servers.standby) }
    const names = { main: `${templates.main}_${number}`, standby: `${templates.standby}_${number}` }
    for (const side of ['main', 'standby'] as const)
      await admin[side].query(`CREATE DATABASE ${names[side]} TEMPLATE ${templates[side]}`)
    const [main, standby] = [at(this.servers.main, names.main), at(this.servers.standby, names.standby)]
    return {
      main,
      standby,
      admin,
      before: await rowsOf(standby),
      goal: await rowsOf(main),
      reconnect: async () => {
        for (const side of ['main', 'standby'] as const) {
          await admin[side].end().catch(() => {})
          admin[side] = await whenUp(this.servers[side])
        }
      },
      drop: async () => {
        for (const side of ['main', 'standby'] as const) {
          await admin[side].end().catch(() => {})
          await withClient(this.servers[side], client =>
            client.query(`DROP DATABASE IF EXISTS ${names[side]} WITH (FORCE)`)
          )
        }
      }
    }
  }

  /** Drops the templates. */
  async close(): Promise<void> {
    const templates = await this.#templates
    for (const side of ['main', 'standby'] as const)
      await withClient(this.servers[side], client =>
        client.query(`DROP DATABASE IF EXISTS ${templates[side]}`)
      )
  }
}

const split = (sql: string): string[] =>
  sql.split(/;\n|;(?= ALTER| UPDATE)/).filter(text => text.trim() !== '')

const at = (server: string, name: string): string => {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Waits for a server that starts. */
async function whenUp(url: string): Promise<pg.Client> {
  const deadline = performance.now() + patience
  for (;;) {
    try {
      return await connect(url)
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(50)
    }
  }
}

export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(url)
  try {
    return await use(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** The rows of every table, as text; of the one whose structure is changed, those columns that it has at all times. */
async function rowsOf(url: string): Promise<Rows> {
  return withClient(url, async client => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`
    )
    const found = new Map<string, string[]>()
    for (const { name } of tables) {
      const row = name === 'altered' ? 'ROW(id, a, n)' : 't.*'
      const { rows } = await client.query<{ r: string }>(`SELECT (${row})::text AS r FROM public.${name} t`)
      found.set(name, rows.map(({ r }) => r).sort())
    }
    return found
  })
}

/** How many rows are on one side alone, each copy counted. */
export function distance(a: readonly string[], b: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const row of a) counts.set(row, (counts.get(row) ?? 0) + 1)
  for (const row of b) counts.set(row, (counts.get(row) ?? 0) - 1)
  return [...counts.values()].reduce((sum, count) => sum + Math.abs(count), 0)
}

/** No table is worse than before, and each chunk is whole: as it was, or as it is on main. */
export async function expectNotWorse(scene: Scene): Promise<void> {
  const now = await rowsOf(scene.standby)
  const worse: string[] = []
  for (const [table, goal] of scene.goal) {
    const before = scene.before.get(table) ?? []
    const [was, is] = [distance(before, goal), distance(now.get(table) ?? [], goal)]
    if (is > was) worse.push(`${table}: ${was} rows differed, ${is} do now`)
    for (const [chunk, rows] of chunksOf(table, now.get(table) ?? [])) {
      const old = chunksOf(table, before).get(chunk) ?? []
      const wanted = chunksOf(table, goal).get(chunk) ?? []
      const extra = old.filter(row => isExtra(table, row))
      const whole = [old, wanted, [...wanted, ...extra]].some(state => distance(state, rows) === 0)
      if (!whole) worse.push(`${table}: chunk ${chunk} is neither as it was nor as on main`)
    }
  }
  expect(worse).toEqual([])
  expect(now.get('log')).toEqual([])
}

/** By the ids that main has, which are without gaps; a table that is written in one transaction is one chunk. */
function chunksOf(table: string, rows: readonly string[]): Map<number, string[]> {
  const chunks = new Map<number, string[]>()
  const last = { ranged: 1200, dated: 300 }[table]
  const loose = ['hashed', 'parents', 'children', 'swapped', 'altered'].includes(table)
  if (loose) return chunks
  for (const row of rows) {
    const chunk = last === undefined ? 0 : Math.floor((Math.min(idOf(row), last) - 1) / chunkSize)
    chunks.set(chunk, [...(chunks.get(chunk) ?? []), row])
  }
  return chunks
}

const idOf = (row: string): number => Number(/^\((\d+)/.exec(row)?.[1] ?? 0)

/** A row that main does not have, and that goes only where that was asked for. */
const isExtra = (table: string, row: string): boolean =>
  table === 'keyless' ? row === '(x)' : table === 'ranged' && idOf(row) > 2000

/** All of main's rows are there, and of others only what was there before and was not to be removed; so is the structure. */
export async function expectSame(scene: Scene, cleaned: boolean): Promise<void> {
  const now = await rowsOf(scene.standby)
  expect([...now.keys()].sort()).toEqual([...scene.goal.keys()].sort())
  for (const [table, goal] of scene.goal) {
    const extra = cleaned ? [] : (scene.before.get(table) ?? []).filter(row => /extra|^\(x\)$/.test(row))
    expect([table, distance(now.get(table)!, [...goal, ...extra])]).toEqual([table, 0])
  }
  const [main, standby] = [await definitions(scene.main), await definitions(scene.standby)]
  expect(standby).toEqual(main)
}

/** Columns, indexes, constraints, triggers, sequences' positions and the rows of materialized views, in words. */
async function definitions(url: string): Promise<string[]> {
  return withClient(url, async client => {
    const { rows } = await client.query<{ d: string }>(`
      SELECT format('column %s.%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull) AS d
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'v', 'm') AND relnamespace = 'public'::regnamespace
      UNION ALL SELECT format('index %s %s %s', pg_get_indexdef(indexrelid), indisvalid, indisready)
        FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT format('constraint %s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
      UNION ALL SELECT format('trigger %s %s', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT format('label %s', enumlabel) FROM pg_enum
      UNION ALL SELECT format('sequence %s %s', sequencename, last_value) FROM pg_sequences
      UNION ALL SELECT format('sums %s', s) FROM sums s`)
    return rows.map(({ d }) => d).sort()
  })
}

/** Settles when no session of ours is left in either database. */
export async function expectGone(scene: Scene): Promise<void> {
  const deadline = performance.now() + patience
  for (;;) {
    const left = await Promise.all([
      sessions(scene.admin.main, scene.main),
      sessions(scene.admin.standby, scene.standby)
    ])
    if (left.flat().length === 0) return
    if (performance.now() > deadline) throw new Error(`still there: ${left.flat().join('; ')}`)
    await delay(20)
  }
}

async function sessions(admin: pg.Client, url: string): Promise<string[]> {
  const { rows } = await admin.query<{ what: string }>(
    `SELECT format('%s %s %s', pid, state, query) AS what FROM pg_stat_activity WHERE application_name LIKE 'pg%' AND datname = $1`,
    [new URL(url).pathname.slice(1)]
  )
  return rows.map(({ what }) => what)
}

/**
 * Nothing of ours is in the standby but its own record, and no lock, no prepared transaction; nor anything on main. Temporary tables
 * outlive the crash of a server in its catalogs, until its autovacuum comes by.
 */
export async function expectNothingLeft(scene: Scene): Promise<void> {
  for (const url of [scene.main, scene.standby]) {
    const deadline = performance.now() + patience
    for (;;) {
      const left = await leftIn(url)
      if (left.length === 0) break
      if (performance.now() > deadline || left.some(what => !what.startsWith('temporary')))
        return expect(left).toEqual([])
      await delay(100)
    }
  }
}

async function leftIn(url: string): Promise<string[]> {
  return withClient(url, async client => {
    const { rows } = await client.query<{ what: string }>(`
      SELECT CASE relpersistence WHEN 't' THEN 'temporary ' ELSE 'relation ' END || oid::regclass AS what FROM pg_class
        WHERE relpersistence = 't' OR (relname LIKE '%pgsyncer%' AND relnamespace IS DISTINCT FROM to_regnamespace('pgsyncer'))
      UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE 'pgsyncer\\_%'
      UNION ALL SELECT 'server ' || srvname FROM pg_foreign_server
      UNION ALL SELECT 'mapping ' || umserver FROM pg_user_mapping
      UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
      UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts WHERE database = current_database()
      UNION ALL SELECT 'lock ' || classid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE locktype = 'advisory' AND datname = current_database()`)
    return rows.map(({ what }) => what)
  })
}
