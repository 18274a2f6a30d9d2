/** One side of a comparison with its lookups. An entry is found by its key, by its row in the catalogs, or by its dump id. */
import type { Dependents } from './dependents.js'
import type { Details, Relation } from './details/details.js'
import type { Entry } from './entry.js'

export interface Side {
  readonly entries: readonly Entry[]
  readonly byKey: ReadonlyMap<string, Entry>
  readonly byId: ReadonlyMap<number, Entry>
  readonly details: Details
  /** The entry that is this object itself, not one that says something of it. */
  find(catalog: number, oid: number): Entry | undefined
}

export interface Standby extends Side {
  readonly dependents: Dependents
}

/** Share the OID of what they are about. */
const notItself = new Set(['TABLE ATTACH', 'INDEX ATTACH', 'SEQUENCE OWNED BY', 'ROW SECURITY'])

export function makeSide(entries: readonly Entry[], details: Details): Side {
  const byObject = new Map(
    entries
      .filter(entry => entry.catalogId.oid !== 0 && !notItself.has(entry.kind))
      .map(entry => [`${entry.catalogId.catalog}:${entry.catalogId.oid}`, entry])
  )
  return {
    entries,
    byKey: new Map(entries.map(entry => [entry.key, entry])),
    byId: new Map(entries.map(entry => [entry.dumpId, entry])),
    details,
    find: (catalog, oid) => byObject.get(`${catalog}:${oid}`)
  }
}

/** The details of a table, view or sequence. */
export function relationOf(side: Side, entry: Entry): Relation | undefined {
  return side.details.relations.get(entry.catalogId.oid)
}
