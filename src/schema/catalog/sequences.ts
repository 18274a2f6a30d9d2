/** A sequence: of its own, owned by a column, or a column's identity. */
import type { Reading } from './items.js'
import type { Relation } from './relations.js'

export interface SequenceDetails {
  type: string
  start: string
  increment: string
  min: string
  max: string
  cache: string
  cycle: boolean
}

const greatest: Record<string, string> = {
  smallint: '32767',
  integer: '2147483647',
  bigint: '9223372036854775807'
}

const least: Record<string, string> = {
  smallint: '-32768',
  integer: '-2147483648',
  bigint: '-9223372036854775808'
}

export function addSequence(reading: Reading, relation: Relation, table: Relation | undefined): void {
  const { quote, items, can } = reading
  const { sequence, ownedBy, path, item } = relation
  if (!sequence) return
  const tablePath = ownedBy && reading.path(ownedBy.schema, ownedBy.table)
  if (ownedBy?.identity) {
    const always = ownedBy.identity === 'a' ? 'ALWAYS' : 'BY DEFAULT'
    // An unlogged table's has been unlogged as well since there are such sequences; either can be altered.
    const differs = can.unloggedSequences && table && table.persistence !== relation.persistence
    const persistence = !differs ? '' : relation.persistence === 'u' ? '\n    UNLOGGED' : '\n    LOGGED'
    item.drop = ''
    item.definition =
      `ALTER TABLE ${tablePath} ALTER COLUMN ${quote(ownedBy.column)} ADD GENERATED ${always} AS IDENTITY (\n` +
      `    SEQUENCE NAME ${path}${persistence}${settingsOf(sequence)}\n);\n`
    return
  }
  const type = sequence.type === 'bigint' ? '' : `\n    AS ${sequence.type}`
  const persistence = relation.persistence === 'u' ? 'UNLOGGED ' : ''
  item.definition = `CREATE ${persistence}SEQUENCE ${path}${type}${settingsOf(sequence)};\n`
  if (!ownedBy) return
  items.add({
    kind: 'SEQUENCE OWNED BY',
    schema: relation.schema,
    name: relation.name,
    owner: relation.owner,
    definition: `ALTER SEQUENCE ${path} OWNED BY ${tablePath}.${quote(ownedBy.column)};\n`,
    needs: [item, `1259:${ownedBy.relid}`]
  })
}

function settingsOf({ type, start, increment, min, max, cache, cycle }: SequenceDetails): string {
  const up = !increment.startsWith('-')
  const usualMin = up ? '1' : least[type]
  const usualMax = up ? greatest[type] : '-1'
  return [
    `START WITH ${start}`,
    `INCREMENT BY ${increment}`,
    min === usualMin ? 'NO MINVALUE' : `MINVALUE ${min}`,
    max === usualMax ? 'NO MAXVALUE' : `MAXVALUE ${max}`,
    `CACHE ${cache}`,
    ...(cycle ? ['CYCLE'] : [])
  ]
    .map(line => `\n    ${line}`)
    .join('')
}
