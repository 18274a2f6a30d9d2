/** The reader of catalogs against pg_dump: same keys, same text of what is made of its definitions. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, expect, it } from 'vitest'
import { openServer } from '../../src/postgres/connect.js'
import type { Server } from '../../src/postgres/server.js'
import { readArchive } from '../../src/schema/archive.js'
import { readCatalog } from '../../src/schema/catalog/read.js'
import type { SchemaScope } from '../../src/schema/change.js'
import { entriesOf, type Entry } from '../../src/schema/entry.js'
import { createDatabase, type Db } from '../support/databases.js'
import { everything } from './bench.js'
import { dropUnread, foreign, rarer, tricky } from './catalog.ddl.js'

const whole: SchemaScope = { schemas: [], all: true }
const unread = /^(OPERATOR|TEXT SEARCH|SERVER)/

const open: { db: Db; server: Server }[] = []
afterEach(async () => {
  for (const { db, server } of open.splice(0)) {
    await server.close()
    await db.drop()
  }
})

async function database(...ddl: string[]): Promise<Server> {
  const db = await createDatabase('catalog')
  const server = await openServer('main', db.url, {}, { lockTimeout: 0, statementTimeout: 0 })
  open.push({ db, server })
  for (const text of ddl) await db.exec(text)
  return server
}

async function read(server: Server, scope = whole, notes: string[] = []): Promise<Entry[]> {
  const dump = await readCatalog(server, scope, {
    owners: true,
    privileges: true,
    signal: new AbortController().signal,
    emit: event => event.type === 'note' && notes.push(event.message),
    lockTimeout: 0
  })
  return dump.entries
}

async function pgDump(server: Server, args: readonly string[]): Promise<Buffer> {
  const { stdout } = await promisify(execFile)('pg_dump', ['--schema-only', ...args], {
    env: { PATH: process.env.PATH, ...server.libpqEnv },
    maxBuffer: 1 << 27,
    encoding: 'buffer'
  })
  return stdout
}

async function dumpText(server: Server): Promise<string> {
  return (await pgDump(server, [])).toString().replace(/^\\(un)?restrict .*$/gm, '')
}

async function dumpEntries(server: Server, ...args: string[]): Promise<Entry[]> {
  return entriesOf(readArchive(await pgDump(server, ['-Fc', '-Z0', ...args])).entries)
}

/** As a session that applies has it. */
async function replay(entries: readonly Entry[], server: Server): Promise<void> {
  const client = await server.connect()
  try {
    await client.query(`SET search_path = ''; SET check_function_bodies = off; SET xmloption = content`)
    for (const { kind, name, definition } of entries) {
      await client.query(definition).catch((error: Error) => {
        throw new Error(`${kind} ${name}: ${error.message}\n${definition}`)
      })
    }
  } finally {
    await client.end()
  }
}

/** Views that rest on a primary key, and what rests on them: made once and behind it, where pg_dump makes them twice. */
const behindKeys = /\b(v_grouped|on_grouped|m?gk2?|ofgk)\b/

/** What must be the same whichever reader told of it. */
function factsOf(entries: readonly Entry[]) {
  const facts = entries
    .filter(entry => !unread.test(entry.kind) && !entry.name.endsWith(' _RETURN'))
    .map(({ key, owner, drop, tablespace, accessMethod, catalogId, parent, name, section, definition }) => [
      key.replaceAll('\0', ' | '),
      {
        owner,
        drop,
        tablespace,
        accessMethod,
        catalogId,
        parent: parent?.key,
        ...(!behindKeys.test(name) && { section, definition })
      }
    ])
  return Object.fromEntries(facts) as Record<string, object>
}

const keysOf = (entries: readonly Entry[]) =>
  entries.map(entry => entry.key.replaceAll('\0', ' | ')).toSorted()

it('tells what pg_dump tells: keys, owners, drops, parents, definitions', async () => {
  const server = await database(await everything(), foreign, rarer)
  expect(factsOf(await read(server))).toEqual(factsOf(await dumpEntries(server)))
  const other = await database(tricky)
  expect(factsOf(await read(other))).toEqual(factsOf(await dumpEntries(other)))
})

