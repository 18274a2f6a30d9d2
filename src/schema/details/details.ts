/** What handlers and the planner know of objects beyond their definitions: columns, checks, types and routines, by OID. */

/** OIDs below are initdb's, and not of what users made. */
export const firstUserOid = 16384

export interface Column {
  readonly number: number
  readonly name: string
  /** As SQL, with its modifier. */
  readonly type: string
  readonly typeOid: number
  /** Qualified, where it is not the type's own. */
  readonly collation: string | null
  readonly notNull: boolean
  /** '', 'a'lways or by 'd'efault. */
  readonly identity: string
  /** '', 's'tored or 'v'irtual. */
  readonly generated: string
  readonly default: string | null
  /** OID in pg_attrdef. */
  readonly defaultOid: number | null
  readonly storage: string
  readonly typeStorage: string
  readonly compression: string
  readonly statistics: number
  readonly options: readonly string[] | null
  /** Defined by the table itself, not only by its parents. */
  readonly local: boolean
  readonly parents: number
}

export interface Check {
  readonly oid: number
  readonly name: string
  readonly definition: string
  readonly local: boolean
  readonly parents: number
}

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** Qualified and quoted. */
  readonly sql: string
  /** `pg_class.relkind`. */
  readonly kind: string
  readonly persistence: string
  readonly options: readonly string[] | null
  readonly toastOptions: readonly string[] | null
  readonly forceRowSecurity: boolean
  readonly replicaIdentity: string
  readonly isPartition: boolean
  readonly populated: boolean
  readonly ofType: string | null
  readonly rowType: number
  readonly partitionKey: string | null
  /** Numbers of the columns that are the key; 0 for an expression. */
  readonly partitionColumns: readonly number[]
  readonly bound: string | null
  readonly parents: readonly string[]
  readonly parentOids: readonly number[]
  readonly columns: readonly Column[]
  readonly checks: readonly Check[]
}

export interface DomainCheck {
  readonly oid: number
  readonly name: string
  readonly definition: string
}

export interface TypeDetail {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly sql: string
  /** `pg_type.typtype`: b(ase), c(omposite), d(omain), e(num), p(seudo), r(ange), m(ultirange). */
  readonly kind: string
  /** The relation of a composite type, or 0. */
  readonly relation: number
  readonly array: number
  readonly multirange: number
  /** Of a domain. */
  readonly base: string
  readonly baseOid: number
  readonly notNull: boolean
  /** As SQL. */
  readonly default: string | null
  readonly collation: string | null
  readonly labels: readonly string[]
  readonly checks: readonly DomainCheck[]
}

export interface Routine {
  readonly oid: number
  readonly kind: string
  readonly result: string | null
  readonly arguments: string
  /** Without defaults. */
  readonly identity: string
  readonly defaults: number
  readonly language: string
}

export interface Details {
  readonly relations: ReadonlyMap<number, Relation>
  readonly types: ReadonlyMap<number, TypeDetail>
  readonly routines: ReadonlyMap<number, Routine>
  /** The standby's sequences that were used: their last value. */
  readonly sequences: ReadonlyMap<number, string>
  /** `source target` of every cast that is not by way of text. */
  readonly casts: ReadonlySet<string>
  readonly extensions: ReadonlyMap<string, { readonly relocatable: boolean }>
}
