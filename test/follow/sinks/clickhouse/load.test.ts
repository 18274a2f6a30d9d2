import { expect, test } from 'vitest'
import { Passing } from '../../../../src/follow/sinks/clickhouse/load.js'
import { mark } from '../../../../src/follow/sinks/clickhouse/values.js'

/** Larger than what is looked at in one go. */
const size = 200 * 1024

async function* cut(text: string, at: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += at) yield bytes.subarray(from, from + at)
}

async function run(text: string, at: number): Promise<{ bytes: string; rows: number }> {
  const passing = new Passing(true, line => new Error(`refused: ${line.trim()}`))
  const parts: Buffer[] = []
  for await (const part of passing.pass(cut(text, at))) parts.push(part)
  return { bytes: Buffer.concat(parts).toString(), rows: passing.rows }
}

test.each([1, 7, 8192, 131_071, 131_072, 1_000_000])('rows pass as they are, cut at %i bytes', async at => {
  const length = at === 1 ? 300 : size
  const rows = Array.from({ length: length / 20 }, (_, i) => `${i}\tzwölf 😀\n`).join('')
  const long = `${rows}x\t${'y'.repeat(at === 1 ? 10 : size)}\n${rows}`
  expect(await run(long, at)).toEqual({ bytes: long, rows: (length / 20) * 2 + 1 })
  expect(await run('', at)).toEqual({ bytes: '', rows: 0 })
})

test('a mark is seen wherever the bytes are cut', async () => {
  for (let shift = 0; shift <= mark.length; shift++) {
    const before = `${'x'.repeat(131_072 - 3 - shift)}\n`
    const text = `${before}7\t${mark}value\t8\n9\tno\t10\n`
    await expect(run(text, 131_072)).rejects.toThrow(`refused: 7\t${mark}value\t8`)
  }
})
