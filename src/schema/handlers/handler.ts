/**
 * What a handler is: it knows one kind of object that both sides have and that differs. `mark` says what must go,
 * change its type or be put aside for it, before anybody's fate is settled; `alter` writes the statements when all is.
 */
import type { Hazard } from '../change.js'
import type { Entry } from '../entry.js'
import type { Fate } from '../fate.js'
import type { Side, Standby } from '../side.js'

export interface Pair {
  readonly main: Entry
  readonly standby: Entry
}

export interface Situation {
  readonly main: Side
  readonly standby: Standby
  readonly fate: Fate
  /** Main's entries that the statements of another one have made: an identity that came with its column. */
  readonly made: Set<Entry>
  /** `table OID:column` on the standby: the default was dropped, and main's must be set again. */
  readonly bared: Set<string>
  /** `table OID:column` on the standby: it holds a value that main's type cannot take. */
  readonly unfit: Set<string>
}

export interface Sql {
  readonly sql: string
  readonly hazards: readonly Hazard[]
  /** What it removes is something main does not have: `--clean-extra` allows it. */
  readonly extra?: boolean
}

export interface Alteration {
  /** Before the transaction, each by itself. */
  readonly outside: Sql[]
  readonly structure: Sql[]
  /** After the rows: what these must satisfy, each by itself. */
  readonly late: Sql[][]
}

export interface Handler {
  mark(pair: Pair, situation: Situation): void
  /** Called for what stays where it is; undefined where there is nothing to say. */
  alter?(pair: Pair, situation: Situation): Alteration
}

export function sql(text: string, ...hazards: Hazard[]): Sql {
  return { sql: text, hazards }
}

export function alteration(some: Partial<Alteration> = {}): Alteration {
  return { outside: [], structure: [], late: [], ...some }
}
