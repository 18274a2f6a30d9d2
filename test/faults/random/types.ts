/**
 * The types that columns have, each with values at its edges: what is equal and prints differently, what is greatest,
 * least, empty or infinite, and what COPY, arrays and records must quote. Values are text, as the type reads it.
 */

export interface Type {
  /** As it stands in DDL. */
  sql: string
  /** COLLATE clause of a column, if any. */
  collate?: string
  values: readonly string[]
  /** A value for each n ≥ 0, no two of which are equal or print alike; left out where the type is in no key. */
  nth?: (n: number) => string
  /** A key of this type must be used: its values sort or match on every server as they print. */
  exact?: boolean
  /** It has a btree operator class, so that it may stand in a key beside others. */
  btree?: boolean
  /** Whole numbers: what identity, generated and partition columns are made of. */
  integer?: boolean
  /** How a generated column is computed from it, over `%`, and of which type that is. */
  derive?: { sql: string; type: string }
  /** A default of it would depend on a role, which PostgreSQL refuses. */
  role?: boolean
  /** No foreign key can refer to it. */
  unreferable?: boolean
  /** An array, or a domain over one. */
  list?: boolean
  /** Between the elements of an array, where that is no comma. */
  delimiter?: string
  /** SQL of an equal value that prints differently, over `%`. */
  alike?: string
}

const texts = [
  'a', '', ' ', 'A', 'ä', 'a\u0308', '日本', '😀', 'back\\slash', "it's", 'tab\tnew\nline\rreturn', '\\N', '\\.', 'NULL', '{}',
  '"', ',', '(', ')', 'a ', '\u00a0', '\ufeffbom', '\u0001', '%s', '\\x41', 'x'.repeat(3000)
] // prettier-ignore
const short = texts.filter(text => text.length <= 10)
const two = (n: number) => String(n).padStart(2, '0')
const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0')
const day = (n: number) =>
  `${2000 + Math.floor(n / 336)}-${two(1 + (Math.floor(n / 28) % 12))}-${two(1 + (n % 28))}`
const clock = (n: number) =>
  `${two(Math.floor(n / 3600) % 24)}:${two(Math.floor(n / 60) % 60)}:${two(n % 60)}`
const decimal = (n: number) => `${n}.${n % 10}`

const integer = (sql: string, low: string, high: string): Type => ({
  sql,
  values: ['0', '1', '-1', low, high],
  nth: String,
  exact: true,
  btree: true,
  integer: true,
  derive: { sql: '% + 0::smallint', type: sql }
})

const text = (sql: string, collate?: string): Type => ({
  sql,
  ...(collate !== undefined && { collate }),
  values: sql === 'text' ? texts : short,
  nth: n => `k${n}`,
  exact: true,
  btree: true,
  derive: { sql: 'pg_catalog.upper(%::text)', type: 'text' }
})

const range = (
  name: string,
  elements: readonly [string, string, string],
  nth: (n: number) => string
): Type[] => {
  const [a, b, c] = elements
  const values = ['empty', `[${a},${b})`, `[${a},${a}]`, `(,${b}]`, `[${c},)`, '(,)']
  return [
    { sql: `${name}range`, values, nth: n => `[${nth(2 * n)},${nth(2 * n + 1)})`, btree: true },
    {
      sql: `${name}multirange`,
      values: ['{}', '{(,)}', ...values.slice(1, 5).map(one => `{${one}}`), `{[${a},${b}),[${c},)}`],
      nth: n => `{[${nth(2 * n)},${nth(2 * n + 1)})}`,
      btree: true
    }
  ]
}

/** A collation that each case makes, under which `a` equals `A`. */
export const caseless = 'public.caseless'
export const makeCaseless = `CREATE COLLATION ${caseless} (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`

/** Types that are OIDs and print as names. */
const registered: Readonly<Record<string, readonly string[]>> = {
  class: ['pg_class', '-'],
  collation: ['"C"', '-'],
  config: ['simple', '-'],
  dictionary: ['simple', '-'],
  namespace: ['pg_catalog', '-'],
  oper: ['||/', '0'],
  operator: ['+(integer,integer)', '0'],
  proc: ['now', '-'],
  procedure: ['abs(integer)', '-'],
  role: ['pg_monitor', '-'],
  type: ['integer', 'text[]']
}

