/**
 * Reads the table of contents of pg_dump's custom format (archive versions 1.12 to 1.16, that is pg_dump 10 to 18,
 * uncompressed). Nothing is interpreted here; a byte that does not fit is an error, never a guess.
 */
import { SchemaError } from '../core/errors.js'
import type { RawEntry } from './entry.js'

export interface Archive {
  /** Such as `1.14`. */
  version: string
  serverVersion: string
  dumpVersion: string
  entries: RawEntry[]
}

const oldest = 112
const newest = 116
const customFormat = 1

/** @throws SchemaError for bytes that are no such archive. */
export function readArchive(bytes: Buffer): Archive {
  const input = new Input(bytes)
  if (input.take(5).toString('latin1') !== 'PGDMP') throw input.broken('it does not begin as one')
  const [major, minor] = [input.byte(), input.byte()]
  input.byte()
  const number = major * 100 + minor
  if (number < oldest || number > newest) {
    throw new SchemaError(`pg_dump wrote an archive of version ${major}.${minor}, which is not known here`, {
      hint: 'Use pg_dump 10 to 18; --pgdump PATH names the program.'
    })
  }
  input.intSize = input.byte()
  const offsetSize = input.byte()
  if (input.byte() !== customFormat) throw input.broken('it is not of the custom format')
  if (number >= 115) input.byte()
  else input.int()
  // The time of the dump as seven numbers, and the database's name.
  for (let index = 0; index < 7; index++) input.int()
  input.text()
  const serverVersion = input.text() ?? ''
  const dumpVersion = input.text() ?? ''
  const count = input.int()
  const entries: RawEntry[] = []
  for (let index = 0; index < count; index++) entries.push(readEntry(input, number, offsetSize))
  return { version: `${major}.${minor}`, serverVersion, dumpVersion, entries }
}

function readEntry(input: Input, version: number, offsetSize: number): RawEntry {
  const dumpId = input.int()
  input.int() // whether data follows
  const entry: RawEntry = {
    dumpId,
    catalog: input.number(),
    oid: input.number(),
    name: input.text() ?? '',
    kind: input.text() ?? '',
    section: input.int(),
    definition: input.text() ?? '',
    drop: input.text() ?? '',
    // A COPY statement stands between.
    schema: (input.text(), input.text() ?? ''),
    tablespace: input.text(),
    accessMethod: version >= 114 ? input.text() : null,
    relkind: version >= 116 ? relkindOf(input.int()) : null,
    owner: input.text() ?? '',
    dependencies: []
  }
  input.text() // WITH OIDS, of old
  for (let dependency = input.text(); dependency !== null; dependency = input.text()) {
    const id = Number(dependency)
    if (!Number.isInteger(id)) throw input.broken(`a dependency is ${JSON.stringify(dependency)}`)
    entry.dependencies.push(id)
  }
  input.take(1 + offsetSize) // where its data is
  return entry
}

function relkindOf(code: number): string | null {
  return code === 0 ? null : String.fromCharCode(code)
}

class Input {
  intSize = 4
  #position = 0

  constructor(readonly bytes: Buffer) {}

  broken(why: string): SchemaError {
    return new SchemaError(`pg_dump's archive cannot be read: ${why}, at byte ${this.#position}`, {
      hint: 'Is the program that --pgdump names, or the first pg_dump in PATH, really pg_dump?'
    })
  }

  take(length: number): Buffer {
    const end = this.#position + length
    if (length < 0 || end > this.bytes.length) throw this.broken('it ends too early')
    const part = this.bytes.subarray(this.#position, end)
    this.#position = end
    return part
  }

  byte(): number {
    return this.take(1)[0]!
  }

  /** A sign, then the magnitude, its least byte first. */
  int(): number {
    const negative = this.byte() !== 0
    const value = this.take(this.intSize).readUIntLE(0, this.intSize)
    return negative ? -value : value
  }

  /** Length and bytes; a negative length is NULL. */
  text(): string | null {
    const length = this.int()
    return length < 0 ? null : this.take(length).toString('utf8')
  }

  /** A number that is written as text. */
  number(): number {
    const text = this.text()
    const value = Number(text)
    if (text === null || !Number.isInteger(value)) throw this.broken(`${JSON.stringify(text)} is no OID`)
    return value
  }
}
