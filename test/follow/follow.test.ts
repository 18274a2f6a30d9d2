/** What following does with a stream over its life: first copy, going on, tables that come and go, and what it refuses. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConnectionError, FollowError, GuardError } from '../../src/core/errors.js'
import type { FollowEvent } from '../../src/core/events.js'
import type { FollowOptions, SourceKind } from '../../src/follow/config.js'
import { follow } from '../../src/follow/follow.js'
import { capture, status } from '../../src/follow/standing.js'
import { createPair, type Pair } from '../support/databases.js'
import { createRole } from '../support/roles.js'

const ddl = `
  CREATE TABLE items (id bigserial PRIMARY KEY, name text, price numeric);
  CREATE TABLE notes (id bigserial PRIMARY KEY, item bigint REFERENCES items, note text);`

let pair: Pair
beforeEach(async () => {
  pair = await createPair({
    ddl,
    main: `INSERT INTO items (name) VALUES ('one'), ('two'); INSERT INTO notes (item) VALUES (1)`
  })
})
afterEach(async () => {
  await pair.main.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active`
  )
  await pair.drop()
})

const options = (source: SourceKind, more: Partial<FollowOptions> = {}): FollowOptions => ({
  main: pair.main.url,
  to: pair.standby.url,
  source,
  tables: ['items', 'notes'],
  once: true,
  ...more
})

const names = async () =>
  (await pair.standby.query<{ name: string }>('SELECT name FROM items ORDER BY id')).map(row => row.name)
const add = (name: string) => pair.main.exec(`INSERT INTO items (name) VALUES ('${name}')`)

describe.each(['poll', 'notify', 'outbox', 'wal'] as const)('%s', source => {
  beforeEach(async () => {
    if (source !== 'poll') await capture(options(source), 'install', false)
  })

  test('copies what is there, and goes on from there each time', async () => {
    const report = await follow(options(source))
    expect(report.tables).toMatchObject([
      { table: 'public.items', copied: 2, insert: 0 },
      { table: 'public.notes', copied: 1, insert: 0 }
    ])
    await add('three')
    expect((await follow(options(source))).tables).toMatchObject([
      { table: 'public.items', copied: 0, insert: 1 }
    ])
    expect((await follow(options(source))).tables).toEqual([])
    expect(await names()).toEqual(['one', 'two', 'three'])
  })

  test('a table that is added later is copied, and the others go on', async () => {
    await follow(options(source, { tables: ['items'] }))
    await add('three')
    await pair.main.exec(`INSERT INTO notes (item) VALUES (3)`)
    if (source !== 'poll') await capture(options(source), 'install', false)
    await add('four')
    const report = await follow(options(source))
    expect(report.tables.find(({ table }) => table === 'public.notes')).toMatchObject({ copied: 2 })
    await pair.main.exec(`INSERT INTO notes (item) VALUES (4)`)
    await follow(options(source))
    expect(await names()).toEqual(['one', 'two', 'three', 'four'])
    expect(await pair.standby.query('SELECT item::int FROM notes ORDER BY id')).toEqual([
      { item: 1 },
      { item: 3 },
      { item: 4 }
    ])
  })

  test('stops with its signal, and has lost nothing', async () => {
    const over = new AbortController()
    const following = follow(options(source, { once: false, interval: 50 }), {
      signal: over.signal,
      emit: event => {
        if (event.type === 'batch' && event.changes > 0) over.abort(new Error('enough'))
        if (event.type === 'state' && event.state === 'following') void add('three')
      }
    })
    await expect(following).rejects.toThrow('enough')
    await add('four')
    await follow(options(source))
    expect(await names()).toEqual(['one', 'two', 'three', 'four'])
  })

  test('status says how far it is', async () => {
    await follow(options(source))
    const { streams } = await status({ main: pair.main.url, to: pair.standby.url })
    expect(streams).toMatchObject([{ name: 'default', tables: { 'public.items': expect.any(String) } }])
    expect(streams[0]!.origin).toMatch(new RegExp(`^${source} `))
  })
})

describe('the first copy', () => {
  test('refuses rows that are not its own, and takes them away where that is asked for', async () => {
    await pair.standby.exec(`INSERT INTO items VALUES (77, 'foreign')`)
    await expect(follow(options('poll'))).rejects.toThrow(GuardError)
    expect(await names()).toEqual(['foreign'])
    await follow(options('poll', { cleanExtra: true }))
    expect(await names()).toEqual(['one', 'two'])
  })

  test('is left out where the rows are there already', async () => {
    await pair.standby.exec(`INSERT INTO items VALUES (77, 'kept')`)
    await capture(options('wal'), 'install', false)
    await follow(options('wal', { snapshot: 'never' }))
    await add('three')
    await follow(options('wal', { snapshot: 'never' }))
    expect(await names()).toEqual(['three', 'kept'])
  })

  test('is all there is with only, and following goes on from it', async () => {
    await capture(options('wal'), 'install', false)
    await follow(options('wal', { snapshot: 'only', once: false }))
    expect(await names()).toEqual(['one', 'two'])
    await add('three')
    await follow(options('wal'))
    expect(await names()).toEqual(['one', 'two', 'three'])
  })

  test('that was stopped half-way is made anew', async () => {
    const over = new AbortController()
    const stopped = follow(options('poll'), {
      signal: over.signal,
      emit: event => {
        if (event.type === 'copy-end') over.abort(new Error('half-way'))
      }
    })
    await expect(stopped).rejects.toThrow('half-way')
    expect(await names()).toEqual(['one', 'two'])
    await pair.main.exec(`DELETE FROM notes; DELETE FROM items WHERE id = 1`)
    await follow(options('poll'))
    expect(await names()).toEqual(['two'])
  })
})

describe('what it refuses', () => {
  test('another source under the same name', async () => {
    await follow(options('poll'))
    await capture(options('outbox'), 'install', false)
    await expect(follow(options('outbox'))).rejects.toThrow(/is of another source/)
  })

  test('a table that was left out for a while, as it has rows', async () => {
    await follow(options('poll'))
    await follow(options('poll', { tables: ['items'] }))
    await expect(follow(options('poll'))).rejects.toThrow(/rows in public.notes/)
  })

  test('main itself as the sink, before anything of it is emptied', async () => {
    const itself = options('poll', { to: `${pair.main.url}?application_name=other`, cleanExtra: true })
    await expect(follow(itself)).rejects.toThrow(/main and standby are the same database/)
    expect(await pair.main.query('SELECT count(*)::int AS n FROM items')).toEqual([{ n: 2 }])
  })

  test('a role without the rights, naming the server and what it lacks', async () => {
    const reader = await createRole(pair.main, 'reader', 'REPLICATION')
    const writer = await createRole(pair.standby, 'writer')
    try {
      await capture(options('wal'), 'install', false)
      const wal = options('wal', { main: reader.url(pair.main) })
      await expect(follow(wal)).rejects.toThrow(/^main did not give the rows of public.items: /)
      await pair.main.exec(`GRANT SELECT ON items, notes TO ${reader.name}`)
      await expect(follow(options('poll', { main: wal.main, name: 'poll' }))).rejects.toThrow(
        /may not read public.items_id_seq/
      )
      await follow(wal)
      const writing = follow(options('wal', { to: writer.url(pair.standby) }))
      await expect(writing).rejects.toThrow(/may not use the table pgsyncer.stream/)
    } finally {
      await pair.main.exec(`DROP OWNED BY ${reader.name}; DROP ROLE ${reader.name}`)
      await pair.standby.exec(`DROP ROLE ${writer.name}`)
    }
  })

  test('a table that is not there, on either side', async () => {
    await expect(follow(options('poll', { tables: ['nothing'] }))).rejects.toThrow(/no table nothing/)
    await pair.standby.exec('DROP TABLE notes')
    await expect(follow(options('poll'))).rejects.toThrow(/notes/)
    expect(await names()).toEqual([])
  })

  test('a server that never was there, at once', async () => {
    const nowhere = 'postgres://nobody@127.0.0.1:1/nothing'
    await expect(follow(options('poll', { main: nowhere }))).rejects.toThrow(ConnectionError)
    await expect(follow(options('poll', { to: nowhere }))).rejects.toThrow(ConnectionError)
  })
})

test('a connection that is lost is opened again', async () => {
  const seen: FollowEvent['type'][] = []
  let batches = 0
  const over = new AbortController()
  const following = follow(options('poll', { once: false, interval: 20 }), {
    signal: over.signal,
    emit: event => {
      seen.push(event.type)
      if (event.type === 'state' && event.state === 'following' && batches === 0) void add('before')
      if (event.type !== 'batch' || event.changes === 0) return
      if (batches++ > 0) return over.abort(new Error('enough'))
      void pair.main
        .exec(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgsyncer' AND datname = current_database()`
        )
        .then(() => add('after'))
    }
  })
  await expect(following).rejects.toThrow('enough')
  expect(seen).toContain('retry')
  expect(await names()).toEqual(['one', 'two', 'before', 'after'])
})

test('values that the sink refuses stop it, and the position stays', async () => {
  await follow(options('poll'))
  await pair.standby.exec(`ALTER TABLE items ADD CHECK (name <> 'bad')`)
  await add('bad')
  await expect(follow(options('poll'))).rejects.toThrow(FollowError)
  await pair.standby.exec(`ALTER TABLE items DROP CONSTRAINT items_name_check`)
  await follow(options('poll'))
  expect(await names()).toEqual(['one', 'two', 'bad'])
})
