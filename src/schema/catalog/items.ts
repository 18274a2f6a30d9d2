/**
 * What the catalogs' readers collect: entries without their numbers, which name what they need by its row in the
 * catalogs (`class:oid`), as pg_depend does.
 */
import type { Server } from '../../postgres/server.js'
import type { SchemaScope } from '../change.js'
import type { RawEntry } from '../entry.js'
import type { Quote } from './text.js'

export interface Item extends Omit<RawEntry, 'dumpId' | 'dependencies'> {
  /** In the order in which entry.ts looks for the parent. */
  needs: (Item | string)[]
  /** How COMMENT ON and GRANT name it: its own name, or a column's of it. Undefined: takes no comment. */
  label?: Label
}

export interface Label {
  kind: string
  /** Without the schema. */
  tag: string
  sql: string
}

/** Names and OIDs of the catalogs, as pg_dump records them. */
export const classes = {
  type: 1247,
  proc: 1255,
  relation: 1259,
  defaultAcl: 826,
  attrdef: 2604,
  cast: 2605,
  constraint: 2606,
  namespace: 2615,
  rule: 2618,
  trigger: 2620,
  extension: 3079,
  policy: 3256,
  statistics: 3381,
  collation: 3456,
  eventTrigger: 3466,
  publication: 6104,
  publicationTable: 6106,
  publicationSchema: 6237
} as const

export function ref(catalog: number, oid: number | string): string {
  return `${catalog}:${oid}`
}

export class Items {
  readonly list: Item[] = []
  readonly #byRef = new Map<string, Item>()
  readonly #labels = new Map<string, Label>()
  readonly #hidden = new Set<Item>()

  add(some: Partial<Item> & Pick<Item, 'kind' | 'name' | 'definition'>): Item {
    const item: Item = {
      catalog: 0,
      oid: 0,
      section: 2,
      drop: '',
      schema: '',
      tablespace: null,
      accessMethod: null,
      relkind: null,
      owner: '',
      needs: [],
      ...some
    }
    this.list.push(item)
    if (item.catalog && item.oid) this.#byRef.set(ref(item.catalog, item.oid), item)
    return item
  }

  /** A row of the catalogs that is told of within another's entry; `label` is how comments name it. */
  alias(name: string, item: Item, label?: Label): void {
    if (!this.#byRef.has(name)) this.#byRef.set(name, item)
    if (label) this.#labels.set(name, label)
  }

  /** Told of by its comments and grants only. */
  hide(item: Item): void {
    this.#hidden.add(item)
  }

  isHidden(item: Item): boolean {
    return this.#hidden.has(item)
  }

  /** Undefined for a row that no comment is printed of. */
  labelOf(name: string): Label | undefined {
    const item = this.#byRef.get(name)
    return this.#labels.get(name) ?? (item && ref(item.catalog, item.oid) === name ? item.label : undefined)
  }

  get(name: string): Item | undefined {
    return this.#byRef.get(name)
  }

  needsOf(item: Item): Item[] {
    return item.needs.flatMap(need => (typeof need === 'string' ? (this.get(need) ?? []) : need))
  }
}

/** What every reader of a kind gets. */
export interface Reading {
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>
  readonly can: Server['can']
  readonly scope: SchemaScope
  /** OIDs of the scope's schemas. */
  readonly schemas: readonly number[]
  /** As pg_dump prints a name: quoted where it must be. */
  readonly quote: Quote
  /** `schema.name` */
  path(schema: string, name: string): string
  readonly items: Items
  readonly privileges: boolean
}

/** SQL: the row is of no extension. */
export function free(catalog: keyof typeof classes, oid: string): string {
  return `NOT EXISTS (SELECT 1 FROM pg_depend m WHERE m.classid = ${classes[catalog]} AND m.objid = ${oid} AND m.deptype = 'e')`
}
