/**
 * An entry is one object as pg_dump tells of it, wherever it was read from. Its key is the same on both sides
 * exactly where the object is the same one: built from the names it goes by in SQL, never from OIDs or dump ids.
 */
type Section = 'pre-data' | 'post-data'

/** An object as a reader (pg_dump's archive, or the catalogs) tells of it, before it has its key. */
export interface RawEntry {
  /** Unique within one reading; what others depend on is named by it. */
  dumpId: number
  /** OIDs of the catalog and of the object's row in it; 0 where it has none of its own. */
  catalog: number
  oid: number
  name: string
  kind: string
  /** 1: none, 2: pre-data, 3: data, 4: post-data. */
  section: number
  definition: string
  drop: string
  schema: string
  /** null: an object that has no tablespace; '': the database's own. */
  tablespace: string | null
  accessMethod: string | null
  /** `pg_class.relkind`, from archive version 1.16 on. */
  relkind: string | null
  owner: string
  dependencies: number[]
}

export interface Entry {
  /** Unique within its side only. */
  readonly dumpId: number
  readonly kind: string
  readonly schema: string
  readonly name: string
  readonly owner: string
  readonly definition: string
  /** Empty where the object cannot be dropped by itself. */
  readonly drop: string
  readonly dependencies: readonly number[]
  readonly section: Section
  readonly catalogId: { readonly catalog: number; readonly oid: number }
  /** null: has none. '': the database's own. */
  readonly tablespace: string | null
  readonly accessMethod: string | null
  readonly relkind: string | null
  readonly key: string
  /** What it is on or belongs to: the table of an index or trigger, the object of a comment. */
  readonly parent: Entry | undefined
}

/** Settings of the dump and what is never structure. */
const ignored = kinds(
  'ENCODING, STDSTRINGS, SEARCHPATH, DATABASE, DATABASE PROPERTIES, TABLE DATA, SEQUENCE SET, MATERIALIZED VIEW DATA',
  'STATISTICS DATA, BLOB, BLOBS, BLOB METADATA, LARGE OBJECT'
)

/** Objects of our own bookkeeping live in this schema and are of no side. */
const ownSchema = 'pgsyncer'

/** Also what a capture has put on the user's tables: it is there for who reads this server's changes, and says nothing of the tables. */
function isOurs({ kind, schema, name, definition }: RawEntry): boolean {
  if (schema === ownSchema) return true
  if (kind === 'TRIGGER') return /EXECUTE (FUNCTION|PROCEDURE) "?pgsyncer"?\./.test(definition)
  return kind.startsWith('PUBLICATION') && name.startsWith('pgsyncer_')
}

const commented = kinds('COMMENT, SECURITY LABEL, ACL')

/** Say something about another object, and are shown with it where it is created as well. */
export const satelliteKinds = kinds(
  'COMMENT, SECURITY LABEL, ACL, ROW SECURITY, DEFAULT, SEQUENCE OWNED BY, TABLE ATTACH, INDEX ATTACH'
)

/** Named `table name`, unique only within their table (or view, or domain). */
const namedWithin = kinds('CONSTRAINT, FK CONSTRAINT, CHECK CONSTRAINT, DEFAULT, TRIGGER, RULE, POLICY')

export const tableKinds = kinds('TABLE, FOREIGN TABLE, MATERIALIZED VIEW, VIEW')

/** Whose name repeats; their DROP says which is meant. */
const namedByDrop = kinds('OPERATOR, OPERATOR CLASS, OPERATOR FAMILY, CAST, TRANSFORM')

type Draft = { -readonly [Key in keyof Entry]: Entry[Key] }

/** The entries that are structure, in the order in which they can be made. */
export function entriesOf(raws: readonly RawEntry[]): Entry[] {
  const drafts = new Map<number, Draft>()
  let section: Section = 'pre-data'
  for (const raw of raws) {
    if (raw.section === 4) section = 'post-data'
    if (ignored.has(raw.kind) || isOurs(raw)) continue
    drafts.set(raw.dumpId, draftOf(raw, raw.section === 2 ? 'pre-data' : section))
  }
  const keys = new Set<string>()
  for (const draft of drafts.values()) {
    draft.parent = parentOf(draft, drafts)
    // Comments have no section of their own.
    if (commented.has(draft.kind) && draft.parent) draft.section = draft.parent.section
    draft.key = unused(keyOf(draft), keys)
  }
  return [...drafts.values()].filter(entry => !isOwnOrUsual(entry))
}

