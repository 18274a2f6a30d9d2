/** The PostgreSQL sink: the contract, as a superuser and as a role that is nobody special, and what only PostgreSQL asks of it. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FollowEvent } from '../../../src/core/events.js'
import { completeFollow, type FollowOptions } from '../../../src/follow/config.js'
import type { Sink } from '../../../src/follow/ports.js'
import { openPostgresSink } from '../../../src/follow/sinks/postgres/sink.js'
import { columnList, qualified } from '../../../src/postgres/quote.js'
import { keyNames, type FollowedTable } from '../../../src/follow/table.js'
import { lineOf } from '../../../src/postgres/copytext.js'
import { isTransient } from '../../../src/postgres/failure.js'
import { Author, column, itemsTable, shape, sinkContract, type SinkBench } from '../../contracts/sink.js'
import { createDatabase, type Db } from '../../support/databases.js'
import { createRole } from '../../support/roles.js'

const never = new AbortController().signal

interface Place {
  db: Db
  url: string
  /** Whoever owns the tables does this. */
  exec(sql: string): Promise<void>
  /** Nothing is there any more. */
  reset(): Promise<void>
  drop(): Promise<void>
}

const bare = `ROLLBACK; RESET ROLE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS pgsyncer CASCADE`

/** A standby whose tables belong to a role without any right beyond. */
async function plain(): Promise<Place> {
  const db = await createDatabase('standby')
  const role = await createRole(db, 'owner')
  const grants = `GRANT CREATE ON DATABASE ${db.name} TO ${role.name}; GRANT ALL ON SCHEMA public TO ${role.name};
    SET ROLE ${role.name}`
  await db.exec(grants)
  return {
    db,
    url: role.url(db),
    exec: sql => db.exec(sql),
    reset: () => db.exec(`${bare}; ${grants}`),
    async drop() {
      await db.drop()
      const admin = await createDatabase('admin')
      await admin.exec(`DROP ROLE ${role.name}`)
      await admin.drop()
    }
  }
}

async function superuser(): Promise<Place> {
  const db = await createDatabase('standby')
  return { db, url: db.url, exec: sql => db.exec(sql), reset: () => db.exec(bare), drop: () => db.drop() }
}

const configOf = (url: string, options: Partial<FollowOptions> = {}) =>
  completeFollow({ main: 'postgres://nowhere/none', to: url, source: 'wal', tables: ['*'], ...options })

const createStatement = (table: FollowedTable) => {
  const columns = table.columns.map(({ name, type }) => `${columnList([name])} ${type}`)
  const key = table.keyLength > 0 ? [`PRIMARY KEY (${columnList(keyNames(table))})`] : []
  return `CREATE TABLE ${qualified(table.schema, table.name)} (${[...columns, ...key].join(', ')})`
}

async function linesOf(db: Db, table: FollowedTable): Promise<string[]> {
  const values = table.columns.map(({ name }) => `t.${columnList([name])}::text`)
  const rows = await db.query<{ values: (string | null)[] }>(
    `SELECT ARRAY[${values.join(', ')}] AS values FROM ${qualified(table.schema, table.name)} t`
  )
  return rows.map(({ values }) => lineOf(values))
}

const benchOf = (place: () => Promise<Place>) => async (): Promise<SinkBench> => {
  const { db, url, exec, drop } = await place()
  return {
    open: stream => openPostgresSink(configOf(url, { name: stream }), () => {}),
    create: table => exec(createStatement(table)),
    lines: table => linesOf(db, table),
    drop
  }
}

const traits = { atomic: true, everyValue: true }
sinkContract('PostgreSQL, as a superuser', benchOf(superuser), traits)
sinkContract('PostgreSQL, as an owner', benchOf(plain), traits)

