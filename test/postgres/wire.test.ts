/** COPY's messages, cut anywhere as a network may cut them. That servers understand them is shown by all other tests of a copy. */
import { EventEmitter } from 'node:events'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { copyOut, joined, type Line } from '../../src/postgres/wire.js'

const message = (kind: string, text: string) => {
  const body = Buffer.from(text)
  const head = Buffer.from(`${kind}0000`)
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const texts = ['1\tone', '-22\tzwölf 😀', '9223372036854775807\t', '4']
const rows = texts.map(text => message('d', `${text}\n`))
const notice = message('N', 'SNOTICE')
const rest = [message('c', ''), message('C', 'COPY 4'), message('Z', 'I')]
const answer = Buffer.concat([message('H', '000'), rows[0]!, rows[1]!, notice, rows[2]!, rows[3]!, ...rest])

/** Runs a copyOut whose answer comes in pieces; what is not its own goes to `passed`. */
function run(cuts: (at: number) => number, take: (line: Line) => boolean) {
  const stream = Object.assign(new EventEmitter(), { pause: () => {}, resume: () => {} })
  const passed: Buffer[] = []
  stream.on('data', (bytes: Buffer) => passed.push(Buffer.from(bytes)))
  let query: { handleReadyForQuery(): void } | undefined
  const client = {
    query(one: { submit(connection: unknown): void; handleReadyForQuery(): void }) {
      query = one
      one.submit({ stream, query: () => {} })
      return one
    }
  }
  const whole = copyOut(client as unknown as pg.Client, 'COPY t TO STDOUT', take)
  for (let at = 0; at < answer.length;) {
    const next = at + cuts(at)
    stream.emit('data', Buffer.from(answer.subarray(at, next)))
    at = next
  }
  const given = Buffer.concat(passed)
  return { whole, given, ready: () => query!.handleReadyForQuery() }
}

const cuts = Array.from({ length: answer.length }, (_, i) => i + 1)

test.each(cuts)('%i bytes at a time', async size => {
  const lines: Line[] = []
  const { whole, given, ready } = run(
    () => size,
    line => lines.push(line) > 0
  )
  // The end, and what is no row, is for pg to read.
  expect(given).toEqual(Buffer.concat([notice, ...rest]))
  ready()
  expect(await whole).toBe(true)
  expect(lines.map(line => line.text())).toEqual(texts)
  expect(lines.map(line => line.id())).toEqual([1n, -22n, 9223372036854775807n, 4n])
  expect(Buffer.concat([...joined(lines)])).toEqual(Buffer.concat(rows))
})

test('rows that came together go on together', async () => {
  const lines: Line[] = []
  const { ready } = run(
    () => answer.length,
    line => lines.push(line) > 0
  )
  ready()
  // The notice stands between.
  expect([...joined(lines)]).toHaveLength(2)
  expect([...joined([])]).toEqual([])
})

test('who has enough hears no more', async () => {
  const lines: Line[] = []
  const { whole, given } = run(
    at => (at === 0 ? 25 : 1),
    line => lines.push(line) < 2
  )
  expect(await whole).toBe(false)
  expect(lines.map(line => line.text())).toEqual(texts.slice(0, 2))
  expect(given).toHaveLength(0)
})
