/** What the numbers of a case mean: types, tables, keys and references that the server will take. No SQL is run here. */
import { ident, literal, qualified } from '../../../src/postgres/quote.js'
import { Names } from './names.js'
import type { ColumnSpec, ForeignKeySpec, Spec, TableSpec, TypeSpec, UserTypeSpec } from './spec.js'
import { arrayOf, builtins, rangeText, recordText, type Type } from './types.js'

/** The schemas of every case. */
export const schemas = ['public', 'Zw"ei .$1'] as const

export interface Column {
  name: string
  type: Type
  /** As it stands in DDL, where it is not `type.sql`. */
  declared?: string
  notNull: boolean
  /** identity, always, default, or '' */
  special: string
  generated?: string
  /** No two rows have the same: where none is NULL, `some` are, or `one` is. */
  distinct?: 'none' | 'one' | 'some'
  /** The value of the row n, as the type reads it; undefined: NULL. */
  value(n: number): string | undefined
}

export interface Key {
  name: string
  form: string
  columns: Column[]
  include?: Column
}

export interface Table {
  schema: string
  name: string
  /** `schema.name`, quoted. */
  sql: string
  form: TableSpec['form']
  spec: TableSpec
  columns: Column[]
  /** Of `columns`, those that come from the table that it inherits from. */
  inherited: Column[]
  parent?: Table
  /** Of a partitioned table. */
  part?: Column
  leaves: string[]
  keys: Key[]
  rows: number
  exclusion?: { column: Column; deferred: boolean }
  names: Names
}

export interface ForeignKey {
  name: string
  child: Table
  parent: Table
  columns: Column[]
  key: Key
  spec: ForeignKeySpec
}

export interface Model {
  /** DDL of the types. */
  types: string[]
  /** Enums by their SQL name. */
  enums: string[]
  tables: Table[]
  foreignKeys: ForeignKey[]
  /** Names of tables, indexes and types, which share a space. */
  names: Names
}

export const partitioned = (table: Table): boolean =>
  ['range', 'list', 'hash', 'nested', 'odd'].includes(table.form)

/** As a FROM item that means its own rows and its partitions', but not its heirs'. */
export const rowsOf = (table: Table): string => (partitioned(table) ? table.sql : `ONLY ${table.sql}`)

/** Columns that are written. */
export const written = (table: Table): Column[] =>
  table.columns.filter(column => column.generated === undefined)

export function at<T>(items: readonly T[], choice: number): T | undefined {
  return items[choice % items.length]
}

export function makeModel(spec: Spec): Model {
  const model: Model = { types: [], enums: [], tables: [], foreignKeys: [], names: new Names() }
  const own: Type[] = []
  for (const one of spec.types) own.push(...makeType(one, own, model))
  for (const one of spec.tables) model.tables.push(makeTable(one, own, model))
  for (const one of spec.foreignKeys) addForeignKey(one, model)
  return model
}

function typeOf({ own: mine, which, array }: TypeSpec, own: readonly Type[]): Type {
  const found = (mine && at(own, which)) || at(builtins, which)!
  return array ? arrayOf(found) : found
}

