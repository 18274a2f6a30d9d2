/**
 * A batch as what is to be inserted: of each key the last row or its removal, with the change's version. A key that was left behind is
 * removed; a removal is a row of the key alone that says that it is deleted.
 */
import type { Change } from '../../ports.js'
import { type FollowedTable, keyOf } from '../../table.js'

/** A table's part of a batch, in the order of the changes. */
export interface Part {
  readonly table: FollowedTable
  /** Key → the change that counts, and whether it leaves a row. */
  readonly rows: Map<string, { change: Change; gone: boolean }>
}

export type Step = { readonly truncate: FollowedTable } | { readonly parts: readonly Part[] }

/** What to do, one after the other; the parts of a step are of different tables. */
export function stepsOf(changes: readonly Change[]): Step[] {
  const steps: Step[] = []
  let parts = new Map<FollowedTable, Part>()
  const flush = () => {
    if (parts.size > 0) steps.push({ parts: [...parts.values()] })
    parts = new Map()
  }
  for (const change of changes) {
    const { table, operation, row, old } = change
    if (operation === 'truncate') {
      flush()
      steps.push({ truncate: table })
      continue
    }
    let part = parts.get(table)
    if (!part) parts.set(table, (part = { table, rows: new Map() }))
    const key = row === undefined ? undefined : keyOf(table, row)
    const left = old === undefined ? undefined : keyOf(table, old)
    if (left !== undefined && left !== key) put(part, left, { change, gone: true })
    if (key !== undefined) put(part, key, { change, gone: false })
  }
  flush()
  return steps
}

/** The later one stands behind all that were before it. */
function put({ rows }: Part, key: string, entry: { change: Change; gone: boolean }): void {
  rows.delete(key)
  rows.set(key, entry)
}
