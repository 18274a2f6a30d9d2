/**
 * Messages of a slot's stream become changes. All that was committed lies in the order of the commits, each transaction from Begin to Commit.
 * (PostgreSQL's documentation, "Logical Replication Message Formats".)
 */
import { FollowError } from '../../../core/errors.js'
import { lineOf, type TextRow } from '../../../postgres/copytext.js'
import type { Change, Operation, Position } from '../../ports.js'
import { nameOf } from '../../table.js'
import type { Assembly } from './assembly.js'
import { partsOf, positionOf, type Lsn } from './position.js'
import type { Relation, Relations } from './relations.js'
import { readLine, readTuple, type Tuple } from './tuple.js'

const [keepalive, data] = Buffer.from('kw')
const [begin, commit, insert, update, del, truncate, relation] = Buffer.from('BCIUDTR')
/** Origin, Type, Message: nothing that we need. */
const ignored = new Set(Buffer.from('OYM'))
const [newTuple] = Buffer.from('N')
const [keyTuple] = Buffer.from('K')
/** Where in XLogData the message of the plugin begins. */
const head = 25
/** Milliseconds from 1970 to 2000, where PostgreSQL's time begins. */
const epoch = 946_684_800_000

interface Transaction {
  readonly lsn: Lsn
  readonly committedAt: number
  readonly id: number
  /** Changes that are done since an earlier run. */
  readonly skip: number
  /** Changes so far, whether ours or not. */
  count: number
}

export class Decoder {
  #transaction: Transaction | undefined
  /** `since`, as it is asked for each change: '' where nothing is said of the table. */
  readonly #since = new WeakMap<Relation, Lsn>()
  readonly #start: ReturnType<typeof partsOf> | undefined
  /** All that was committed before is in the assembly or was: known while no transaction is on its way. */
  seen: Lsn
  /** Main wants to hear of progress. */
  asked = false

  /** @param since by `schema.table`: changes that were committed before are not wanted. */
  constructor(
    private readonly relations: Relations,
    private readonly assembly: Assembly,
    after: Position | null,
    begin: Lsn,
    private readonly since: Readonly<Record<string, Position>>
  ) {
    this.#start = after === null ? undefined : partsOf(after)
    this.seen = begin
  }

  get isWithin(): boolean {
    return this.#transaction !== undefined
  }

  /** @param renewed called where a table's shape is a new one from here on. */
  take(message: Buffer, renewed: () => void): Promise<void> | undefined {
    if (message[0] === keepalive) {
      if (this.#transaction) return undefined
      this.#see(message.toString('hex', 1, 9))
      this.asked ||= message[17] === 1
      return undefined
    }
    if (message[0] !== data) throw unknown('message', message[0])
    const tag = message[head]
    if (tag === insert || tag === update || tag === del) this.#change(message)
    else if (tag === begin) this.#begin(message)
    else if (tag === commit) {
      const end = message.toString('hex', head + 10, head + 18)
      this.#transaction = undefined
      this.#see(end)
      this.assembly.end(positionOf(end))
    } else if (tag === truncate) this.#truncate(message)
    else if (tag === relation) return this.#learn(message, renewed)
    else if (!ignored.has(tag!)) throw unknown('change', tag)
    return undefined
  }

  async #learn(message: Buffer, renewed: () => void): Promise<void> {
    if (await this.relations.learn(message.subarray(head))) renewed()
  }

  #see(lsn: Lsn): void {
    if (lsn > this.seen) this.seen = lsn
  }

  #begin(message: Buffer): void {
    const lsn = message.toString('hex', head + 1, head + 9)
    const committedAt = epoch + Number(message.readBigInt64BE(head + 9) / 1000n)
    const start = this.#start
    const skip = start === undefined || lsn > start.lsn ? 0 : lsn === start.lsn ? start.done : Infinity
    this.#transaction = { lsn, committedAt, id: message.readUInt32BE(head + 17), skip, count: 0 }
  }

  #change(message: Buffer): void {
    const tag = message[head]
    const position = this.#next()
    const relation = this.#wanted(this.relations.get(message.readUInt32BE(head + 1)))
    if (position === undefined || relation === undefined) return
    const { table, order } = relation
    const at = head + 5
    const version = message.readBigUInt64BE(1)
    const kind = message[at]
    const line = kind === newTuple && relation.inOrder ? readLine(message, at + 1, order.length) : undefined
    if (line !== undefined)
      return this.#add({
        table,
        operation: tag === insert ? 'insert' : 'update',
        row: line,
        version,
        position
      })
    const first = readTuple(message, at + 1, order)
    if (tag === insert)
      return this.#add({ table, operation: 'insert', row: lineOf(first.values), version, position })
    const old = kind === newTuple ? undefined : oldLine(first, relation, kind === keyTuple)
    if (tag === del) return this.#add({ table, operation: 'delete', old: old!, version, position })
    const now =
      old === undefined ? first : filled(readTuple(message, first.end + 1, order), first, relation, kind!)
    this.#add({
      table,
      operation: 'update',
      row: lineOf(now.values),
      ...(old !== undefined && { old }),
      ...(now.absent.length > 0 && { absent: now.absent, transaction: this.#transaction!.id }),
      version,
      position
    })
  }

  #truncate(message: Buffer): void {
    const version = message.readBigUInt64BE(1)
    const operation: Operation = 'truncate'
    for (const one of this.relations.truncated(message.subarray(head))) {
      const position = this.#next()
      const relation = this.#wanted(one)
      if (position !== undefined && relation)
        this.#add({ table: relation.table, operation, version, position })
    }
  }

  /** Counts one more change; undefined: it is done already. */
  #next(): Position | undefined {
    const transaction = this.#transaction
    if (!transaction) throw new FollowError('main sent a change without a transaction')
    const count = ++transaction.count
    return count <= transaction.skip ? undefined : positionOf(transaction.lsn, count)
  }

  #wanted(relation: Relation | undefined): Relation | undefined {
    if (!relation) return undefined
    let since = this.#since.get(relation)
    if (since === undefined) {
      const position = this.since[nameOf(relation.table)]
      this.#since.set(relation, (since = position === undefined ? '' : partsOf(position).lsn))
    }
    return this.#transaction!.lsn < since ? undefined : relation
  }

  #add(change: Change): void {
    this.assembly.add(change, this.#transaction!.committedAt)
  }
}

/** The row as it was: its key alone, or all of it. */
function oldLine({ values }: Tuple, { table }: Relation, isKey: boolean): string {
  return lineOf(isKey ? values.slice(0, table.keyLength) : values)
}

/** What is not told of the new row is taken from the old one, as far as that is told. */
function filled(now: Tuple, old: Tuple, { table }: Relation, kind: number): Tuple {
  if (now.absent.length === 0) return now
  const known = kind === keyTuple ? table.keyLength : table.columns.length
  const values: TextRow = [...now.values]
  const absent = now.absent.filter(at => at >= known || old.absent.includes(at))
  for (const at of now.absent) if (!absent.includes(at)) values[at] = old.values[at]!
  return { ...now, values, absent }
}

function unknown(what: string, tag: number | undefined): FollowError {
  return new FollowError(`main sent a ${what} of an unknown kind (${tag})`)
}
