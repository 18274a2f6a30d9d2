/**
 * From a row's line of COPY text to JSON's text, without an object between: PostgreSQL's numbers are JSON's as they stand, and text without a
 * backslash, a quote or a control character needs nothing but quotes.
 */
import { FollowError } from '../../core/errors.js'
import { valuesOf } from '../../postgres/copytext.js'
import type { Change, ChangeBatch } from '../ports.js'
import { keyOf, nameOf, type FollowedTable } from '../table.js'
import { kindOf, messageVersion, type Payload, type ValueKind } from './message.js'

export interface Encoded {
  /** `schema.table`, and behind a line's end the key's values as COPY writes them: what is to stay in order. */
  readonly key: string
  /** `schema.table` */
  readonly table: string
  readonly position: string
  readonly json: string
}

export interface EncoderOptions {
  readonly stream: string
  readonly payload?: Payload
}

/** Of one table: what all its messages have in common. */
interface Frame {
  readonly table: FollowedTable
  readonly name: string
  /** From the brace to the operation. */
  readonly head: string
  /** `"column":` each, with a comma before all but the first. */
  readonly names: readonly string[]
  readonly kinds: readonly ValueKind[]
}

/** What JSON writes otherwise: quotes, backslashes and control characters, but for the tab, which parts the values. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const special = /["\\\u0000-\u0008\u000a-\u001f]/

export class Encoder {
  readonly #frames = new WeakMap<FollowedTable, Frame>()
  readonly #stream: string
  readonly #payload: Payload

  constructor({ stream, payload = 'row' }: EncoderOptions) {
    this.#stream = JSON.stringify(stream)
    this.#payload = payload
  }

  /**
   * One message a change; a change of the key is two, the old key's DELETE and the new key's INSERT, each under its own key, so that
   * whatever keeps the messages of one key in order keeps this in order.
   * @throws FollowError where the new row is not whole, and so cannot be an INSERT.
   */
  encode(batch: ChangeBatch): Encoded[] {
    const { committedAt } = batch
    const time = committedAt === undefined ? 'null' : `"${new Date(committedAt).toISOString()}"`
    const result: Encoded[] = []
    for (const change of batch.changes) {
      const parts = movesKey(change) ? [departure(change), arrival(change)] : [change]
      for (const part of parts) result.push(this.#message(part, time))
    }
    return result
  }

  #message(change: Change, time: string): Encoded {
    const { table, operation, row, old, absent, version, position } = change
    const frame = this.#frame(table)
    const { name } = frame
    const line = row ?? old
    let key = 'null'
    let keyText = ''
    let records = ',"new_record":null,"old_record":null'
    if (line !== undefined && operation !== 'truncate') {
      if (table.keyLength > 0) {
        keyText = keyOf(table, line)
        key = record(frame, keyText)
      }
      if (this.#payload === 'row') {
        records = `,"new_record":${row === undefined ? 'null' : record(frame, row, absent)},"old_record":${
          old === undefined ? 'null' : record(frame, old)
        }`
        if (absent && absent.length > 0)
          records += `,"absent":${JSON.stringify(absent.map(index => table.columns[index]!.name))}`
      }
    }
    const json = `${frame.head}${operation.toUpperCase()}","position":${JSON.stringify(position)},"row_version":"${version}","committed_at":${time},"key":${key}${records}}`
    return { key: keyText === '' ? name : `${name}\n${keyText}`, table: name, position, json }
  }

  #frame(table: FollowedTable): Frame {
    let frame = this.#frames.get(table)
    if (!frame) {
      const { schema, name, columns } = table
      frame = {
        table,
        name: nameOf(table),
        head: `{"version":${messageVersion},"stream":${this.#stream},"schema":${JSON.stringify(schema)},"table":${JSON.stringify(name)},"operation":"`,
        names: columns.map((column, at) => `${at === 0 ? '' : ','}${JSON.stringify(column.name)}:`),
        kinds: columns.map(kindOf)
      }
      this.#frames.set(table, frame)
    }
    return frame
  }
}

function movesKey({ table, operation, row, old }: Change): boolean {
  return (
    operation === 'update' &&
    row !== undefined &&
    old !== undefined &&
    table.keyLength > 0 &&
    keyOf(table, row) !== keyOf(table, old)
  )
}

const departure = ({ table, old, version, position }: Change): Change => ({
  table,
  operation: 'delete',
  old: old!,
  version,
  position
})

/** The row under its new key: values that did not change are those that it had. */
function arrival({ table, row, old, absent = [], version, position }: Change): Change {
  const whole = { table, operation: 'insert', version, position } as const
  if (absent.length === 0) return { ...whole, row: row! }
  const before = old!.split('\t')
  if (before.length < table.columns.length) {
    throw new FollowError(
      `a row of ${nameOf(table)} got another key, and main does not tell all its values`,
      {
        table: nameOf(table),
        hint: `Let main tell them: ALTER TABLE ${nameOf(table)} REPLICA IDENTITY FULL`
      }
    )
  }
  const values = row!.split('\t')
  for (const index of absent) values[index] = before[index]!
  return { ...whole, row: values.join('\t') }
}

/** A line of all columns, or of the first ones alone, as a JSON object. */
function record({ names, kinds }: Frame, line: string, absent?: readonly number[]): string {
  const escaped = special.test(line)
  const values = line.split('\t')
  let text = '{'
  for (let i = 0; i < values.length; i++) {
    if (absent?.includes(i)) continue
    const value = values[i]!
    text += text.length === 1 && i > 0 ? names[i]!.slice(1) : names[i]!
    if (value === '\\N') text += 'null'
    else {
      switch (kinds[i]) {
        case 'whole':
          text += value
          break
        case 'flag':
          text += value === 't' ? 'true' : 'false'
          break
        case 'fraction':
          if (value.endsWith('y') || value.endsWith('N')) text += `"${value}"`
          // Most readers take a number without a point for a whole one, which has no sign where it is 0.
          else text += value === '-0' ? '-0.0' : value
          break
        default:
          text += escaped && special.test(value) ? JSON.stringify(valuesOf(value)[0]) : `"${value}"`
      }
    }
  }
  return `${text}}`
}
