/** How far each table was read by its id, and the text that a sink remembers of it: ids of one length, so that a later text is greater. */
import { FollowError } from '../../core/errors.js'
import type { Position, Start } from '../ports.js'

/** Digits of the greatest bigint. */
const digits = 19

export class Watermarks {
  /** @param tables `schema.table` of all, in the order in which they stand in a position. */
  constructor(
    private readonly tables: readonly string[],
    private readonly marks = new Map<string, bigint>()
  ) {}

  /** Where a stream begins: a table that was copied later than the others, behind its copy. */
  static from(tables: readonly string[], { after, since }: Start): Watermarks {
    const marks = new Map<string, bigint>()
    for (const [table, id] of read(after)) marks.set(table, id)
    for (const [table, position] of Object.entries(since)) {
      const id = read(position).get(table)
      if (id !== undefined && id > (marks.get(table) ?? -1n)) marks.set(table, id)
    }
    return new Watermarks(tables, marks)
  }

  get(table: string): bigint | undefined {
    return this.marks.get(table)
  }

  /** Never goes back. */
  set(table: string, id: bigint): void {
    const now = this.marks.get(table)
    if (now === undefined || id > now) this.marks.set(table, id)
  }

  get position(): Position {
    return this.#text(table => pad(this.marks.get(table)))
  }

  /** What the position is with another id of this table: its text before and behind that id. */
  around(table: string): [string, string] {
    const [before = '', behind = ''] = this.#text(one =>
      one === table ? '?' : pad(this.marks.get(one))
    ).split('"?"')
    return [`${before}"`, `"${behind}`]
  }

  #text(idOf: (table: string) => string): string {
    return JSON.stringify(Object.fromEntries(this.tables.map(table => [table, idOf(table)])))
  }
}

export const pad = (id: bigint | undefined): string =>
  String(id === undefined || id < 0n ? 0n : id).padStart(digits, '0')

function read(position: Position | null): Map<string, bigint> {
  if (!position) return new Map()
  try {
    const marks = JSON.parse(position) as Record<string, string>
    return new Map(Object.entries(marks).map(([table, id]) => [table, BigInt(id)]))
  } catch (cause) {
    throw new FollowError(`${position} is no position of a stream that reads by ids`, {
      cause,
      hint: 'The record is of another kind of source: give this stream a --name of its own.'
    })
  }
}
