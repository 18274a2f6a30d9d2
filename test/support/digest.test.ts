import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Pair, createPair } from './databases.js'
import { databaseDigest, tableDigest } from './digest.js'

const ddl = `
  create table a (id int primary key, n numeric, t text, f float8, at timestamptz, b bytea);
  create table "Odd name" (id int);
  create table empty (id int);
  create schema other; create table other.a (id int);
  create table parts (id int) partition by range (id);
  create table parts_1 partition of parts for values from (0) to (100)`
const rows = `
  insert into a select i, i / 10.0, 'text ' || i, i / 3.0, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour',
    decode(lpad(to_hex(i), 8, '0'), 'hex') from generate_series(1, 1000) i;
  insert into "Odd name" values (1); insert into parts values (1), (2)`

let pair: Pair
beforeAll(async () => {
  pair = await createPair({ ddl, main: rows, standby: rows.replace('generate_series(1, 1000) i', '$&') })
})
afterAll(() => pair?.drop())

/** Both digests of table `a` after a change on the standby that is taken back. */
async function afterChange(sql: string): Promise<[string, string]> {
  await pair.standby.exec('drop table if exists kept; create table kept as table a')
  await pair.standby.exec(sql)
  const digests = await Promise.all([
    tableDigest(pair.main.url, 'public.a'),
    tableDigest(pair.standby.url, 'public.a')
  ])
  await pair.standby.exec('truncate a; insert into a table kept; drop table kept')
  return digests
}

test('the same rows have the same digest, in whatever order they lie', async () => {
  const [main, standby] = await afterChange(
    'create table x as table a; truncate a; insert into a select * from x order by id desc; drop table x'
  )
  expect(main).toMatch(/^1000 [0-9a-f]{32}$/)
  expect(standby).toBe(main)
})

test.each([
  ['one value', "update a set t = 'text 6' where id = 5"],
  ['NULL for an empty text', "update a set t = '' where id = 5"],
  ['1.00 for 1.0', 'update a set n = round(n, 2) where id = 10'],
  ['the last bit of a float', 'update a set f = f + 5e-17 where id = 1'],
  ['a microsecond', "update a set at = at + interval '1 microsecond' where id = 1"],
  ['a missing row', 'delete from a where id = 1000'],
  ['a row twice', 'alter table a drop constraint a_pkey; insert into a select * from a where id = 1']
])('%s makes another digest', async (_, sql) => {
  const [main, standby] = await afterChange(sql)
  expect(standby).not.toBe(main)
})

test('settings of the database do not change it', async () => {
  await pair.standby.exec(`do $$ begin
    execute format('alter database %I set timezone = ''Asia/Tokyo''', current_database());
    execute format('alter database %I set datestyle = ''German''', current_database());
    execute format('alter database %I set extra_float_digits = 0', current_database()); end $$`)
  const [main, standby] = await afterChange('select 1')
  expect(standby).toBe(main)
})

test('a whole database gives one digest for each ordinary table and partition', async () => {
  const main = await databaseDigest(pair.main.url, ['public', 'other'])
  expect(Object.keys(main)).toEqual([
    'other.a',
    'public.Odd name',
    'public.a',
    'public.empty',
    'public.parts_1'
  ])
  expect(main['public.empty']).toMatch(/^0 /)
  expect(await databaseDigest(pair.standby.url, ['public', 'other'])).toEqual(main)
  expect(await tableDigest(pair.main.url, 'public.parts')).toBe(main['public.parts_1'])
  expect(await tableDigest(pair.main.url, 'public."Odd name"')).toBe(main['public.Odd name'])
})

test('a table that is not there is an error', async () => {
  await expect(tableDigest(pair.main.url, 'public.nothing')).rejects.toThrow('does not exist')
})