/** An entry that no dump told of. */
export function madeEntry(kind: string, schema: string, name: string, definition: string): Entry {
  return {
    dumpId: 0,
    kind,
    schema,
    name,
    owner: '',
    definition,
    drop: '',
    dependencies: [],
    section: 'pre-data',
    catalogId: { catalog: 0, oid: 0 },
    tablespace: null,
    accessMethod: null,
    relkind: null,
    key: [kind, schema, name].join('\0'),
    parent: undefined
  }
}

function kinds(...lists: string[]): ReadonlySet<string> {
  return new Set(lists.flatMap(list => list.split(', ')))
}

/** The name within its table: `orders_pkey` of `orders orders_pkey`. */
export function nameWithin(entry: Entry): string {
  const { parent } = entry
  return parent && namedWithin.has(entry.kind) ? entry.name.slice(parent.name.length + 1) : entry.name
}

function draftOf(raw: RawEntry, section: Section): Draft {
  const { catalog, oid, ...rest } = raw
  return { ...rest, section, catalogId: { catalog, oid }, key: '', parent: undefined }
}

function parentOf(entry: Draft, all: ReadonlyMap<number, Draft>): Entry | undefined {
  const candidates = entry.dependencies.flatMap(id => all.get(id) ?? [])
  if (commented.has(entry.kind)) return candidates[0]
  if (namedWithin.has(entry.kind)) {
    // A foreign key names two tables, and the one's name may begin as the other's does.
    return candidates
      .filter(
        other =>
          (tableKinds.has(other.kind) || other.kind === 'DOMAIN') && entry.name.startsWith(`${other.name} `)
      )
      .toSorted((a, b) => b.name.length - a.name.length)[0]
  }
  switch (entry.kind) {
    case 'INDEX':
      return candidates.find(other => tableKinds.has(other.kind))
    case 'ROW SECURITY':
    case 'TABLE ATTACH':
      return candidates.find(other => tableKinds.has(other.kind) && other.name === entry.name)
    case 'SEQUENCE OWNED BY':
      return candidates.find(other => other.kind === 'SEQUENCE')
    case 'INDEX ATTACH':
      return candidates.find(
        other =>
          (other.kind === 'INDEX' && other.name === entry.name) ||
          (other.kind === 'CONSTRAINT' && nameWithin(other) === entry.name)
      )
    default:
      return undefined
  }
}

function keyOf(entry: Entry): string {
  const { kind, schema, name, parent } = entry
  if (parent && namedWithin.has(kind))
    return [kind, schema, parent.kind, parent.name, nameWithin(entry)].join('\0')
  // Of a schema that is as initdb left it a dump does not tell, but of its grants and comment it does.
  // Whether a check is an entry of its own or a line of its table, its comment is the same.
  if (kind === 'COMMENT' && name.startsWith('CONSTRAINT ')) return [kind, schema, name].join('\0')
  if (parent && parent.kind !== 'SCHEMA' && commented.has(kind)) return [kind, parent.key, name].join('\0')
  if (kind === 'DEFAULT ACL') return [kind, schema, name, entry.owner].join('\0')
  if (namedByDrop.has(kind)) return [kind, schema, name, entry.drop].join('\0')
  return [kind, schema, name].join('\0')
}

function unused(key: string, keys: Set<string>): string {
  let free = key
  for (let count = 2; keys.has(free); count++) free = `${key}\0#${count}`
  keys.add(free)
  return free
}

/** Our own schema, and the comment that initdb gives to `public`. */
function isOwnOrUsual(entry: Entry): boolean {
  if (entry.kind === 'SCHEMA') return entry.name === ownSchema
  if (entry.kind !== 'COMMENT' || entry.parent?.kind !== 'SCHEMA') return false
  return (
    entry.parent.name === ownSchema ||
    (entry.parent.name === 'public' && entry.definition.includes(`'standard public schema'`))
  )
}
