/**
 * Sequences: altered, and never their value, which is the data's: only one that the new bounds exclude is set to the
 * new start. An identity's sequence is altered through its column.
 */
import { qualified } from '../../postgres/quote.js'
import type { Entry } from '../entry.js'
import { alteration, sql, type Handler } from './handler.js'

const identity =
  /^ALTER TABLE ([\s\S]*) ALTER COLUMN ((?:"(?:[^"]|"")*"|\S)+) ADD (GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY \([\s\S]*\));\s*$/

/** The column whose identity the sequence is: table and column as SQL, and what made it one. */
export function identityOf(entry: Entry): { table: string; column: string; generated: string } | undefined {
  const [, table, column, generated] = identity.exec(entry.definition) ?? []
  return table !== undefined && column !== undefined && generated !== undefined
    ? { table, column, generated }
    : undefined
}

function ownerOf(entry: Entry): string | undefined {
  const of = identityOf(entry)
  return of && `${of.table} ${of.column}`
}

export const sequenceHandler: Handler = {
  mark({ main, standby }, { fate }) {
    // From serial to identity, or back: the column's handler lets go of it, this makes it anew.
    if (!identityOf(main) !== !identityOf(standby)) {
      fate.drop(standby, 'changed', 'it belongs to an identity column on one side only')
    }
    // That column or its table was renamed, and its sequence kept the name.
    if (ownerOf(main) !== ownerOf(standby)) fate.drop(standby, 'changed', 'it belongs to another column')
  },
  alter({ main, standby }, situation) {
    const last = situation.standby.details.sequences.get(standby.catalogId.oid) ?? null
    const options = optionsOf(main.definition)
    // One that was never used stands at its start.
    const moves =
      last === null ? options.start !== optionsOf(standby.definition).start : isOutside(last, options)
    const restart = moves ? `RESTART WITH ${options.start}` : undefined
    const column = identityOf(main)
    if (column) {
      const changes = [
        ...options.list.filter(option => !option.startsWith('AS ')),
        ...(restart ? [restart] : [])
      ]
      const set = changes.map(change => (change.startsWith('RESTART') ? change : `SET ${change}`)).join(' ')
      return alteration({
        structure: [
          sql(
            `ALTER TABLE ${column.table} ALTER COLUMN ${column.column} SET ${column.generated.split(' AS IDENTITY')[0]} ${set};`
          )
        ]
      })
    }
    const name = qualified(main.schema, main.name)
    const [unlogged, was] = [main, standby].map(entry => entry.definition.startsWith('CREATE UNLOGGED '))
    const all = [
      ...(options.bounded.some(option => option.startsWith('AS ')) ? [] : ['AS bigint']),
      ...options.bounded
    ]
    return alteration({
      structure: [
        ...(unlogged === was ? [] : [sql(`ALTER SEQUENCE ${name} SET ${unlogged ? 'UNLOGGED' : 'LOGGED'};`)]),
        sql(`ALTER SEQUENCE ${name} ${[...all, ...(restart ? [restart] : [])].join(' ')};`)
      ]
    })
  }
}

interface Options {
  list: string[]
  /** The same, with the bounds as numbers. */
  bounded: string[]
  start: string
  minimum: bigint
  maximum: bigint
}

const widths: Record<string, bigint> = { smallint: 2n ** 15n, integer: 2n ** 31n, bigint: 2n ** 63n }

/** pg_dump writes one option a line. */
function optionsOf(definition: string): Options {
  const lines = definition.split('\n').map(line => line.trim().replace(/;$/, ''))
  const list = lines.filter(line =>
    /^(AS|START WITH|INCREMENT BY|NO MINVALUE|MINVALUE|NO MAXVALUE|MAXVALUE|CACHE|CYCLE)\b/.test(line)
  )
  if (!list.includes('CYCLE')) list.push('NO CYCLE')
  const value = (word: string) => new RegExp(`^${word} (-?\\d+)$`, 'm').exec(list.join('\n'))?.[1]
  const type = list.find(option => option.startsWith('AS '))?.slice(3) ?? 'bigint'
  const width = widths[type] ?? widths.bigint!
  const falling = value('INCREMENT BY')?.startsWith('-') ?? false
  const minimum = BigInt(value('MINVALUE') ?? (falling ? -width : 1n))
  const maximum = BigInt(value('MAXVALUE') ?? (falling ? -1n : width - 1n))
  // Beside AS, PostgreSQL takes NO MINVALUE for the type's least value, whatever the direction: so numbers are given.
  const bounds = [`MINVALUE ${minimum}`, `MAXVALUE ${maximum}`]
  return {
    list,
    bounded: [...list.filter(option => !/M(IN|AX)VALUE/.test(option)), ...bounds],
    start: value('START WITH') ?? '1',
    minimum,
    maximum
  }
}

function isOutside(last: string, { minimum, maximum }: Options): boolean {
  return BigInt(last) < minimum || BigInt(last) > maximum
}
