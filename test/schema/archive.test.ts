import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readArchive } from '../../src/schema/archive.js'
import { entriesOf } from '../../src/schema/entry.js'
import { createPair, type Pair } from '../support/databases.js'
import { everything } from './bench.js'

describe('an archive that pg_dump wrote', () => {
  let pair: Pair
  let bytes: Buffer
  beforeAll(async () => {
    pair = await createPair({ main: await everything() })
    const args = ['-Fc', '-s', '-Z0', '--no-owner', '--no-privileges', `--dbname=${pair.main.url}`]
    bytes = (await promisify(execFile)('pg_dump', args, { encoding: 'buffer', maxBuffer: 1 << 26 })).stdout
  })
  afterAll(() => pair.drop())

  it('tells its versions and every object', () => {
    const archive = readArchive(bytes)
    expect(archive.version).toMatch(/^1\.1[2-6]$/)
    expect(archive.dumpVersion).toMatch(/^\d+/)
    const table = archive.entries.find(entry => entry.kind === 'TABLE' && entry.name === 'author')!
    expect(table).toMatchObject({
      schema: 'app',
      section: 2,
      catalog: 1259,
      drop: 'DROP TABLE app.author;\n',
      tablespace: ''
    })
    expect(table.definition).toMatch(/^CREATE TABLE app\.author \(/)
    expect(table.oid).toBeGreaterThan(16_000)
  })

  it('becomes entries with keys of their own and the objects that they are on', () => {
    const entries = entriesOf(readArchive(bytes).entries)
    expect(new Set(entries.map(entry => entry.key)).size).toBe(entries.length)
    const parentOf = (kind: string, name: string) =>
      entries.filter(entry => entry.kind === kind && entry.name === name).map(entry => entry.parent?.name)
    // The tables `a` and `a b` have the constraints `b c` and `c`.
    expect(parentOf('CHECK CONSTRAINT', 'a b c')).toEqual(['a', 'a b'])
    expect(parentOf('TRIGGER', 'author touch_it')).toEqual(['author'])
    expect(parentOf('FK CONSTRAINT', 'book book_author_fkey')).toEqual(['book'])
    expect(parentOf('RULE', 'v_title both')).toEqual(['v_title'])
    expect(parentOf('INDEX ATTACH', 'event_2024_pkey')).toEqual(['event_2024 event_2024_pkey'])
    expect(parentOf('SEQUENCE OWNED BY', 'author_id_seq')).toEqual(['author_id_seq'])
    const comment = entries.find(entry => entry.name === 'CONSTRAINT author_best_fkey ON author')!
    expect(comment).toMatchObject({
      kind: 'COMMENT',
      section: 'post-data',
      parent: { kind: 'FK CONSTRAINT' }
    })
    expect(entries.filter(entry => /STDSTRINGS|ENCODING|^ACL/.test(entry.kind))).toEqual([])
  })

  it('is refused wherever it is cut off', () => {
    const { length } = bytes
    // Behind its last entry nothing is read.
    const end = length - 4096
    for (const at of [0, 4, 5, 8, 12, 40, 80, 200, Math.floor(end / 2)]) {
      expect(() => readArchive(bytes.subarray(0, at))).toThrow(
        /cannot be read: it (ends too early|does not begin as one)/
      )
    }
  })

  it('is refused in a version that is not known', () => {
    const newer = Buffer.from(bytes)
    newer[6] = 17
    expect(() => readArchive(newer)).toThrow('an archive of version 1.17, which is not known here')
  })
})

it('other bytes are no archive', () => {
  expect(() => readArchive(Buffer.from('-- PostgreSQL database dump'))).toThrow('it does not begin as one')
})

describe('an archive made by hand', () => {
  const int = (value: number) =>
    Buffer.from([value < 0 ? 1 : 0, Math.abs(value) & 255, Math.abs(value) >> 8, 0, 0])
  const text = (value: string | null) =>
    value === null ? int(-1) : Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)])

  function archive(minor: number): Buffer {
    const head = [
      Buffer.from('PGDMP'),
      Buffer.from([1, minor, 0, 4, 8, 1]),
      minor >= 15 ? Buffer.from([0]) : int(0)
    ]
    const when = Array.from({ length: 7 }, () => int(1))
    const entry = [
      [int(300), int(0), text('1259'), text('16400'), text('täble'), text('TABLE'), int(2)],
      [text('CREATE TABLE …;'), text('DROP TABLE …;'), text(null), text('s'), text('fast')],
      minor >= 14 ? [text('heap')] : [],
      minor >= 16 ? [int('p'.charCodeAt(0))] : [],
      [text('me'), text('false'), text('7'), text('8'), text(null), Buffer.alloc(9)]
    ].flat()
    return Buffer.concat([...head, ...when, text('db'), text('10.1'), text('18.0'), int(1), ...entry])
  }

  it.each([12, 13, 14, 15, 16])('of version 1.%i is read with the fields of that version', minor => {
    expect(readArchive(archive(minor))).toEqual({
      version: `1.${minor}`,
      serverVersion: '10.1',
      dumpVersion: '18.0',
      entries: [
        {
          dumpId: 300,
          catalog: 1259,
          oid: 16400,
          name: 'täble',
          kind: 'TABLE',
          section: 2,
          definition: 'CREATE TABLE …;',
          drop: 'DROP TABLE …;',
          schema: 's',
          tablespace: 'fast',
          accessMethod: minor >= 14 ? 'heap' : null,
          relkind: minor >= 16 ? 'p' : null,
          owner: 'me',
          dependencies: [7, 8]
        }
      ]
    })
  })
})
