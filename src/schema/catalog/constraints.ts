/** Defaults and constraints: which stand within their table, and which are entries of their own. */
import { classes, type Reading, ref } from './items.js'
import type { Relation } from './relations.js'
import { storageOptions } from './text.js'

interface ConstraintRow {
  oid: number
  relid: number
  name: string
  type: 'p' | 'u' | 'x' | 'c' | 'f'
  definition: string
  valid: boolean
  local: boolean
  index: number
  tablespace: string
  referenced: number
  /** Of its index. */
  options: readonly string[] | null
  clustered: boolean
  replica: boolean
}

export async function readConstraints(
  reading: Reading,
  relations: ReadonlyMap<number, Relation>
): Promise<void> {
  const { items } = reading
  const rows = await reading.query<ConstraintRow>(constraintsQuery(reading), [[...relations.keys()]])
  for (const row of rows) {
    const table = relations.get(row.relid)!
    if (row.type !== 'c') addConstraint(reading, table, row)
    else if (row.valid) {
      table.checks.push(row)
      items.alias(ref(classes.constraint, row.oid), table.item, labelOf(reading, table, row.name))
    } else if (row.local) addCheck(reading, table, row)
  }
}

function labelOf({ quote }: Reading, table: Relation, constraint: string) {
  const name = quote(constraint)
  return { kind: 'CONSTRAINT', tag: `${name} ON ${quote(table.name)}`, sql: `${name} ON ${table.path}` }
}

/** A check that is not validated, or that rests on something that rests on the table. */
export function addCheck(
  reading: Reading,
  table: Relation,
  check: Pick<ConstraintRow, 'oid' | 'name' | 'definition'>
): void {
  const { quote, items } = reading
  const alter = `ALTER ${table.kind === 'f' ? 'FOREIGN ' : ''}TABLE ${table.path}`
  items.add({
    kind: 'CHECK CONSTRAINT',
    catalog: classes.constraint,
    oid: check.oid,
    schema: table.schema,
    name: `${table.name} ${check.name}`,
    owner: table.owner,
    section: 4,
    definition: `${alter}\n    ADD CONSTRAINT ${quote(check.name)} ${check.definition};\n`,
    drop: `${alter} DROP CONSTRAINT ${quote(check.name)};\n`,
    needs: [table.item],
    label: labelOf(reading, table, check.name)
  })
}

function addConstraint(reading: Reading, table: Relation, row: ConstraintRow): void {
  const { quote, items } = reading
  const foreign = row.type === 'f'
  const name = quote(row.name)
  const only = foreign && table.kind === 'p' ? '' : 'ONLY '
  const alter = `ALTER ${table.kind === 'f' ? 'FOREIGN ' : ''}TABLE ${only}${table.path}`
  const item = items.add({
    kind: foreign ? 'FK CONSTRAINT' : 'CONSTRAINT',
    catalog: classes.constraint,
    oid: row.oid,
    schema: table.schema,
    name: `${table.name} ${row.name}`,
    owner: table.owner,
    section: 4,
    tablespace: foreign ? null : row.tablespace,
    definition:
      `${alter}\n    ADD CONSTRAINT ${name} ${withOptions(quote, row)};\n` +
      (row.clustered ? `\nALTER TABLE ${table.path} CLUSTER ON ${name};\n` : '') +
      (row.replica ? `\nALTER TABLE ONLY ${table.path} REPLICA IDENTITY USING INDEX ${name};\n` : ''),
    drop: `${alter} DROP CONSTRAINT ${name};\n`,
    needs: [table.item, ...(foreign ? [ref(classes.relation, row.referenced)] : [])],
    label: labelOf(reading, table, row.name)
  })
  if (foreign) return
  const sql = reading.path(table.schema, row.name)
  items.alias(ref(classes.relation, row.index), item, { kind: 'INDEX', tag: name, sql })
}

/** PostgreSQL prints them within an exclusion constraint alone. */
function withOptions(quote: Reading['quote'], { type, definition, options }: ConstraintRow): string {
  const list = storageOptions(quote, options).join(', ')
  if (list === '' || type === 'x') return definition
  const [, head, tail = ''] = /^([\s\S]*?)((?: NOT)? DEFERRABLE.*| INITIALLY.*)?$/.exec(definition)!
  return `${head} WITH (${list})${tail}`
}

const constraintsQuery = ({ can }: Reading) => `
SELECT k.oid, k.conrelid AS relid, k.conname::text AS name, k.contype::text AS type, pg_get_constraintdef(k.oid) AS definition,
  k.convalidated AS valid, k.conislocal AS local, k.conindid AS index, k.confrelid AS referenced,
  coalesce(s.spcname::text, '') AS tablespace, to_json(c.reloptions) AS options, coalesce(i.indisclustered, false) AS clustered, coalesce(i.indisreplident, false) AS replica
FROM unnest($1::oid[]) AS r (oid) JOIN pg_constraint k ON k.conrelid = r.oid
LEFT JOIN pg_class c ON c.oid = k.conindid AND k.contype <> 'f' LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f')${can.constraintParents ? ` AND (k.contype <> 'f' OR k.conparentid = 0)` : ''}
ORDER BY k.conrelid, k.conname COLLATE "C"`

/** A default that stands apart, such as of a column that is inherited or a serial's. */
export function addDefaults(
  reading: Reading,
  relations: ReadonlyMap<number, Relation>,
  apart: ReadonlySet<string>
): void {
  const { quote, items } = reading
  for (const table of relations.values()) {
    for (const column of table.columns) {
      if (column.default === null) continue
      const key = ref(classes.attrdef, column.default.oid)
      if (!apart.has(key)) {
        items.alias(key, table.item)
        continue
      }
      const head = `TABLE ${table.path} ALTER COLUMN ${quote(column.name)}`
      const foreign = table.kind === 'f' ? 'FOREIGN ' : ''
      items.add({
        kind: 'DEFAULT',
        catalog: column.default.oid > 0 ? classes.attrdef : 0,
        oid: Math.max(column.default.oid, 0),
        schema: table.schema,
        name: `${table.name} ${column.name}`,
        owner: table.owner,
        definition: `ALTER ${foreign}TABLE ONLY ${table.path} ALTER COLUMN ${quote(column.name)} SET DEFAULT ${column.default.text};\n`,
        drop: `ALTER ${foreign}${head} DROP DEFAULT;\n`,
        needs: [table.item]
      })
    }
  }
}
