/** Grants, as what must be revoked from and granted over what an object has when it is made. */
import { classes, type Item, type Reading, ref } from './items.js'
import type { Quote } from './text.js'

export interface Acl {
  /** What stands in the catalogs, null where it was never touched. */
  acl: string[] | null
  /** What a new object of this kind and owner has. */
  base: string[] | null
}

/** Letter → privilege, in pg_dump's order. */
const privileges: Record<string, [string, string][]> = {
  TABLE: [
    ['r', 'SELECT'],
    ['a', 'INSERT'],
    ['x', 'REFERENCES'],
    ['d', 'DELETE'],
    ['t', 'TRIGGER'],
    ['D', 'TRUNCATE'],
    ['m', 'MAINTAIN'],
    ['w', 'UPDATE']
  ],
  COLUMN: [
    ['r', 'SELECT'],
    ['a', 'INSERT'],
    ['x', 'REFERENCES'],
    ['w', 'UPDATE']
  ],
  SEQUENCE: [
    ['r', 'SELECT'],
    ['U', 'USAGE'],
    ['w', 'UPDATE']
  ],
  FUNCTION: [['X', 'EXECUTE']],
  TYPE: [['U', 'USAGE']],
  SCHEMA: [
    ['C', 'CREATE'],
    ['U', 'USAGE']
  ],
  'LARGE OBJECT': [
    ['r', 'SELECT'],
    ['w', 'UPDATE']
  ]
}

interface Target {
  /** As it stands after ON: TABLE, FUNCTION, … */
  type: string
  sql: string
  owner: string
  column?: string
  prefix?: string
  maintain: boolean
}

/** The statements, one a line; empty where the object has what a new one has. */
export function aclText(quote: Quote, { acl, base }: Acl, target: Target): string {
  if (acl === null) return ''
  const { type, sql, owner, prefix = '' } = target
  const usual = new Set(base)
  const there = new Set(acl)
  const revoked = (base ?? []).filter(item => !there.has(item)).map(item => parse(item, target))
  const granted = acl.filter(item => !usual.has(item)).map(item => parse(item, target))
  const who = (role: string) => (role === '' ? 'PUBLIC' : quote(role))
  const lines = revoked.flatMap(item => {
    const all = item.all || item.allWithOption
    const names = all ? [allOf(target)] : [...item.plain, ...item.withOption]
    return names.length > 0
      ? [`${prefix}REVOKE ${names.join(',')} ON ${type} ${sql} FROM ${who(item.grantee)};\n`]
      : []
  })
  for (const item of granted) {
    const grants: string[] = []
    const plain = item.all ? [allOf(target)] : item.allWithOption ? [] : item.plain
    const withOption = item.allWithOption ? [allOf(target)] : item.all ? [] : item.withOption
    if (plain.length > 0)
      grants.push(`${prefix}GRANT ${plain.join(',')} ON ${type} ${sql} TO ${who(item.grantee)};\n`)
    if (withOption.length > 0) {
      grants.push(
        `${prefix}GRANT ${withOption.join(',')} ON ${type} ${sql} TO ${who(item.grantee)} WITH GRANT OPTION;\n`
      )
    }
    if (item.grantor !== owner && grants.length > 0) {
      grants.unshift(`SET SESSION AUTHORIZATION ${quote(item.grantor)};\n`)
      grants.push('RESET SESSION AUTHORIZATION;\n')
    }
    lines.push(...grants)
  }
  return lines.join('')
}

/** The ACL entry of an object, if there is anything to say. */
export function addAcl(reading: Reading, item: Item, type: string, acl: Acl, sql = item.label?.sql): void {
  if (!reading.privileges || sql === undefined) return
  const { owner, schema } = item
  const definition = aclText(reading.quote, acl, { type, sql, owner, maintain: reading.can.maintain })
  if (definition === '') return
  // Within the entry's schema, the name is without it.
  const prefix = schema === '' ? '' : `${reading.quote(schema)}.`
  const tag = sql.startsWith(prefix) ? sql.slice(prefix.length) : sql
  reading.items.add({
    kind: 'ACL',
    schema,
    name: `${type} ${tag}`,
    definition,
    section: 1,
    owner,
    needs: [item]
  })
}

function allOf({ column }: Target): string {
  return column === undefined ? 'ALL' : `ALL(${column})`
}

function parse(item: string, target: Target) {
  const [, who = '', letters = '', by = ''] =
    /^("(?:[^"]|"")*"|[^"=]*)=([A-Za-z*]*)\/([\s\S]*)$/.exec(item) ?? []
  const plain: string[] = []
  const withOption: string[] = []
  const kind = target.column === undefined ? target.type.replace(/(?<=.)S$/, '') : 'COLUMN'
  const possible = (privileges[kind === 'PROCEDURE' ? 'FUNCTION' : kind] ?? []).filter(
    ([letter]) => letter !== 'm' || target.maintain
  )
  for (const [letter, name] of possible) {
    const at = letters.indexOf(letter)
    if (at < 0) continue
    const printed = target.column === undefined ? name : `${name}(${target.column})`
    const list = letters[at + 1] === '*' ? withOption : plain
    list.push(printed)
  }
  return {
    grantee: unquoted(who),
    grantor: unquoted(by),
    plain,
    withOption,
    all: plain.length === possible.length,
    allWithOption: withOption.length === possible.length
  }
}

function unquoted(role: string): string {
  return role.startsWith('"') ? role.slice(1, -1).replaceAll('""', '"') : role
}

const objects: Record<string, string> = {
  r: 'TABLES',
  S: 'SEQUENCES',
  f: 'FUNCTIONS',
  T: 'TYPES',
  n: 'SCHEMAS',
  L: 'LARGE OBJECTS'
}

export async function readDefaultAcls(reading: Reading): Promise<void> {
  const { quote, scope, schemas, items } = reading
  if (!reading.privileges || scope.tables) return
  const rows = await reading.query<
    Acl & { oid: number; type: string; role: string; nsp: number; schema: string | null }
  >(
    `SELECT d.oid, d.defaclobjtype::text AS type, pg_get_userbyid(d.defaclrole) AS role, d.defaclnamespace AS nsp,
      n.nspname::text AS schema, d.defaclacl::text[] AS acl,
      CASE WHEN d.defaclnamespace = 0 THEN acldefault(CASE WHEN d.defaclobjtype = 'S' THEN 's'::"char"
        ELSE d.defaclobjtype END, d.defaclrole)::text[] ELSE '{}'::text[] END AS base
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    WHERE d.defaclnamespace = ANY ($1::oid[]) OR ($2 AND d.defaclnamespace = 0) ORDER BY role, type`,
    [schemas, scope.all]
  )
  for (const row of rows) {
    const type = objects[row.type] ?? row.type
    const where = row.schema === null ? '' : `IN SCHEMA ${quote(row.schema)} `
    const definition = aclText(quote, row, {
      type,
      sql: '',
      owner: row.role,
      prefix: `ALTER DEFAULT PRIVILEGES FOR ROLE ${quote(row.role)} ${where}`,
      maintain: reading.can.maintain
    })
    if (definition === '') continue
    items.add({
      kind: 'DEFAULT ACL',
      catalog: classes.defaultAcl,
      oid: row.oid,
      schema: row.schema ?? '',
      name: `DEFAULT PRIVILEGES FOR ${type}`,
      owner: row.role,
      section: 4,
      definition,
      needs: [ref(classes.namespace, row.nsp)]
    })
  }
}
