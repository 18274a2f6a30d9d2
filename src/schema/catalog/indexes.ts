/** Indexes that are of no constraint, and what attaches a partition's index to the partitioned one. */
import { classes, free, type Reading, ref } from './items.js'
import type { Relation } from './relations.js'

interface IndexRow {
  oid: number
  relid: number
  name: string
  definition: string
  parent: number | null
  parentSchema: string | null
  parentName: string | null
  constraint: boolean
  tablespace: string
  clustered: boolean
  replica: boolean
  statistics: { column: number; target: number }[] | null
}

export async function readIndexes(reading: Reading, relations: ReadonlyMap<number, Relation>): Promise<void> {
  const { quote, items } = reading
  const rows = await reading.query<IndexRow>(indexesQuery, [[...relations.keys()]])
  for (const row of rows) {
    if (row.constraint) continue
    const table = relations.get(row.relid)!
    const { schema, owner } = table
    const path = reading.path(schema, row.name)
    items.add({
      kind: 'INDEX',
      catalog: classes.relation,
      oid: row.oid,
      schema,
      name: row.name,
      owner,
      section: 4,
      tablespace: row.tablespace,
      definition: [
        `${row.definition};\n`,
        ...(row.statistics ?? []).map(
          each => `ALTER INDEX ${path} ALTER COLUMN ${each.column} SET STATISTICS ${each.target};\n`
        ),
        row.clustered ? `\nALTER TABLE ${table.path} CLUSTER ON ${quote(row.name)};\n` : '',
        row.replica
          ? `\nALTER TABLE ONLY ${table.path} REPLICA IDENTITY USING INDEX ${quote(row.name)};\n`
          : ''
      ].join(''),
      drop: row.parent === null ? `DROP INDEX ${path};\n` : '',
      needs: [table.item, ...(row.parent === null ? [] : [ref(classes.relation, row.parent)])],
      label: { kind: 'INDEX', tag: quote(row.name), sql: path }
    })
  }
  for (const row of rows) {
    const { parent, parentSchema, parentName } = row
    if (parent === null || parentSchema === null || parentName === null) continue
    const table = relations.get(row.relid)!
    // A partition's primary key comes after the partitioned one's, as the key's index does.
    if (row.constraint) items.get(ref(classes.relation, row.oid))?.needs.push(ref(classes.relation, parent))
    items.add({
      kind: 'INDEX ATTACH',
      schema: table.schema,
      name: row.name,
      owner: table.owner,
      section: 4,
      definition: `ALTER INDEX ${reading.path(parentSchema, parentName)} ATTACH PARTITION ${reading.path(table.schema, row.name)};\n`,
      needs: [ref(classes.relation, row.oid), ref(classes.relation, parent), table.item]
    })
  }
}

const indexesQuery = `
SELECT i.indexrelid AS oid, i.indrelid AS relid, c.relname::text AS name, pg_get_indexdef(c.oid) AS definition, h.inhparent AS parent,
  pn.nspname::text AS "parentSchema", pc.relname::text AS "parentName",
  k.oid IS NOT NULL AS constraint, coalesce(s.spcname::text, '') AS tablespace, i.indisclustered AS clustered, i.indisreplident AS replica,
  (SELECT json_agg(json_build_object('column', a.attnum, 'target', a.attstattarget) ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0) AS statistics
FROM unnest($1::oid[]) AS r (oid) JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
LEFT JOIN pg_class pc ON pc.oid = h.inhparent LEFT JOIN pg_namespace pn ON pn.oid = pc.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x') AND k.conrelid = i.indrelid
WHERE (i.indisvalid OR c.relkind = 'I') AND i.indisready AND ${free('relation', 'c.oid')}
ORDER BY i.indrelid, c.relname COLLATE "C"`
