/** Reads a plan: its head at once, its rows one by one, however many there are. What does not have a plan's form is refused. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import chain from 'stream-chain'
import { parser } from 'stream-json'
import { pick } from 'stream-json/filters/pick.js'
import { streamArray } from 'stream-json/streamers/stream-array.js'
import { streamValues } from 'stream-json/streamers/stream-values.js'
import { z } from 'zod'
import { ConfigError, messageOf } from '../../core/errors.js'
import { headShape, planVersion, rowShape, type PlanHead, type PlanRow } from './document.js'

/** Of a plan that somebody has changed in another way than by taking rows out. */
export const changedHint =
  'Rows may be taken out of a plan; of those that stay nothing may be changed. Make it anew with diff --plan.'

/** @throws ConfigError where the file cannot be read, or is no plan of this version. */
export async function readHead(path: string): Promise<PlanHead> {
  const version = await firstOf(path, 'pgsyncer')
  if (version !== planVersion) {
    throw new ConfigError(
      typeof version === 'number'
        ? `${path} is a plan of version ${version}, and this program knows version ${planVersion}`
        : `${path} is not a plan`,
      { hint: 'diff --plan FILE makes one, and apply-plan --undo FILE makes its undo.' }
    )
  }
  return checked(path, headShape, await firstOf(path, 'head'), 'its head')
}

/** @throws ConfigError naming the first row that has not a row's form. */
export async function* readRows(path: string, signal: AbortSignal): AsyncGenerator<PlanRow> {
  let number = 0
  const rows = (await hasLines(path))
    ? rowsOfLines(path, signal)
    : valuesAt(path, 'rows', streamArray(), signal)
  for await (const value of rows) yield checked(path, rowShape, value, `row ${++number}`)
}

/** As it was written, with a row a line, and not since brought into another form. */
async function hasLines(path: string): Promise<boolean> {
  for await (const start of createReadStream(path, { end: 10, encoding: 'utf8' }))
    return start === '{\n"pgsyncer'
  return false
}

/** Several times as fast as reading it as one document; also where the last row has kept its comma. */
async function* rowsOfLines(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
  const input = createReadStream(path, { signal })
  const lines = createInterface({ input, crlfDelay: Infinity })
  // The lines' reader does not hear it.
  let failure: Error | undefined
  input.on('error', error => {
    failure = error
    lines.close()
  })
  let state: 'head' | 'rows' | 'end' = 'head'
  for await (const line of lines) {
    if (state === 'head') state = line === '"rows": [' ? 'rows' : 'head'
    else if (line === ']') state = 'end'
    else if (state === 'rows' && line.trim() !== '') yield parsedRow(path, line.replace(/,\s*$/, ''))
  }
  signal.throwIfAborted()
  if (failure) throw notWhole(path, failure.message, failure)
  if (state !== 'end') throw notWhole(path, 'it ends in the middle')
}

function parsedRow(path: string, line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw notWhole(path, messageOf(cause), cause)
  }
}

function notWhole(path: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`${path} cannot be read as a plan: ${why}`, {
    hint: 'Is it whole, and is it JSON?',
    cause
  })
}

async function firstOf(path: string, filter: string): Promise<unknown> {
  for await (const value of valuesAt(path, filter, streamValues())) return value
  return undefined
}

async function* valuesAt(
  path: string,
  filter: string,
  assemble: ReturnType<typeof streamArray | typeof streamValues>,
  signal?: AbortSignal
): AsyncGenerator<unknown> {
  const file = createReadStream(path, { signal })
  const values = chain([file, parser(), pick({ filter, once: true }), assemble])
  // A chain does not hear what fails in its first link.
  file.on('error', error => values.destroy(error))
  try {
    for await (const { value } of values as AsyncIterable<{ value: unknown }>) yield value
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof ConfigError) throw cause
    throw notWhole(path, messageOf(cause), cause)
  } finally {
    file.destroy()
    values.destroy()
  }
}

function checked<T>(path: string, shape: z.ZodType<T>, value: unknown, what: string): T {
  const { data, error } = shape.safeParse(value)
  if (!error) return data
  const [issue] = error.issues
  const where = issue!.path.length > 0 ? ` (${issue!.path.join('.')})` : ''
  throw new ConfigError(
    `${path} is not a plan as this program writes it: ${what}${where}: ${issue!.message}`,
    {
      hint: changedHint
    }
  )
}
