/**
 * Indexes and keys: made anew, unless only what is said of them differs (that the table is clustered on it, or told
 * apart by it in replication), which needs no new index.
 */
import type { Entry } from '../entry.js'
import { alteration, sql, type Handler, type Pair } from './handler.js'

export const indexHandler: Handler = {
  mark(pair, { fate }) {
    if (!differsInRemarks(pair)) fate.drop(pair.standby, 'changed', 'its definition differs')
  },
  alter(pair, { main }) {
    const there = new Set(partsOf(pair.standby).remarks)
    const { remarks } = partsOf(pair.main)
    const table = pair.main.parent
    const isClustered = main.entries.some(
      entry => entry.parent === table && partsOf(entry).remarks.some(isCluster)
    )
    const unclustered = [...there].filter(remark => isCluster(remark) && !isClustered)
    return alteration({
      structure: [
        ...unclustered.map(remark => sql(remark.replace(/ CLUSTER ON [\s\S]*$/, ' SET WITHOUT CLUSTER;'))),
        ...remarks.filter(remark => !there.has(remark)).map(remark => sql(remark))
      ]
    })
  }
}

/** Another replica identity than by this index is the table's own to say. */
function differsInRemarks({ main, standby }: Pair): boolean {
  const [wanted, there] = [main, standby].map(partsOf)
  return (
    wanted!.index === there!.index &&
    [...wanted!.remarks, ...there!.remarks].every(
      remark => isCluster(remark) || / REPLICA IDENTITY USING INDEX /.test(remark)
    )
  )
}

function isCluster(remark: string): boolean {
  return / CLUSTER ON /.test(remark)
}

/** pg_dump writes the index, and then an ALTER for each thing more. */
function partsOf({ definition }: Entry): { index: string; remarks: string[] } {
  const [index = '', ...remarks] = definition.trim().split(/(?<=;)\n+(?=ALTER )/)
  return { index, remarks }
}
