/**
 * What fast-check makes up: small numbers and lists, in which every sub-list and every smaller number is a case too, so
 * that shrinking needs to know nothing. model.ts says what they mean.
 */
import fc from 'fast-check'
import { nameChoices } from './names.js'

const choice = fc.nat({ max: 9999 })
const name = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat({ max: nameChoices }) }
)
const seldom = fc.oneof(
  { weight: 5, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) }
)
const list = <T>(item: fc.Arbitrary<T>, maxLength: number, minLength = 0) =>
  fc.array(item, { minLength, maxLength, size: 'max' })

/** A column's type: a built-in one or one of the case's own, by itself or as an array. */
const type = fc.record({ own: fc.boolean(), which: choice, array: seldom })

const userType = fc.record({
  name,
  kind: fc.constantFrom('enum', 'domain', 'composite', 'range'),
  parts: list(type, 3, 1),
  labels: list(name, 4, 1)
})

const column = fc.record({
  name,
  type,
  salt: fc.nat({ max: 99 }),
  notNull: seldom,
  special: fc.constantFrom('', '', '', '', 'identity', 'always', 'generated', 'default', 'serial')
})

const key = fc.record({
  form: fc.constantFrom(
    'primary', 'primary', 'primary', 'unique', 'nullable', 'index', 'include', 'deferrable', 'deferred', 'partial',
    'expression', 'alike'
  ),
  columns: list(choice, 3, 1)
}) // prettier-ignore

const table = fc.record({
  name,
  second: seldom,
  form: fc.constantFrom('plain', 'plain', 'plain', 'plain', 'unlogged', 'range', 'list', 'hash', 'nested', 'inherits', 'odd'),
  columns: list(column, 6),
  keys: list(key, 3),
  rows: fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 30 }) }, { weight: 1, arbitrary: fc.nat({ max: 250 }) }),
  exclusion: fc.constantFrom('', '', '', '', '', 'range', 'box', 'deferred'),
  indexes: list(fc.record({ form: fc.constantFrom('btree', 'hash', 'brin', 'gin', 'expression', 'partial'), column: choice }), 2),
  check: seldom,
  extras: fc.constantFrom('', '', '', '', '', 'trigger', 'rule', 'security', 'view', 'matview', 'matrows', 'matempty', 'dropped')
}) // prettier-ignore

const foreignKey = fc.record({
  name,
  child: choice,
  parent: choice,
  key: choice,
  salt: fc.nat({ max: 99 }),
  notNull: seldom,
  onDelete: fc.constantFrom('', 'CASCADE', 'SET NULL', 'SET DEFAULT', 'RESTRICT'),
  onUpdate: fc.constantFrom('', 'CASCADE', 'SET NULL', 'RESTRICT'),
  full: seldom,
  time: fc.constantFrom('', '', 'DEFERRABLE', 'DEFERRABLE INITIALLY DEFERRED')
})

/** What happens to rows. Rows and columns are chosen by number, modulo how many there are. */
const change = fc.record({
  /** On main instead of the standby. */
  main: seldom,
  /** Past the standby's foreign keys and triggers. */
  silent: seldom,
  what: fc.constantFrom(
    'insert', 'insert', 'delete', 'update', 'update', 'key', 'swap', 'rotate', 'copy', 'truncate', 'thin', 'sequence', 'shuffle'
  ),
  table: choice,
  row: fc.nat({ max: 300 }),
  column: choice,
  value: fc.nat({ max: 300 })
}) // prettier-ignore

/** What happens to the standby's structure. */
const alteration = fc.record({
  what: fc.constantFrom(
    'drop table', 'drop column', 'add column', 'retype', 'not null', 'drop not null', 'drop index', 'drop constraint', 'rename column',
    'rename table', 'add table', 'add index', 'add check', 'default', 'unlogged', 'detach', 'label', 'drop type', 'drop view',
    'add view', 'comment', 'replace key', 'drop schema', 'not valid'
  ),
  table: choice,
  column: choice
}) // prettier-ignore

const options = fc.record({
  chunkSize: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(25, 100, 10_000)),
  workers: fc.constantFrom(1, 2, 2, 4),
  keepExtra: seldom,
  strictHash: seldom,
  verify: seldom,
  fdwMode: seldom,
  plainOwner: seldom,
  structure: fc.constantFrom('', '', '', 'pgdump', 'catalog', 'psql', 'concurrent')
})

export const spec = fc.record({
  types: list(userType, 4),
  tables: list(table, 4, 1),
  foreignKeys: list(foreignKey, 4),
  changes: list(change, 10),
  alterations: list(alteration, 3),
  options
})

type ValueOf<T> = T extends fc.Arbitrary<infer V> ? V : never
export type Spec = ValueOf<typeof spec>
export type UserTypeSpec = ValueOf<typeof userType>
export type TypeSpec = ValueOf<typeof type>
export type ColumnSpec = ValueOf<typeof column>
export type TableSpec = ValueOf<typeof table>
export type ForeignKeySpec = ValueOf<typeof foreignKey>
export type ChangeSpec = ValueOf<typeof change>
export type AlterationSpec = ValueOf<typeof alteration>
