/** Publications, their tables and their schemas. */
import { classes, type Reading, ref } from './items.js'

interface PublicationRow {
  oid: number
  name: string
  owner: string
  all: boolean
  actions: string
  viaRoot: boolean
  generated: string | null
}

interface MemberRow {
  oid: number
  publication: number
  name: string
  owner: string
  object: number
  schema: string
  table: string | null
  columns: string[] | null
  filter: string | null
}

export async function readPublications(reading: Reading): Promise<void> {
  const { can, quote, items } = reading
  const rows = await reading.query<PublicationRow>(
    `SELECT p.oid, p.pubname::text AS name, pg_get_userbyid(p.pubowner) AS owner, p.puballtables AS all,
      concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
        CASE WHEN p.pubdelete THEN 'delete' END${can.procedures ? `, CASE WHEN p.pubtruncate THEN 'truncate' END` : ''}) AS actions,
      coalesce((to_jsonb(p)->>'pubviaroot')::boolean, false) AS "viaRoot", to_jsonb(p)->>'pubgencols' AS generated
    FROM pg_publication p`
  )
  for (const row of rows) {
    const name = quote(row.name)
    const options = [
      `publish = '${row.actions}'`,
      ...(row.viaRoot ? ['publish_via_partition_root = true'] : []),
      ...(row.generated === 's' ? ['publish_generated_columns = stored'] : [])
    ]
    items.add({
      kind: 'PUBLICATION',
      catalog: classes.publication,
      oid: row.oid,
      name: row.name,
      owner: row.owner,
      section: 4,
      definition: `CREATE PUBLICATION ${name}${row.all ? ' FOR ALL TABLES' : ''} WITH (${options.join(', ')});\n`,
      drop: `DROP PUBLICATION ${name};\n`,
      label: { kind: 'PUBLICATION', tag: name, sql: name }
    })
  }
  if (rows.length === 0) return
  for (const row of await reading.query<MemberRow>(membersQuery(reading))) addMember(reading, row)
}

function addMember(reading: Reading, row: MemberRow): void {
  const { quote, items } = reading
  const head = `ALTER PUBLICATION ${quote(row.name)} ADD`
  const needs = [ref(classes.publication, row.publication)]
  if (row.table === null) {
    items.add({
      kind: 'PUBLICATION TABLES IN SCHEMA',
      catalog: classes.publicationSchema,
      oid: row.oid,
      schema: row.schema,
      name: `${row.name} ${row.schema}`,
      owner: row.owner,
      section: 4,
      definition: `${head} TABLES IN SCHEMA ${quote(row.schema)};\n`,
      needs: [...needs, ref(classes.namespace, row.object)]
    })
    return
  }
  const columns = row.columns ? ` (${row.columns.map(quote).join(', ')})` : ''
  const filter = row.filter === null ? '' : ` WHERE (${row.filter})`
  items.add({
    kind: 'PUBLICATION TABLE',
    catalog: classes.publicationTable,
    oid: row.oid,
    schema: row.schema,
    name: `${row.name} ${row.table}`,
    owner: row.owner,
    section: 4,
    definition: `${head} TABLE ONLY ${reading.path(row.schema, row.table)}${columns}${filter};\n`,
    needs: [...needs, ref(classes.relation, row.object)]
  })
}

const membersQuery = ({ can }: Reading) => {
  const details = can.publicationDetails
    ? `(SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) AS columns, pg_get_expr(r.prqual, r.prrelid) AS filter`
    : 'NULL AS columns, NULL AS filter'
  const schemas = can.publicationDetails
    ? `UNION ALL SELECT s.oid, s.pnpubid, p.pubname::text, pg_get_userbyid(p.pubowner), s.pnnspid, n.nspname::text, NULL, NULL, NULL
      FROM pg_publication_namespace s JOIN pg_publication p ON p.oid = s.pnpubid JOIN pg_namespace n ON n.oid = s.pnnspid`
    : ''
  return `SELECT r.oid, r.prpubid AS publication, p.pubname::text AS name, pg_get_userbyid(p.pubowner) AS owner, r.prrelid AS object,
    n.nspname::text AS schema, c.relname::text AS table, ${details}
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace ${schemas}`
}
