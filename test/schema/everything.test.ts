/** One of every kind of object, from main to an empty standby, by each way there is: the dumps' text is the judge. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, createBench, everySchema, everything, linesOf } from './bench.js'

let bench: Bench | undefined
afterEach(async () => bench?.drop())

describe.each([
  ['over a connection', { forcePsql: false, workers: 4 }],
  ['by psql', { forcePsql: true, workers: 2 }]
])('an empty standby, %s', (_, options) => {
  it('gets everything, and both dumps are the same text', async () => {
    bench = await createBench(everySchema, { main: await everything() })
    const plan = await bench.sync(options)
    expect(plan.changes.filter(change => change.status !== 'applied')).toEqual([])
    const { main, standby } = await bench.dumps()
    expect(main).toContain('CREATE POLICY')
    expect(standby).toBe(main)
    const again = await bench.plan()
    expect(linesOf(again.changes)).toEqual([])
    expect(again.identical).toBe(true)
  })
})

it('shows an object with its comments, defaults and attachments as one change', async () => {
  bench = await createBench(everySchema, { main: await everything() })
  const { changes } = await bench.plan()
  const named = (kind: string, name: string) => changes.find(each => each.kind === kind && each.name === name)
  expect(named('TABLE', 'author')!.sql).toEqual([
    expect.stringMatching(/^CREATE TABLE app\.author \([\s\S]*\);$/),
    `COMMENT ON TABLE app.author IS 'quotes '' and \\ backslash';`,
    `COMMENT ON COLUMN app.author.name IS 'two\nlines;';`,
    `ALTER TABLE ONLY app.author ALTER COLUMN id SET DEFAULT nextval('app.author_id_seq'::regclass);`
  ])
  expect(named('TABLE', 'event_2024')!.sql[1]).toMatch(/ATTACH PARTITION/)
  expect(named('INDEX', 'book_expr')!.sql).toHaveLength(2)
  expect(changes.filter(change => /COMMENT|ATTACH|DEFAULT/.test(change.kind))).toEqual([])
  expect(changes.every(change => change.status === 'pending' && change.action === 'create')).toBe(true)
})

it('takes only the tables that are asked for', async () => {
  bench = await createBench(everySchema, { main: await everything() })
  const { changes } = await bench.plan({}, [
    { schema: 'app', name: 'a b' },
    { schema: 'Übung "one".two', name: 'Ta.ble "q" $x$; --' }
  ])
  expect(linesOf(changes).toSorted()).toEqual(
    [
      'create CHECK CONSTRAINT app.a b c pending',
      'create CONSTRAINT Übung "one".two.Ta.ble "q" $x$; -- Ta.ble "q" $x$; --_pkey pending',
      `create INDEX Übung "one".two.in dex ' ; pending`,
      'create SCHEMA .Übung "one".two pending',
      'create SCHEMA .app pending',
      'create TABLE app.a b pending',
      'create TABLE Übung "one".two.Ta.ble "q" $x$; -- pending'
    ].toSorted()
  )
})
