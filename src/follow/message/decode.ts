/** From a message back to a change, in the column order of the reader's own shape. What does not fit that shape is poison, never guessed. */
import { FollowError } from '../../core/errors.js'
import { lineOf } from '../../postgres/copytext.js'
import type { Change, Operation } from '../ports.js'
import { nameOf, type FollowedTable } from '../table.js'
import { floatText } from './floats.js'
import {
  kindOf,
  messageVersion,
  type Message,
  type MessageRecord,
  type MessageValue,
  type ShapeOf,
  type ValueKind
} from './message.js'
import { operationMark, QuickReader, type Opening } from './quick.js'

export interface Decoded {
  readonly change: Change
  /** Milliseconds since 1970. */
  readonly committedAt: number | undefined
  readonly stream: string
}

interface Reading {
  readonly table: FollowedTable
  readonly names: readonly string[]
  readonly known: ReadonlySet<string>
  readonly kinds: readonly ValueKind[]
}

const operations: Readonly<Record<string, Operation>> = {
  INSERT: 'insert',
  UPDATE: 'update',
  DELETE: 'delete',
  TRUNCATE: 'truncate'
}

export class Decoder {
  readonly #readings = new WeakMap<FollowedTable, Reading>()
  readonly #quick = new QuickReader()
  /** By the text that a message begins with. */
  readonly #openings = new Map<string, Opening>()

  constructor(private readonly shapeOf: ShapeOf) {}

  /**
   * A message that holds the key alone becomes a change all of whose other columns are absent.
   * @throws FollowError where it is no message of this version, or of a table or column that the reader does not know.
   */
  decode(text: string): Decoded {
    return this.#quickly(text) ?? this.#anyhow(text)
  }

  #quickly(text: string): Decoded | undefined {
    const end = text.indexOf(operationMark)
    const opening = end === -1 ? undefined : this.#openings.get(text.slice(0, end))
    const read = opening && this.#quick.read(text, end + operationMark.length, opening)
    return read && { ...read, stream: opening.stream }
  }

  #anyhow(text: string): Decoded {
    const message = parse(text)
    const decoded = this.#decoded(message)
    const { stream, schema, table } = message
    const begin = JSON.stringify({ version: messageVersion, stream, schema, table })
    // Its last quote and brace go: the mark of what follows has the quote.
    this.#openings.set(begin.slice(0, -2), openingOf(decoded))
    return decoded
  }

  #decoded(message: Message): Decoded {
    const { stream, position } = message
    const operation = operations[message.operation]!
    const { table, ...reading } = this.#reading(message)
    const version = BigInt(message.row_version)
    const committedAt = message.committed_at === null ? undefined : Date.parse(message.committed_at)
    const change = { table, operation, version, position }
    if (operation === 'truncate') return { change, committedAt, stream }
    const parts = rowsOf(message, { table, ...reading })
    return { change: { ...change, ...parts }, committedAt, stream }
  }

  #reading({ schema, table: name }: Message): Reading {
    const table = this.shapeOf(schema, name)
    if (!table) {
      throw poison(`the table ${schema}.${name} is not known here`, {
        table: `${schema}.${name}`,
        hint: 'Create it, or have the message’s table left out where the stream is published.'
      })
    }
    let reading = this.#readings.get(table)
    if (!reading) {
      const names = table.columns.map(column => column.name)
      reading = { table, names, known: new Set(names), kinds: table.columns.map(kindOf) }
      this.#readings.set(table, reading)
    }
    return reading
  }
}

const openingOf = ({ stream, change: { table } }: Decoded): Opening => ({
  stream,
  table,
  names: table.columns.map(({ name }, at) => `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`),
  kinds: table.columns.map(kindOf)
})

/** The parts of a change that are about its row. */
function rowsOf(message: Message, reading: Reading): Pick<Change, 'row' | 'old' | 'absent'> {
  const { key, new_record: now, old_record: before } = message
  const { table } = reading
  const deletes = message.operation === 'DELETE'
  if (deletes ? before !== null || key !== null : now !== null) {
    if (deletes) return { old: lineBefore(reading, before ?? key!) }
    const { line, absent } = lineNow(reading, now!, message.absent ?? [])
    return {
      row: line,
      ...(before !== null && { old: lineBefore(reading, before) }),
      ...(absent.length > 0 && { absent })
    }
  }
  if (deletes || key === null) {
    throw poison(`a message of ${nameOf(table)} has neither a key nor a row`, { table: nameOf(table) })
  }
  const others = table.columns.slice(table.keyLength).map(column => column.name)
  const { line, absent } = lineNow(reading, key, others)
  return { row: line, ...(absent.length > 0 && { absent }) }
}