function makeType(spec: UserTypeSpec, own: readonly Type[], model: Model): Type[] {
  const sql = qualified(schemas[spec.parts.length > 2 ? 1 : 0], model.names.take(spec.name, 'type'))
  const parts = spec.parts.map(part => typeOf(part, own))
  const [first] = parts as [Type]
  const collate = first.collate === undefined ? '' : ` COLLATE ${first.collate}`
  switch (spec.kind) {
    case 'enum': {
      const names = new Names()
      const labels = spec.labels.map(label => names.take(label, 'label'))
      model.types.push(`CREATE TYPE ${sql} AS ENUM (${labels.map(literal).join(', ')})`)
      model.enums.push(sql)
      return [{ sql, values: labels, btree: true }]
    }
    case 'domain': {
      model.types.push(`CREATE DOMAIN ${sql} AS ${first.sql}${collate} CHECK (VALUE IS NULL OR true)`)
      const { derive: _, integer: __, collate: ___, ...rest } = first
      return [{ ...rest, sql, ...(model.enums.includes(first.sql) && { unreferable: true }) }]
    }
    case 'composite': {
      const fields = parts.map(
        (part, i) => `f${i} ${part.sql}${part.collate ? ` COLLATE ${part.collate}` : ''}`
      )
      model.types.push(`CREATE TYPE ${sql} AS (${fields.join(', ')})`)
      const pick = (i: number) => recordText(parts.map(part => at(part.values, i)))
      const { nth } = first
      const ordered = parts.every(part => part.btree)
      return [
        {
          sql,
          values: [recordText(parts.map(() => undefined)), pick(0), pick(1), pick(2)],
          ...(parts.some(part => part.unreferable) && { unreferable: true }),
          ...(ordered && { btree: true }),
          ...(ordered &&
            nth && {
              nth: (n: number) => recordText(parts.map((part, i) => (i === 0 ? nth(n) : part.values[0])))
            })
        }
      ]
    }
    case 'range': {
      const { nth } = first
      // A subtype has an order and no modifier; of the ranges over ranges one level is enough.
      if (!first.btree || !nth || /[(]|range|\./.test(first.sql)) return []
      const multi = qualified('public', model.names.take(0, 'multi'))
      const collation = first.collate === undefined ? '' : `, COLLATION = ${first.collate}`
      model.types.push(
        `CREATE TYPE ${sql} AS RANGE (SUBTYPE = ${first.sql}${collation}, MULTIRANGE_TYPE_NAME = ${multi})`
      )
      const only = (n: number) => rangeText(nth(n), nth(n))
      const values = ['empty', '(,)', only(1), only(2)]
      // It is hashed only where its subtype is.
      return [
        { sql, values, nth: only, btree: true, unreferable: true },
        {
          sql: multi,
          unreferable: true,
          values: ['{}', ...values.slice(1).map(one => `{${one}}`)],
          nth: n => `{${only(n)}}`,
          btree: true
        }
      ]
    }
  }
}

function makeTable(spec: TableSpec, own: readonly Type[], model: Model): Table {
  const schema = schemas[spec.second ? 1 : 0]
  const name = model.names.take(spec.name, 'table')
  const parent = spec.form === 'inherits' ? model.tables.findLast(one => !partitioned(one)) : undefined
  const form = spec.form === 'inherits' && !parent ? 'plain' : spec.form
  const table: Table = {
    schema,
    name,
    sql: qualified(schema, name),
    form,
    spec,
    columns: parent ? parent.columns.map(heirOf) : [],
    inherited: [],
    ...(parent && { parent }),
    leaves: [],
    keys: [],
    rows: spec.rows,
    names: new Names()
  }
  table.inherited = [...table.columns]
  for (const column of table.columns) table.names.take(0, column.name)
  if (partitioned(table)) {
    table.part = {
      name: table.names.take(0, 'part'),
      type: builtins[0]!,
      notNull: true,
      special: '',
      ...(form === 'list' ? { value: n => String(n % 4) } : { value: String, distinct: 'none' })
    }
    table.columns.push(table.part)
  }
  for (const one of spec.columns) table.columns.push(makeColumn(one, own, table))
  spec.keys.forEach((key, i) => addKey(table, key, i, model))
  if (spec.exclusion !== '' && !partitioned(table)) addExclusion(table)
  return table
}

/** An heir's own of a column: NOT NULL of the heir is not its parent's. */
function heirOf(column: Column): Column {
  const own: Column = {
    ...column,
    special: '',
    value: n =>
      column.value(n) ??
      (own.notNull ? (column.distinct ? column.type.nth!(20_000 + n) : column.type.values[0]) : undefined)
  }
  return own
}

function makeColumn(spec: ColumnSpec, own: readonly Type[], table: Table): Column {
  const wanted = typeOf(spec.type, own)
  const counted = ['identity', 'always', 'serial'].includes(spec.special)
  const type = counted && !wanted.integer ? builtins[0]! : wanted
  const { values } = type
  const column: Column = {
    name: table.names.take(spec.name, 'column'),
    type,
    notNull: spec.notNull || counted,
    special: spec.special,
    value: n =>
      !column.notNull && (n + spec.salt) % 4 === 3
        ? undefined
        : values[(n * (1 + (spec.salt % 5)) + spec.salt) % values.length]
  }
  if (spec.special === 'serial') {
    const sizes: Record<string, string> = { integer: 'serial', bigint: 'bigserial', smallint: 'smallserial' }
    column.declared = sizes[type.sql]!
  }
  if (spec.special === 'default' && type.role) column.special = ''
  if (spec.special === 'generated') {
    const from = table.columns.find(one => one.type.derive && one.generated === undefined)
    if (!from) return column
    const { sql, type: result } = from.type.derive!
    const computed = builtins.find(one => one.sql === result && one.collate === undefined)!
    return { ...column, type: computed, notNull: false, generated: sql.replace('%', () => ident(from.name)) }
  }
  return column
}

const strictness = ['some', 'one', 'none'] as const

/** Makes a column's values distinct, if they are not, with no more NULLs than that. */
function distinguish(column: Column, nulls: 'none' | 'some' | 'one'): void {
  const { nth } = column.type
  if (column.distinct !== undefined) {
    if (strictness.indexOf(nulls) > strictness.indexOf(column.distinct)) column.distinct = nulls
    return
  }
  column.distinct = nulls
  // In the order of the rows, or mixed: 10007 is prime, and there are fewer rows.
  const mixed = (column.value(0)?.length ?? 0) % 2 === 1
  column.value = n => {
    const none = column.distinct === 'some' ? n % 3 === 2 : column.distinct === 'one' && n === 0
    return none && !column.notNull ? undefined : nth!(mixed ? (n * 7919) % 10_007 : n)
  }
}

function addKey(table: Table, spec: TableSpec['keys'][number], index: number, model: Model): void {
  const candidates = table.columns.filter(column => column.type.btree && column.generated === undefined)
  const chosen = [...new Set(spec.columns.map(choice => at(candidates, choice)!))].filter(Boolean)
  const lead = chosen.find(column => column.type.nth && !(column === table.part && table.form === 'list'))
  if (!lead) return
  const primary =
    ['primary', 'deferrable', 'deferred'].includes(spec.form) && !table.keys.some(key => isPrimary(key))
  const form =
    spec.form === 'primary' && !primary
      ? 'unique'
      : primary && spec.form !== 'primary'
        ? `primary ${spec.form}`
        : spec.form
  if (form === 'expression' && (partitioned(table) || !lead.type.derive)) return
  const columns = table.part && !chosen.includes(table.part) ? [table.part, ...chosen] : chosen
  const nullable = ['nullable', 'alike', 'partial', 'expression'].includes(form)
  if (!nullable) for (const column of columns) column.notNull = true
  distinguish(lead, form === 'alike' ? 'one' : nullable ? 'some' : 'none')
  const include =
    form === 'include'
      ? table.columns.find(column => !columns.includes(column) && !column.generated)
      : undefined
  table.keys.push({
    name: model.names.take(0, `key${index}_${model.tables.length}`),
    form,
    columns: form === 'expression' ? [lead] : columns,
    ...(include && { include })
  })
}

export const isPrimary = (key: Key): boolean => key.form.startsWith('primary')

const plain = new Set(['unique', 'index', 'include', 'nullable', 'alike'])

/** Rows can be matched by it: it is unique, not null, plain, and immediate or primary. */
export const usable = (key: Key): boolean =>
  isPrimary(key) || (plain.has(key.form) && key.columns.every(column => column.notNull))

function addExclusion(table: Table): void {
  const { exclusion } = table.spec
  const boxes = exclusion === 'box'
  const type = builtins.find(one => one.sql === (boxes ? 'box' : 'int4range'))!
  const column: Column = {
    name: table.names.take(0, 'excluded'),
    type,
    notNull: false,
    special: '',
    value: n => (n % 7 === 6 ? undefined : boxes ? `(${n}.9,1),(${n}.1,0)` : `[${n * 3},${n * 3 + 3})`)
  }
  table.columns.push(column)
  table.exclusion = { column, deferred: exclusion === 'deferred' }
}

const forms = new Set(['primary', 'unique', 'index', 'include', 'nullable'])

/**
 * PostgreSQL 15 cannot check a foreign key over arrays where it wants to know their element's type, nor one that it would have to hash, nor make
 * one over a domain of an enum.
 */
const referable = (key: Key): boolean =>
  forms.has(key.form) && !key.columns.some(({ type }) => type.list || type.unreferable)

function addForeignKey(spec: ForeignKeySpec, model: Model): void {
  const parents = model.tables.filter(table => table.keys.some(referable))
  const parent = at(parents, spec.parent)
  if (!parent) return
  // What has heirs gets no more columns: theirs are made already.
  const children = model.tables.filter(
    table =>
      !model.tables.some(heir => heir.parent === table) &&
      (table.form === 'unlogged' || parent.form !== 'unlogged')
  )
  const child = at(children, spec.child)
  if (!child) return
  const key = at(parent.keys.filter(referable), spec.key)!
  const target = (n: number) => (n * (1 + (spec.salt % 3)) + spec.salt) % parent.rows
  const values = key.columns.map(column => column.value)
  const whole = (n: number) => values.every(value => value(target(n)) !== undefined)
  const notNull = spec.notNull && key.form !== 'nullable' && parent.rows > 0
  const columns = key.columns.map((column, i): Column => ({
    name: child.names.take(i === 0 ? spec.name : 0, `ref${model.foreignKeys.length}_${i}`),
    type: column.type,
    notNull,
    special: '',
    value: n =>
      parent.rows === 0 || !whole(n) || (!notNull && (n + spec.salt) % 5 === 4)
        ? undefined
        : values[i]!(target(n))
  }))
  child.columns.push(...columns)
  model.foreignKeys.push({
    name: model.names.take(0, `fk${model.foreignKeys.length}`),
    child,
    parent,
    columns,
    key,
    spec
  })
}