it.each([
  [
    'schemas',
    { schemas: ['two', 'Übung "one".two', 'public'], all: false },
    ['-n', 'two', '-n', '"Übung ""one"".two"', '-n', 'public']
  ],
  [
    'tables',
    {
      schemas: ['app', 'two'],
      all: false,
      tables: [
        { schema: 'app', name: 'author' },
        { schema: 'two', name: 'clus' },
        { schema: 'two', name: 'idp' }
      ]
    },
    ['-t', 'app.author', '-t', 'two.clus', '-t', 'two.idp']
  ]
] as const)('takes the scope as pg_dump does: %s', async (_, scope, args) => {
  const server = await database(await everything(), foreign, rarer)
  expect(keysOf(await read(server, scope))).toEqual(
    keysOf((await dumpEntries(server, ...args)).filter(entry => !entry.kind.startsWith('PUBLICATION TABLE')))
  )
})

it('makes the same database of its definitions, whose catalogs read the same again', async () => {
  for (const ddl of [(await everything()) + rarer + dropUnread, tricky]) await proveCopy(ddl)
})

async function proveCopy(ddl: string): Promise<void> {
  const main = await database(foreign, ddl)
  const entries = await read(main)
  const copy = await database(foreign)
  await replay(entries, copy)
  expect(await dumpText(copy)).toBe(await dumpText(main))
  const again = await read(copy)
  expect(again.map(entry => [entry.key, entry.definition, entry.drop])).toEqual(
    entries.map(entry => [entry.key, entry.definition, entry.drop])
  )
}

it('is the same, in the same order, whatever was made first', async () => {
  const parts = [
    'table a (x int primary key, y text check (y <> $$z$$))',
    'table c (x serial, unique (x))',
    'view v as select 1',
    'type t as enum ($$a$$)',
    'function f(a int) returns int language sql as $$select 1$$',
    'function f(a text) returns int language sql as $$select 1$$',
    'sequence s',
    'schema z',
    'domain d as int check (value > 0)'
  ].map(part => `create ${part}`)
  const [one, other] = [await database(...parts), await database(...parts.toReversed())]
  const told = async (server: Server) => (await read(server)).map(({ key, definition }) => [key, definition])
  expect(await told(one)).toEqual(await told(other))
})

it('reads what an exported snapshot sees', async () => {
  const server = await database('create table before (x int)')
  const client = await server.connect()
  try {
    await client.query('begin isolation level repeatable read')
    const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id')
    await server.sql.unsafe('create table public.after (x int)')
    const options = {
      owners: false,
      privileges: false,
      signal: new AbortController().signal,
      emit: () => {},
      lockTimeout: 0
    }
    const { entries } = await readCatalog(server, whole, options, rows[0]!.id)
    expect(entries.map(entry => entry.name)).toEqual(['before'])
    expect((await readCatalog(server, whole, options)).entries).toHaveLength(2)
  } finally {
    await client.end()
  }
})

it('stops where it is told to', async () => {
  const server = await database()
  const options = {
    owners: false,
    privileges: false,
    signal: AbortSignal.abort(new Error('stop')),
    emit: () => {},
    lockTimeout: 0
  }
  await expect(readCatalog(server, whole, options)).rejects.toThrow('stop')
})

it('names what it does not read', async () => {
  const server = await database(
    foreign,
    await everything(),
    `CREATE TYPE app.shell; CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8`
  )
  const notes: string[] = []
  await read(server, whole, notes)
  expect(notes).toEqual([
    'the catalogs reader does not compare base types (1 in scope): app.shell',
    'the catalogs reader does not compare conversions (1 in scope): app.conv',
    'the catalogs reader does not compare foreign servers (1 in scope): srv',
    'the catalogs reader does not compare operator classes (1 in scope): app.int_ops',
    'the catalogs reader does not compare operator families (1 in scope): app.int_ops',
    'the catalogs reader does not compare operators (1 in scope): app.===',
    'the catalogs reader does not compare text search configurations (1 in scope): app.plain'
  ])
  const few: string[] = []
  await read(server, { schemas: ['public'], all: false }, few)
  expect(few).toEqual([])
})

it('makes what needs the table after the table, and what the table needs before', async () => {
  const main = await database(`
    create table a (x int, y int);
    create function rows() returns setof a language sql begin atomic select * from a; end;
    create function first(a) returns int language sql immutable as 'select 1';
    create view v as select * from rows();
    create view w as select first(a) from a;
    alter table a add check (first(a) > 0), alter y set default 5;`)
  const copy = await database()
  await replay(await read(main), copy)
  expect(await dumpText(copy)).toBe(await dumpText(main))
})