function lineNow(
  reading: Reading,
  record: MessageRecord,
  leftOut: readonly string[]
): { line: string; absent: number[] } {
  const { table, names } = reading
  refuseUnknown(reading, record)
  const absent: number[] = []
  const values = names.map((name, at) => {
    if (Object.hasOwn(record, name)) return textOf(reading, at, record[name]!)
    if (at < table.keyLength)
      throw poison(`a message of ${nameOf(table)} lacks ${name}, of the key`, { table: nameOf(table) })
    // The message is older than the column: the row has what rows had then, where that is known.
    const missing = leftOut.includes(name) ? undefined : table.columns[at]!.missing
    if (missing !== undefined) return missing
    absent.push(at)
    return null
  })
  return { line: lineOf(values), absent }
}

/** All columns where all are there, else the key's alone. */
function lineBefore(reading: Reading, record: MessageRecord): string {
  const { table, names } = reading
  refuseUnknown(reading, record)
  const whole = names.every(name => Object.hasOwn(record, name))
  const wanted = whole ? names : names.slice(0, table.keyLength)
  if (wanted.length === 0 || !wanted.every(name => Object.hasOwn(record, name)))
    throw poison(`a message of ${nameOf(table)} lacks a column of the key`, { table: nameOf(table) })
  return lineOf(wanted.map((name, at) => textOf(reading, at, record[name]!)))
}

function refuseUnknown({ known, table }: Reading, record: MessageRecord): void {
  for (const name of Object.keys(record)) {
    if (known.has(name)) continue
    throw poison(`${nameOf(table)} has no column ${name} here, and a message brings one`, {
      table: nameOf(table),
      hint: `Add it (ALTER TABLE ${nameOf(table)} ADD COLUMN …), then bring the message again.`
    })
  }
}

function textOf({ kinds, names, table }: Reading, at: number, value: MessageValue): string | null {
  if (value === null || typeof value === 'string') return value
  const kind = kinds[at]
  if (typeof value === 'boolean' && kind === 'flag') return value ? 't' : 'f'
  if (typeof value === 'number' && kind === 'whole' && Number.isSafeInteger(value)) return String(value)
  if (typeof value === 'number' && kind === 'fraction')
    return floatText(value, table.columns[at]!.base === 'real' ? 6 : 15)
  throw poison(`${JSON.stringify(value)} is no value of the column ${names[at]} of ${nameOf(table)}`, {
    table: nameOf(table)
  })
}

function parse(text: string): Message {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw poison('a message is not JSON', { cause })
  }
  if (!isObject(value)) throw poison('a message is no JSON object')
  if (value.version !== messageVersion) {
    throw poison(`a message has the version ${JSON.stringify(value.version)}, not ${messageVersion}`, {
      hint: 'Publish and apply with the same pgsyncer, or a newer one here.'
    })
  }
  const wrong = Object.entries(fields).find(([name, fits]) => !fits(value[name]))
  if (wrong) throw poison(`a message has no ${wrong[0]} that can be read`)
  return value as unknown as Message
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isRecord = (value: unknown) => value === null || isObject(value)

const fields: Readonly<Record<string, (value: unknown) => boolean>> = {
  stream: isText,
  schema: isText,
  table: isText,
  operation: value => isText(value) && Object.hasOwn(operations, value),
  position: isText,
  row_version: value => isText(value) && /^\d{1,19}$/.test(value),
  committed_at: value => value === null || (isText(value) && !Number.isNaN(Date.parse(value))),
  key: isRecord,
  new_record: isRecord,
  old_record: isRecord,
  absent: value => value === undefined || (Array.isArray(value) && value.every(isText))
}

const poison = (message: string, details: ConstructorParameters<typeof FollowError>[1] = {}) =>
  new FollowError(message, details)
