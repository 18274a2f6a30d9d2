/** Values that ClickHouse's types hold. */

/** Type → values, as PostgreSQL reads them. A row has one of each. */
export const fitting: Record<string, (string | null)[]> = {
  boolean: ['t', 'f', null],
  smallint: ['-32768', '32767', null],
  integer: ['-2147483648', '2147483647', '0', null],
  bigint: ['-9223372036854775808', '9223372036854775807', null],
  real: ['0.1', '-0', 'NaN', 'Infinity', '-Infinity', '3.4028235e+38', '1e-45', '7.038531e-26', null],
  'double precision': [
    '0.1',
    '-0',
    'NaN',
    'Infinity',
    '-Infinity',
    '1.7976931348623157e+308',
    '5e-324',
    '0.30000000000000004'
  ],
  'numeric(20,5)': ['123456789012345.12345', '-123456789012345.12345', '0', '0.00001', null],
  'numeric(38,0)': [`${'9'.repeat(38)}`, `-${'9'.repeat(38)}`, null],
  'numeric(76,10)': [`${'9'.repeat(66)}.${'9'.repeat(10)}`, '-0.0000000001', null],
  'numeric(5,-2)': ['1234500', null],
  'numeric(3,5)': ['0.00123', null],
  numeric: ['1e200', '1.10', 'NaN', 'Infinity', null],
  date: ['1900-01-01', '2299-12-31', '1969-12-31', '1970-01-01', '2024-02-29', null],
  timestamp: [
    '1900-01-01 00:00:00',
    '2299-12-31 23:59:59.999999',
    '1969-12-31 23:59:59.5',
    '2024-03-31 02:30:00.123456',
    null
  ],
  timestamptz: [
    '1900-01-01 00:00:00+00',
    '2299-12-31 23:59:59.999999+00',
    '1969-12-31 23:59:59.000001+00',
    '2024-03-31 02:30:00+02',
    null
  ],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000000', null],
  text: [
    '',
    'a\tb',
    'line\nend\r',
    'back\\slash \\N \\. \\',
    '\\N',
    'zwölf 😀',
    `it's "quoted" \`so\``,
    '\u0001\b\f\v\u001f\u007f\u2028\ufeff',
    'NULL',
    null
  ],
  'varchar(10)': ['ten  chars', null],
  'char(3)': ['a', null],
  jsonb: ['{"a": [1, null, "x\\ny"]}', 'null', null],
  bytea: ['\\x00ff5c', null],
  interval: ['1 year -2 days 03:04:05.000006', null],
  time: ['23:59:59.999999', '24:00:00', null],
  inet: ['10.0.0.1/8', null],
  mood: ['glad', `so'so`, null],
  percent: ['12.50', null],
  'text[]': ['{a,NULL,"b\\"c"}', null],
  'integer[] NOT NULL': ['{}', '{1,NULL,-2147483648}', '[0:1]={5,6}'],
  'text[] NOT NULL': [
    String.raw`{"",NULL,"NULL","it's","a\"b","c\\d","{e}","f,g","tab	h"}`,
    '{}',
    '{"line\nend"}'
  ],
  'boolean[] NOT NULL': ['{t,f,NULL}'],
  'real[] NOT NULL': ['{0.1,NaN,Infinity,-Infinity,NULL}'],
  'numeric(10,2)[] NOT NULL': ['{1.10,-99999999.99,NULL}'],
  'date[] NOT NULL': ['{2024-02-29,NULL}', '{1900-01-01,2299-12-31}'],
  'timestamptz[] NOT NULL': ['{"2024-03-31 02:30:00.5+00",NULL}'],
  'uuid[] NOT NULL': ['{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}'],
  'mood[] NOT NULL': [`{glad,"so'so",NULL}`],
  'box[] NOT NULL': ['{(1,1),(0,0);(2,2),(1,1)}']
}

/** Rows that show each of them. */
export const fittingRows = Math.max(...Object.values(fitting).map(values => values.length))

/** SQL that makes them a table: a row has one of each. */
export function fittingTable(name: string): string {
  const types = Object.keys(fitting)
  const columns = types.map((type, i) => `"${i} ${type.replaceAll(/\W+/g, ' ')}" ${type}`)
  const rows = Array.from(
    { length: fittingRows },
    (_, i) => `(${i}, ${types.map(type => quoted(fitting[type]![i % fitting[type]!.length]!)).join(', ')})`
  )
  return `CREATE TABLE ${name} (id integer PRIMARY KEY, ${columns.join(', ')}); INSERT INTO ${name} VALUES ${rows.join(', ')}`
}

/** What their types need. */
export const fittingTypes = `CREATE TYPE mood AS ENUM ('glad', 'so''so'); CREATE DOMAIN percent AS numeric(5,2)`

export const quoted = (value: string | null): string =>
  value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`