/** Every built-in type that a column can be of and that reads text; `integer` first, to which cases shrink. */
export const builtins: readonly Type[] = [
  integer('integer', '-2147483648', '2147483647'),
  integer('bigint', '-9223372036854775808', '9223372036854775807'),
  integer('smallint', '-32768', '32767'),
  text('text'),
  text('text', 'pg_catalog."C"'),
  text('text', 'pg_catalog."de-x-icu"'),
  text('varchar(12)'),
  text('varchar'),
  { ...text('char(6)'), values: ['a', '', 'ä', '日本', "it's", '\\.'] },
  { ...text('bpchar'), values: ['a', 'a ', 'a  ', '', ' '], alike: "(%::text || '  ')::bpchar" },
  text('name'),
  { ...text('text', caseless), values: ['a', 'A', 'ä', 'Ä', 'a\u0308'], exact: false, alike: 'pg_catalog.upper(%)' },
  { sql: 'uuid', values: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'], nth: n => `${hex((n * 7919) % 65536, 4)}0000-0000-4000-8000-${hex(n, 12)}`, exact: true, btree: true },
  { sql: 'numeric', values: ['0', '0.0', '1', '1.00', 'NaN', 'Infinity', '-Infinity', '-1e-20', '12345678901234567890.123456789', '1e40'], nth: decimal, exact: true, btree: true, alike: "(%::text || '0')::numeric" },
  { sql: 'numeric(12,2)', values: ['0', '1.5', '-99.99', 'NaN'], nth: decimal, exact: true, btree: true },
  { sql: 'real', values: ['0', '-0', '1.1', 'NaN', 'Infinity', '-Infinity', '1e-45', '3.4e38'], nth: decimal, btree: true },
  { sql: 'double precision', values: ['0', '-0', '0.1', '0.30000000000000004', 'NaN', 'Infinity', '-Infinity', '5e-324', '1.7976931348623157e308'], nth: decimal, btree: true },
  { sql: 'money', values: ['0', '-0.01', '12.34', '92233720368547758.07'], nth: decimal, btree: true },
  { sql: 'boolean', values: ['t', 'f'], btree: true, exact: true },
  { sql: 'bytea', values: ['\\x', '\\x00', '\\xff', '\\x5c2e0a', '\\x00ff00'], nth: n => `\\x${hex(n, 6)}`, exact: true, btree: true },
  { sql: '"char"', values: ['a', '', '\\', '"'], btree: true },
  { sql: 'date', values: ['2000-01-01', 'infinity', '-infinity', '4713-01-01 BC', '5874897-12-31'], nth: day, exact: true, btree: true },
  { sql: 'time', values: ['00:00', '24:00', '23:59:59.999999', '12:00:00.1'], nth: clock, exact: true, btree: true },
  { sql: 'time(2)', values: ['00:00', '23:59:59.99'], nth: clock, exact: true, btree: true },
  { sql: 'timetz', values: ['00:00+00', '00:00+15:59', '24:00-15:59', '12:00+02', '10:00+00'], nth: n => `${clock(n)}+0${n % 3}`, btree: true },
  { sql: 'timestamp', values: ['2000-01-01 00:00', 'infinity', '-infinity', '4713-01-01 00:00 BC', '294276-12-31 23:59:59.999999'], nth: n => `${day(n)} 01:00`, exact: true, btree: true },
  { sql: 'timestamptz', values: ['2000-01-01 00:00+00', 'infinity', '-infinity', '2024-03-31 02:30:00.000001+02'], nth: n => `${day(n)} 01:00+00`, exact: true, btree: true },
  { sql: 'interval', values: ['0', '1 day', '24 hours', '1 mon', '30 days', '-1 mon 1 day -00:00:01', '178000000 years'], nth: n => `${n} hours`, btree: true, alike: 'pg_catalog.justify_hours(%)' },
  { sql: 'inet', values: ['10.0.0.1', '10.0.0.1/8', '10.0.0.1/32', '::1', '::ffff:1.2.3.4/96'], nth: n => `10.1.${Math.floor(n / 256) % 256}.${n % 256}`, exact: true, btree: true },
  { sql: 'cidr', values: ['10.0.0.0/8', '10.0.0.0/16', '::/0'], nth: n => `10.1.${Math.floor(n / 256) % 256}.${n % 256}/32`, exact: true, btree: true },
  { sql: 'macaddr', values: ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'], nth: n => `08:00:2b:00:${hex(Math.floor(n / 256) % 256, 2)}:${hex(n % 256, 2)}`, exact: true, btree: true },
  { sql: 'macaddr8', values: ['00:00:00:00:00:00:00:00', '08:00:2b:01:02:03:04:05'], nth: n => `08:00:2b:00:00:00:${hex(Math.floor(n / 256) % 256, 2)}:${hex(n % 256, 2)}`, exact: true, btree: true },
  { sql: 'bit(3)', values: ['000', '101', '111'], btree: true },
  { sql: 'varbit', values: ['', '0', '00', '1'], nth: n => n.toString(2).padStart(16, '0'), btree: true },
  { sql: 'json', values: ['{"a":1}', '{"a": 1}', '{"a":1,"a":2}', 'null', '"\\u00e4"', '[]', '1.0', '1.00'] },
  { sql: 'jsonb', values: ['{"a":1}', '1.0', '1.00', 'null', '"\\\\"', '[]', '{}', '{"b":[1,{"c":null}]}'], nth: n => `{"n":${n}}`, btree: true },
  { sql: 'jsonpath', values: ['$.a', '$[*] ? (@.b > 1)', 'strict $'] },
  { sql: 'xml', values: ['<a/>', '<a></a>', 'text & more'.replace('&', '&amp;'), ''] },
  { sql: 'point', values: ['(0,0)', '(-0,1e-300)', '(NaN,Infinity)', '(0.1,0.2)'] },
  { sql: 'line', values: ['{1,-1,0}', '{0,1,2.5}'] },
  { sql: 'lseg', values: ['[(0,0),(1,1)]', '[(1,1),(0,0)]'] },
  { sql: 'box', values: ['(1,1),(0,0)', '(2,1),(0,0)'], delimiter: ';' },
  { sql: 'path', values: ['((0,0),(1,1))', '[(0,0),(1,1)]'] },
  { sql: 'polygon', values: ['((0,0),(1,1),(1,0))', '((0,0),(1,0),(1,1))'] },
  { sql: 'circle', values: ['<(0,0),1>', '<(1,1),0>'] },
  { sql: 'tsvector', values: ['', 'a:1 b:2A', "'it''s':3B"], nth: n => `w${n}:1`, btree: true, unreferable: true },
  { sql: 'tsquery', values: ['a & b', '!a | b:*AB', "'a b' <-> c", ''], nth: n => `w${n}`, btree: true, unreferable: true },
  { sql: 'pg_lsn', values: ['0/0', 'FFFFFFFF/FFFFFFFF'], nth: n => `1/${n.toString(16)}`, btree: true },
  { sql: 'oid', values: ['0', '1259', '4294967295'], nth: String, exact: true, btree: true },
  { sql: 'xid', values: ['0', '3', '4294967295'] },
  { sql: 'xid8', values: ['0', '18446744073709551615'], nth: String, btree: true },
  { sql: 'cid', values: ['0', '7'] },
  { sql: 'tid', values: ['(0,1)', '(4294967295,65535)'], nth: n => `(${n},1)`, btree: true },
  { sql: 'refcursor', values: ['', 'c 1', "it's"] },
  { sql: 'txid_snapshot', values: ['10:20:10,14,15', '10:10:'] },
  { sql: 'pg_snapshot', values: ['10:20:10,14,15', '10:10:'] },
  { sql: 'aclitem', values: ['pg_monitor=r/pg_monitor', '=r*/pg_monitor'] },
  { sql: 'int2vector', list: true, values: ['1 2 3', ''] },
  { sql: 'oidvector', list: true, values: ['1 2', ''], nth: String, btree: true },
  ...Object.entries(registered).map(([name, values]) => ({
    sql: `reg${name}`,
    values,
    role: name === 'role'
  })),
  ...range('int4', ['1', '5', '9'], String),
  ...range('int8', ['1', '5', '9223372036854775806'], String),
  ...range('num', ['1', '5.0', '5.00'], String),
  ...range('date', ['2020-01-01', '2020-02-01', 'infinity'], day),
  ...range('ts', ['"2020-01-01 00:00"', '"2020-02-01 00:00"', 'infinity'], n => `"${day(n)} 00:00"`),
  ...range('tstz', ['"2020-01-01 00:00+00"', '"2020-02-01 00:00+00"', 'infinity'], n => `"${day(n)} 00:00+00"`)
] // prettier-ignore

/** Built-in types that no column of a case has, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  gtsvector: 'reads no text',
  pg_node_tree: 'reads no text',
  pg_ndistinct: 'reads no text',
  pg_dependencies: 'reads no text',
  pg_mcv_list: 'reads no text',
  pg_brin_bloom_summary: 'reads no text',
  pg_brin_minmax_multi_summary: 'reads no text'
}

const quoted = (value: string): string => `"${value.replace(/[\\"]/g, '\\$&')}"`

/** Arrays of it: none, holes, other bounds, two dimensions. */
export function arrayOf(type: Type): Type {
  const [a, b] = [type.values[0]!, type.values.at(-1)!].map(quoted)
  const { nth, delimiter = ',' } = type
  const list = (...items: (string | undefined)[]) => `{${items.join(delimiter)}}`
  return {
    sql: `${type.sql}[]`,
    list: true,
    ...(type.collate !== undefined && { collate: type.collate }),
    values: ['{}', list(a), list(a, 'NULL', b), `[0:1]=${list(a, b)}`, list(list(a), list(b))],
    ...(nth && type.btree && { nth: (n: number) => `{${quoted(nth(n))}}`, btree: true })
  }
}

/** A record's text. */
export function recordText(values: readonly (string | undefined)[]): string {
  return `(${values.map(value => (value === undefined ? '' : quoted(value))).join(',')})`
}

/** The text of a range that holds both its bounds. */
export const rangeText = (low: string, high: string): string => `[${quoted(low)},${quoted(high)}]`
