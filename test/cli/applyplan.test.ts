/** `diff --plan` and `apply-plan` as a person types them. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { format } from 'prettier'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { run } from '../../src/cli/run.js'
import { documentShape } from '../../src/sync/plan/document.js'
import { createPair, type Pair } from '../support/databases.js'
import { fakeIo, type Wishes } from './console.js'

let folder: string
let pair: Pair
const orders = (db: Pair['main']) => db.query('SELECT id, state FROM orders ORDER BY id')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plans-'))
  pair = await createPair({
    ddl: 'CREATE TABLE orders (id int PRIMARY KEY, state text)',
    main: "INSERT INTO orders SELECT n, 'paid' FROM generate_series(1, 3) n",
    standby: "INSERT INTO orders VALUES (1, 'new'), (2, 'paid'), (9, 'extra')"
  })
})
afterAll(async () => {
  await pair.drop()
  await rm(folder, { recursive: true })
})

async function pgsyncer(argv: string[], wishes: Wishes = {}) {
  const env = { MAIN_DSN: pair.main.url, STANDIN_DSN: pair.standby.url, PATH: process.env.PATH! }
  const io = fakeIo({ cwd: folder, env, ...wishes })
  const code = await run(
    [...argv, '--no-progress', '--schema-method', 'catalog'].slice(0, argv[0] === 'diff' ? undefined : -2),
    io
  )
  return { code, out: io.out(), err: io.err() }
}

describe('a plan', () => {
  test('is made, looked at, applied, and undone', async () => {
    const before = await orders(pair.standby)
    const made = await pgsyncer(['diff', '--plan', 'plan.json', '--clean-extra'])
    expect(made.code).toBe(3)
    expect(made.out).toContain(`the plan is in ${join(folder, 'plan.json')}, with 3 rows`)
    // Nothing but the plan is left beside it.
    expect(await readdir(folder)).toEqual(['plan.json'])

    const looked = await pgsyncer(['apply-plan', 'plan.json', '--dry-run'])
    expect(looked).toMatchObject({ code: 0, err: '' })
    expect(looked.out).toContain('The plan can be applied as it is, and nothing was written: 1 row inserted')
    expect(await orders(pair.standby)).toEqual(before)

    const refused = await pgsyncer(['apply-plan', 'plan.json'])
    expect(refused).toMatchObject({ code: 4, out: '' })
    expect(refused.err).toContain('the plan deletes 1 row from 127.0.0.1')
    expect(refused.err).toContain('Add --yes')

    const asked = await pgsyncer(['apply-plan', 'plan.json'], { terminal: 80, input: 'no\n' })
    expect(asked.code).toBe(4)
    expect(asked.err).toContain('not agreed to: nothing was changed')
    expect(await orders(pair.standby)).toEqual(before)

    const done = await pgsyncer(['apply-plan', 'plan.json', '--undo', 'undo.json', '--yes'])
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toMatch(/public\.orders +1 +1 +1/)
    expect(done.out.replace(/\s+/g, ' ')).toContain(
      `The plan is applied: 1 row inserted, 1 row updated and 1 row deleted; the way back is in ${join(folder, 'undo.json')}`
    )
    expect(await orders(pair.standby)).toEqual(await orders(pair.main))

    const again = await pgsyncer(['apply-plan', 'plan.json', '--yes'])
    expect(again.code).toBe(4)
    expect(again.err).toContain('public.orders (id) = (1) is another now')

    const undone = await pgsyncer(['apply-plan', 'undo.json', '--yes', '--format', 'json'])
    expect(undone.code).toBe(0)
    expect(JSON.parse(undone.out)).toMatchObject({ command: 'apply-plan', kind: 'undo', applied: true })
    expect(await orders(pair.standby)).toEqual(before)
  })

  test('holds no password, and is a document of docs/plan.schema.json', async () => {
    await pgsyncer(['diff', '--plan', 'again.json'])
    const text = await readFile(join(folder, 'again.json'), 'utf8')
    expect(text).not.toContain(new URL(pair.main.url).password)
    const schema = JSON.parse(await readFile('docs/plan.schema.json', 'utf8')) as object
    const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema)
    expect(validate(JSON.parse(text)) ? [] : validate.errors).toEqual([])
    expect(validate({ ...JSON.parse(text), rows: [{ op: 'insert' }] })).toBe(false)
  })

  test('whose folder is not there is a wrong usage', async () => {
    const { code, err } = await pgsyncer(['diff', '--plan', 'no/such/plan.json'])
    expect(code).toBe(2)
    expect(err).toContain('no/such/plan.json')
    expect(err).toContain('may you write there?')
  })
})

test.each([
  ['no file', ['apply-plan'], 2, 'apply-plan needs the FILE'],
  ['two files', ['apply-plan', 'a', 'b'], 2, 'unknown argument "b"'],
  ['one that is not there', ['apply-plan', 'none.json'], 2, 'none.json cannot be read'],
  ['a flag of another command', ['apply-plan', 'a', '--chunk-size', '5'], 2, 'not of apply-plan'],
  ['no standby', ['apply-plan', 'a', '--standindsn', ''], 2, '--standindsn']
])('%s', async (_, argv, code, told) => {
  const answer = await pgsyncer(argv)
  expect(answer.err).toContain(told)
  expect(answer.code).toBe(code)
})

test('docs/plan.schema.json is what the program reads', async () => {
  const schema = {
    title: 'A plan of pgsyncer',
    description:
      'What `diff --plan FILE` and `apply-plan --undo FILE` write, and `apply-plan` does. Another form has another number in `pgsyncer`.',
    ...z.toJSONSchema(documentShape)
  }
  const text = await format(JSON.stringify(schema), { parser: 'json', printWidth: 110 })
  await expect(text).toMatchFileSnapshot('../../docs/plan.schema.json')
})

test('an undo that cannot be written changes nothing', async () => {
  await writeFile(join(folder, 'there.json'), '')
  await pgsyncer(['diff', '--plan', 'third.json'])
  const { code, err } = await pgsyncer(['apply-plan', 'third.json', '--undo', 'there.json', '--yes'])
  expect([code, err]).toEqual([2, expect.stringContaining('there.json is there already')])
  expect(await orders(pair.standby)).not.toEqual(await orders(pair.main))
})
