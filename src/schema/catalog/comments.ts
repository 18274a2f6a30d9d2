/** Comments on everything that was read. */
import { classes, type Reading } from './items.js'
import { text } from './text.js'

export async function readComments(reading: Reading): Promise<void> {
  const { items } = reading
  const rows = await reading.query<{ name: string; column: number; comment: string }>(
    `SELECT classoid::int8 || ':' || objoid::int8 AS name, objsubid AS column, description AS comment FROM pg_description
    WHERE objoid >= 16384 OR classoid = ${classes.namespace}`
  )
  for (const { name, column, comment } of rows) {
    const key = column === 0 ? name : `${name}:${column}`
    const label = items.labelOf(key)
    const item = items.get(key)
    if (!label || !item) continue
    if (items.isHidden(item) && comment === 'standard public schema') continue
    items.add({
      kind: 'COMMENT',
      schema: item.schema,
      name: `${label.kind} ${label.tag}`,
      owner: item.owner,
      section: 1,
      definition: `COMMENT ON ${label.kind} ${label.sql} IS ${text(comment)};\n`,
      needs: [item]
    })
  }
}