describe.each([
  ['a superuser', superuser, true],
  ['an owner', plain, false]
] as const)('PostgreSQL alone, as %s', (_, make, replica) => {
  let place: Place
  let notes: FollowEvent[]
  let author: Author
  const open: Sink[] = []

  beforeAll(async () => void (place = await make()))
  afterAll(() => place?.drop())
  beforeEach(() => {
    notes = []
    author = new Author()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map(sink => sink.close()))
    await place.reset()
  })

  /** A sink that is ready to write these tables. */
  const begin = async (
    ddl: string,
    tables: readonly FollowedTable[],
    options: Partial<FollowOptions> = {}
  ) => {
    await place.exec(ddl)
    const sink = await openPostgresSink(configOf(place.url, options), event => notes.push(event))
    open.push(sink)
    for (const table of tables) await sink.prepare(table)
    await sink.remember({ origin: 'test', position: null, tables: {} })
    return sink
  }
  const rowsOf = (query: string) => place.db.query<Record<string, unknown>>(query)
  const id = column('id', 'bigint')

  test('children that come before their parents, and parents that go first', async () => {
    const parents = shape('parents', id, column('name', 'text'))
    const children = shape('children', id, column('parent', 'bigint'))
    const sink = await begin(
      `CREATE TABLE parents (id bigint PRIMARY KEY, name text);
       CREATE TABLE children (id bigint PRIMARY KEY, parent bigint REFERENCES parents ON DELETE CASCADE)`,
      [children, parents]
    )
    expect(sink.loadOrder([children, parents])).toEqual([parents, children])
    await sink.write(
      author.batch(
        author.insert(parents, '1', 'a'),
        author.insert(children, '10', '1'),
        author.insert(parents, '2', 'b'),
        author.insert(children, '20', '2')
      ),
      never
    )
    // The other order than on main is no harm either.
    await sink.write(
      author.batch(author.insert(children, '30', '3'), author.insert(parents, '3', 'c')),
      never
    )
    await sink.write(author.batch(author.remove(parents, '1'), author.remove(children, '10')), never)
    expect(await rowsOf('SELECT id::int, parent::int FROM children ORDER BY 1')).toEqual([
      { id: 20, parent: 2 },
      { id: 30, parent: 3 }
    ])
    expect(await rowsOf('SELECT id::int FROM parents ORDER BY 1')).toEqual([{ id: 2 }, { id: 3 }])
  })

  test('a key that others refer to changes without taking them along', async () => {
    const parents = shape('parents', id, column('name', 'text'))
    const sink = await begin(
      `CREATE TABLE parents (id bigint PRIMARY KEY, name text);
       CREATE TABLE children (id bigint PRIMARY KEY,
         parent bigint REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE);
       INSERT INTO parents VALUES (1, 'a'); INSERT INTO children VALUES (10, 1)`,
      [parents]
    )
    await sink.write(author.batch(author.rename(parents, '1', '2', 'b')), never)
    expect(await rowsOf('SELECT id::int, name FROM parents')).toEqual([{ id: 2, name: 'b' }])
    expect(await rowsOf('SELECT id::int, parent::int FROM children')).toEqual([
      { id: 10, parent: replica ? 1 : 2 }
    ])
  })

  test('a row that moved to another parent outlives the one that it left, and so does what hangs on it', async () => {
    const parents = shape('parents', id)
    const children = shape('children', id, column('parent', 'bigint'))
    const sink = await begin(
      `CREATE TABLE parents (id bigint PRIMARY KEY);
       CREATE TABLE children (id bigint PRIMARY KEY, parent bigint REFERENCES parents ON DELETE CASCADE);
       CREATE TABLE grandchildren (child bigint REFERENCES children ON DELETE CASCADE);
       INSERT INTO parents VALUES (1), (2); INSERT INTO children VALUES (10, 1); INSERT INTO grandchildren VALUES (10)`,
      [parents, children]
    )
    await sink.write(author.batch(author.update(children, '10', '2'), author.remove(parents, '1')), never)
    expect(await rowsOf('SELECT id::int, parent::int FROM children')).toEqual([{ id: 10, parent: 2 }])
    expect(await rowsOf('SELECT child::int FROM grandchildren')).toEqual([{ child: 10 }])
  })

  test('what others hang on is not emptied where they would go too', async () => {
    const parents = shape('parents', id)
    const sink = await begin(
      `CREATE TABLE parents (id bigint PRIMARY KEY);
       CREATE TABLE children (parent bigint REFERENCES parents ON DELETE CASCADE);
       INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1)`,
      [parents]
    )
    const clearing = sink.clear(parents)
    if (replica) await clearing
    else await expect(clearing).rejects.toMatchObject({ name: 'GuardError', table: 'public.parents' })
    expect(await rowsOf('SELECT parent::int FROM children')).toEqual([{ parent: 1 }])
  })

  test('a foreign key that is broken at the end of the batch', async () => {
    const children = shape('children', id, column('parent', 'bigint'))
    const sink = await begin(
      `CREATE TABLE parents (id bigint PRIMARY KEY);
       CREATE TABLE children (id bigint PRIMARY KEY, parent bigint REFERENCES parents DEFERRABLE)`,
      [children]
    )
    const writing = sink.write(author.batch(author.insert(children, '1', '5')), never)
    if (replica) await writing
    else {
      await expect(writing).rejects.toMatchObject({
        name: 'FollowError',
        message: expect.stringContaining('children') as string,
        sqlstate: '23503'
      })
    }
    expect(await sink.hasRows(children)).toBe(replica)
  })

  test('rows swap a value that is unique', async () => {
    const items = shape('items', id, column('place', 'integer'))
    const sink = await begin('CREATE TABLE items (id bigint PRIMARY KEY, place integer UNIQUE)', [items])
    await sink.write(author.batch(author.insert(items, '1', '1'), author.insert(items, '2', '2')), never)
    await sink.write(
      author.batch(
        author.update(items, '1', '0'),
        author.update(items, '2', '1'),
        author.update(items, '1', '2'),
        author.insert(items, '3', '3')
      ),
      never
    )
    expect(await rowsOf('SELECT id::int, place FROM items ORDER BY 1')).toEqual([
      { id: 1, place: 2 },
      { id: 2, place: 1 },
      { id: 3, place: 3 }
    ])
  })

  test('a row that main does not have is in the way, and is said to be', async () => {
    const items = shape('items', id, column('place', 'integer'))
    const sink = await begin(
      'CREATE TABLE items (id bigint PRIMARY KEY, place integer UNIQUE); INSERT INTO items VALUES (7, 7)',
      [items]
    )
    const batch = author.batch(author.insert(items, '1', '1'), author.insert(items, '2', '7'))
    await expect(sink.write(batch, never)).rejects.toMatchObject({
      name: 'FollowError',
      message: expect.stringMatching(/an insert of public\.items \(id\) = \(2\).*place/) as string,
      table: 'public.items',
      sqlstate: '23505'
    })
    expect(await rowsOf('SELECT id::int FROM items')).toEqual([{ id: 7 }])
    expect(await sink.recall()).toMatchObject({ position: null })
  })

  test('the first batches may bring rows that are there already', async () => {
    const items = itemsTable()
    const sink = await begin(createStatement(items), [items])
    for (const value of ['a', 'b', 'c']) {
      const rows = Array.from({ length: 300 }, (_, i) => author.insert(items, String(i), value, null, null))
      await sink.write(author.batch(...rows), never)
    }
    expect(await rowsOf(`SELECT name, count(*)::int FROM ${items.name} GROUP BY 1`)).toEqual([
      { name: 'c', count: 300 }
    ])
  })

  test('triggers fire only where they cannot be kept from it', async () => {
    const items = itemsTable()
    const sink = await begin(
      `${createStatement(items)}; CREATE TABLE log (id bigint);
       CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
         INSERT INTO public.log VALUES (NEW.id); RETURN NEW; END$$;
       CREATE TRIGGER note BEFORE INSERT ON ${items.name} FOR EACH ROW EXECUTE FUNCTION note()`,
      [items]
    )
    await sink.write(author.batch(author.insert(items, '1', 'a', null, null)), never)
    expect(await rowsOf('SELECT id::int FROM log')).toEqual(replica ? [] : [{ id: 1 }])
    const told = notes.filter(
      event => event.type === 'note' && /session_replication_role/.test(event.message)
    )
    expect(told).toHaveLength(replica ? 0 : 1)
  })

  test('a trigger that drops rows is noticed', async () => {
    const items = itemsTable()
    const sink = await begin(
      `${createStatement(items)};
       CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
         IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END$$;
       CREATE TRIGGER drop_it BEFORE INSERT ON ${items.name} FOR EACH ROW EXECUTE FUNCTION drop_it()`,
      [items]
    )
    const rows = ['1', '2', '3'].map(key => author.insert(items, key, 'a', null, null))
    const writing = sink.write(author.batch(...rows), never)
    if (replica) await writing
    else await expect(writing).rejects.toThrow(/insert of public\.items_\d+ \(id\) = \(2\)/)
    expect(await rowsOf(`SELECT id FROM ${items.name}`)).toHaveLength(replica ? 3 : 0)
  })

  test('absent values of many rows', async () => {
    const items = itemsTable()
    const sink = await begin(createStatement(items), [items])
    const keys = Array.from({ length: 500 }, (_, i) => String(i))
    const rows = keys.map(key => author.insert(items, key, 'a', `note ${key}`, '1'))
    await sink.write(author.batch(...rows), never)
    const changes = keys.map(key => ({
      ...author.update(items, key, 'b', null, Number(key) % 2 ? null : '2'),
      absent: Number(key) % 2 ? [2, 3] : [2]
    }))
    const more = Array.from({ length: 300 }, (_, i) =>
      author.insert(items, String(1000 + i), 'c', null, null)
    )
    await sink.write(author.batch(...changes, ...more, author.insert(items, '5000', 'c', null, null)), never)
    expect(
      await rowsOf(`SELECT count(*)::int AS n FROM ${items.name}
        WHERE name = 'b' AND note = 'note ' || id AND amount = CASE WHEN id % 2 = 0 THEN 2 ELSE 1 END`)
    ).toEqual([{ n: 500 }])
    const lost = [...changes, { ...author.update(items, '999', 'b', null, '2'), absent: [2] }]
    await expect(sink.write(author.batch(...lost), never)).rejects.toMatchObject({
      name: 'FollowError',
      message: expect.stringMatching(/does not have the row for an update of .* \(id\) = \(999\)/) as string,
      hint: expect.stringContaining('pgsyncer sync') as string
    })
  })

  test('identity columns take main’s values, whether a key or not', async () => {
    const keyed = shape('keyed', id, column('name', 'text'))
    const beside = shape('beside', id, column('number', 'bigint'), column('name', 'text'))
    const sink = await begin(
      `CREATE TABLE keyed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
       CREATE TABLE beside (id bigint PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, name text)`,
      [keyed, beside]
    )
    const rows = (value: string) => [
      ...['1', '2', '3'].map(key => author.insert(keyed, key, value)),
      ...['1', '2', '3'].map(key => author.insert(beside, key, `${key}${value.length}`, value))
    ]
    await sink.write(author.batch(...rows('a')), never)
    await sink.write(author.batch(...rows('bb'), author.rename(keyed, '3', '30', 'moved')), never)
    expect(await linesOf(place.db, keyed)).toEqual(['1\tbb', '2\tbb', '30\tmoved'])
    expect((await linesOf(place.db, beside)).sort()).toEqual(['1\t12\tbb', '2\t22\tbb', '3\t32\tbb'])
  })

  test('what the standby computes, or fills in, is left to it', async () => {
    const items = shape('items', id, column('name', 'text'))
    const sink = await begin(
      `CREATE TABLE items (more text DEFAULT 'filled', id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) STORED,
        name text, "when" timestamptz)`,
      [items]
    )
    await sink.write(author.batch(author.insert(items, '4', 'a')), never)
    await place.db.exec(`UPDATE items SET more = 'kept'`)
    await sink.write(author.batch(author.update(items, '4', 'b')), never)
    const found = await rowsOf('SELECT id::int, twice::int, name, more, "when" FROM items')
    expect(found).toEqual([{ id: 4, twice: 8, name: 'b', more: 'kept', when: null }])
  })

  test('tables without a key take new rows, and nothing else', async () => {
    const log: FollowedTable = { ...shape('log', id, column('name', 'text')), keyLength: 0 }
    const sink = await begin('CREATE TABLE log (id bigint, name text)', [log])
    await sink.write(author.batch(author.insert(log, '1', 'a'), author.insert(log, '1', 'a')), never)
    expect(await linesOf(place.db, log)).toEqual(['1\ta', '1\ta'])
    for (const change of [author.update(log, '1', 'b'), author.change(log, 'delete', { old: '1\ta' })]) {
      await expect(sink.write(author.batch(change), never)).rejects.toThrow(/public\.log.*no key/)
    }
  })

  test('tables are emptied together, and what refers to them from elsewhere is left alone', async () => {
    const parents = shape('parents', id)
    const children = shape('children', id, column('parent', 'bigint'))
    const sink = await begin(
      `CREATE TABLE parents (id bigint PRIMARY KEY);
       CREATE TABLE children (id bigint PRIMARY KEY, parent bigint REFERENCES parents)`,
      [parents, children]
    )
    const fill = () =>
      sink.write(author.batch(author.insert(parents, '1'), author.insert(children, '10', '1')), never)
    await fill()
    await sink.write(
      author.batch(author.change(parents, 'truncate'), author.change(children, 'truncate')),
      never
    )
    expect([await sink.hasRows(parents), await sink.hasRows(children)]).toEqual([false, false])
    await fill()
    await sink.write(author.batch(author.change(children, 'truncate')), never)
    expect([await sink.hasRows(parents), await sink.hasRows(children)]).toEqual([true, false])
    await sink.write(author.batch(author.change(parents, 'truncate')), never)
    expect(await sink.hasRows(parents)).toBe(false)
    await fill()
    for (const table of [children, parents]) await sink.clear(table)
    expect(await sink.hasRows(parents)).toBe(false)
  })

  test('a table that cannot be truncated keeps its parents from it', async () => {
    const tables = ['a', 'b', 'c'].map(name => shape(name, id))
    const sink = await begin(
      `CREATE TABLE a (id bigint PRIMARY KEY);
       CREATE TABLE b (id bigint PRIMARY KEY REFERENCES a);
       CREATE TABLE c (id bigint PRIMARY KEY REFERENCES b);
       CREATE TABLE other (id bigint PRIMARY KEY REFERENCES c)`,
      tables
    )
    await sink.write(author.batch(...tables.map(table => author.insert(table, '1'))), never)
    await sink.write(author.batch(...tables.map(table => author.change(table, 'truncate'))), never)
    for (const table of tables) expect(await sink.hasRows(table)).toBe(false)
  })

  test('two shapes of a table in one batch', async () => {
    const narrow = shape('items', id, column('name', 'text'))
    const wide = shape('items', id, column('name', 'text'), column('more', 'text', { missing: 'x' }))
    const sink = await begin('CREATE TABLE items (id bigint PRIMARY KEY, name text)', [narrow, wide])
    const changes = [
      author.insert(narrow, '1', 'a'),
      author.insert(narrow, '2', 'b'),
      author.update(wide, '1', 'aa', 'y')
    ]
    await sink.write(author.batch(...changes), never)
    expect((await linesOf(place.db, wide)).sort()).toEqual(['1\taa\ty', '2\tb\tx'])
  })

  test('rows that only a delete can replace, and on which others hang', async () => {
    const items = shape('items', id, column('number', 'bigint'))
    const ddl = `CREATE TABLE items (id bigint PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY);
      CREATE TABLE children (item bigint REFERENCES items ON DELETE CASCADE)`
    const sink = await begin(ddl, [])
    if (replica) await sink.prepare(items)
    else
      await expect(sink.prepare(items)).rejects.toMatchObject({ name: 'ConfigError', table: 'public.items' })
  })

  test('partitioned tables', async () => {
    const items = shape('items', id, column('name', 'text'))
    const sink = await begin(
      `CREATE TABLE items (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id);
       CREATE TABLE items_low PARTITION OF items FOR VALUES FROM (0) TO (100);
       CREATE TABLE items_high PARTITION OF items FOR VALUES FROM (100) TO (1000)`,
      [items]
    )
    expect(await sink.load(items, linesFrom('1\ta\n200\tb\n'), never)).toBe(2)
    await sink.write(
      author.batch(author.rename(items, '1', '300', 'a'), author.update(items, '200', 'c')),
      never
    )
    expect((await linesOf(place.db, items)).sort()).toEqual(['200\tc', '300\ta'])
  })

  describe('columns that main gets', () => {
    const old = shape('items', id, column('name', 'text'))
    const with_ = (...more: Parameters<typeof column>[]) =>
      shape('items', id, column('name', 'text'), ...more.map(one => column(...one)))
    const ddl = `CREATE TABLE items (id bigint PRIMARY KEY, name text); INSERT INTO items VALUES (1, 'a')`

    test('are added with what older rows hold', async () => {
      const sink = await begin(ddl, [old])
      const wide = with_(
        ['state', 'text', { missing: "it's new", notNull: true }],
        ['amount', 'numeric(10,2)', { missing: null }],
        ['strict', 'integer', { missing: null, notNull: true }]
      )
      expect(await sink.prepare(wide)).toEqual(['state', 'amount', 'strict'])
      expect(await sink.prepare(wide)).toEqual([])
      await sink.write(author.batch(author.insert(wide, '2', 'b', 'x', '1.50', '3')), never)
      // A row from before main had the column, which was still on its way.
      await sink.prepare(old)
      await sink.write(author.batch(author.insert(old, '3', 'c'), author.update(old, '2', 'bb')), never)
      expect((await linesOf(place.db, wide)).sort()).toEqual([
        "1\ta\tit's new\t\\N\t\\N",
        '2\tbb\tx\t1.50\t3',
        "3\tc\tit's new\t\\N\t\\N"
      ])
      expect(
        await rowsOf(
          `SELECT attname FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnotnull AND attnum > 0`
        )
      ).toEqual([{ attname: 'id' }, { attname: 'state' }])
    })

    test('stop it where that is asked for', async () => {
      const sink = await begin(ddl, [old], { onSchemaChange: 'stop' })
      await expect(sink.prepare(with_(['state', 'text']))).rejects.toMatchObject({
        name: 'FollowError',
        message: expect.stringContaining('state') as string,
        table: 'public.items'
      })
      expect(await rowsOf(`SELECT * FROM items`)).toEqual([{ id: '1', name: 'a' }])
    })

    test('stop it where older rows’ values are not known, unless there are none', async () => {
      const sink = await begin(ddl, [old])
      const wide = with_(['made', 'timestamp with time zone', {}])
      const { missing: _unknown, ...made } = wide.columns[2]!
      const volatile = { ...wide, columns: [...wide.columns.slice(0, 2), made] }
      await expect(sink.prepare(volatile)).rejects.toMatchObject({
        name: 'FollowError',
        hint: expect.stringContaining(`pgsyncer sync -t 'public.items'`) as string
      })
      await place.db.exec('DELETE FROM items')
      expect(await sink.prepare(volatile)).toEqual(['made'])
    })

    test('stop it where the standby does not know their type', async () => {
      const sink = await begin(ddl, [old])
      await expect(sink.prepare(with_(['mood', 'public.mood', { builtin: false }]))).rejects.toMatchObject({
        name: 'FollowError',
        message: expect.stringContaining('mood') as string
      })
    })
  })

  test.each([
    [
      'no table',
      '',
      'ConfigError',
      /has no table public\.items/,
      /sync --sync-data=false -t 'public\.items'/
    ],
    [
      'no key',
      'CREATE TABLE items (id bigint, name text)',
      'ConfigError',
      /no unique key \(id\)/,
      /PRIMARY KEY/
    ],
    [
      'another key',
      'CREATE TABLE items (id bigint, name text PRIMARY KEY)',
      'ConfigError',
      /no unique key \(id\)/,
      /PRIMARY KEY/
    ],
    [
      'a narrower type',
      'CREATE TABLE items (id integer PRIMARY KEY, name text)',
      'FollowError',
      /another type of id: on main bigint, on the standby integer/,
      /Alter/
    ],
    [
      'a column that nobody fills',
      'CREATE TABLE items (id bigint PRIMARY KEY, name text, other text NOT NULL)',
      'FollowError',
      /column other/,
      /DROP NOT NULL/
    ],
    [
      'a computed column',
      `CREATE TABLE items (id bigint PRIMARY KEY, name text GENERATED ALWAYS AS ('a') STORED)`,
      'FollowError',
      /computes name/,
      /DROP EXPRESSION/
    ]
  ])('%s is said before anything is written', async (_what, ddl, name, message, hint) => {
    const sink = await begin(ddl, [])
    await expect(sink.prepare(shape('items', id, column('name', 'text')))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
      table: 'public.items'
    })
  })

  test('wider types are taken, with a note', async () => {
    const items = shape(
      'items',
      column('id', 'integer'),
      column('a', 'character varying(10)'),
      column('b', 'numeric(8,2)')
    )
    const sink = await begin('CREATE TABLE items (id bigint PRIMARY KEY, a text, b numeric(12,3))', [items])
    await sink.write(author.batch(author.insert(items, '1', 'a', '1.25')), never)
    expect(await linesOf(place.db, items)).toEqual(['1\ta\t1.250'])
    expect(notes.filter(({ type }) => type === 'note')).toHaveLength(3)
  })

  test('a value that the standby refuses is named, and nothing of the batch is written', async () => {
    const items = shape('items', id, column('name', 'text'))
    const sink = await begin(`CREATE TABLE items (id bigint PRIMARY KEY, name text CHECK (name <> 'bad'))`, [
      items
    ])
    const rows = Array.from({ length: 700 }, (_, i) =>
      author.insert(items, String(i), i === 567 ? 'bad' : 'good')
    )
    await expect(sink.write(author.batch(...rows), never)).rejects.toMatchObject({
      name: 'FollowError',
      message: expect.stringMatching(/an insert of public\.items \(id\) = \(567\)/) as string,
      hint: expect.stringContaining('CHECK') as string,
      sqlstate: '23514'
    })
    expect(await sink.hasRows(items)).toBe(false)
    expect(await sink.recall()).toMatchObject({ position: null })
    await expect(sink.load(items, linesFrom('1\tgood\n2\tbad\n'), never)).rejects.toThrow(
      /public\.items.*bad/
    )
    expect(await sink.hasRows(items)).toBe(false)
  })

  test('a stream is one process’s at a time', async () => {
    await begin('', [], { name: 'one' })
    const [holder] = await rowsOf(`SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
    await expect(begin('', [], { name: 'one', lockTimeout: 100 })).rejects.toMatchObject({
      name: 'GuardError',
      message: expect.stringContaining(`PID ${String(holder!.pid)}`) as string
    })
    await begin('', [], { name: 'two', lockTimeout: 100 })
    await open.shift()!.close()
    await begin('', [], { name: 'one' })
  })

  test('a session that is ended in the middle of a batch leaves nothing of it', async () => {
    const items = itemsTable()
    const sink = await begin(createStatement(items), [items])
    const good = author.batch(author.insert(items, '1', 'a', null, null))
    await sink.write(good, never)
    // Holds the batch up behind its first rows.
    await place.db.exec(`BEGIN; LOCK TABLE ${items.name} IN SHARE ROW EXCLUSIVE MODE`)
    const writing = sink.write(author.batch(author.insert(items, '2', 'b', null, null)), never)
    await Promise.all([expect(writing).rejects.toSatisfy(isTransient), killWaiting(place.db)])
    await place.db.exec('ROLLBACK')
    await sink.close()
    const again = await openPostgresSink(configOf(place.url), () => {})
    open.push(again)
    expect((await again.recall())?.position).toBe(good.position)
    expect(await linesOf(place.db, items)).toHaveLength(1)
  })

  test('what waits for another’s lock is temporary, what takes too long is said', async () => {
    const items = itemsTable()
    const limits = { lockTimeout: 50, statementTimeout: 400 }
    const sink = await begin(createStatement(items), [items], limits)
    const batch = author.batch(author.insert(items, '1', 'a', null, null))
    await place.db.exec(`BEGIN; LOCK TABLE ${items.name} IN SHARE ROW EXCLUSIVE MODE`)
    await expect(sink.write(batch, never)).rejects.toSatisfy(isTransient)
    await place.db.exec(`ROLLBACK; CREATE FUNCTION slow(text) RETURNS boolean LANGUAGE sql
      AS 'SELECT true FROM pg_sleep(60)'; ALTER TABLE ${items.name} ADD CHECK (slow(name))`)
    await expect(sink.write(batch, never)).rejects.toMatchObject({
      name: 'FollowError',
      hint: expect.stringContaining('--statement-timeout') as string,
      table: `public.${items.name}`
    })
    expect(await sink.recall()).toMatchObject({ position: null })
  })

  test('an abort ends the server’s side too', async () => {
    const items = itemsTable()
    const sink = await begin(createStatement(items), [items])
    await place.db.exec(`BEGIN; LOCK TABLE ${items.name} IN SHARE ROW EXCLUSIVE MODE`)
    const stop = new AbortController()
    const writing = sink.write(author.batch(author.insert(items, '2', 'b', null, null)), stop.signal)
    const give = async () => {
      await waiting(place.db)
      stop.abort(new Error('enough'))
    }
    await Promise.all([expect(writing).rejects.toThrow('enough'), give()])
    await sink.close()
    await place.db.exec('ROLLBACK')
    const again = await openPostgresSink(configOf(place.url), () => {})
    open.push(again)
    expect(await linesOf(place.db, items)).toHaveLength(0)
    expect((await again.recall())?.position).toBeNull()
  })
})

test('a role that may not make the record is told what it needs', async () => {
  const db = await createDatabase('standby')
  const role = await createRole(db, 'poor')
  const opening = openPostgresSink(configOf(role.url(db)), () => {})
  await expect(opening).rejects.toMatchObject({
    name: 'ConfigError',
    hint: expect.stringContaining(`CREATE SCHEMA pgsyncer AUTHORIZATION ${role.name}`) as string
  })
  await db.exec(`CREATE SCHEMA pgsyncer AUTHORIZATION ${role.name}`)
  const sink = await openPostgresSink(configOf(role.url(db)), () => {})
  expect(await sink.recall()).toBeUndefined()
  await sink.close()
  await db.exec(`DROP OWNED BY ${role.name}; DROP ROLE ${role.name}`)
  await db.drop()
})

async function* linesFrom(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

/** Waits until a session stands before a lock on a table, and says which. */
async function waiting(db: Db): Promise<number> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const [found] = await db.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    )
    if (found) return found.pid
    if (Date.now() > deadline) throw new Error('nobody waits')
    // A transaction sees the statistics as they were.
    await db.query('SELECT pg_stat_clear_snapshot()')
    await delay(10)
  }
}

async function killWaiting(db: Db): Promise<void> {
  await db.query('SELECT pg_terminate_backend($1)', [await waiting(db)])
}
