/** When a run that has failed begins anew, and when it is over. */
import { expect, test } from 'vitest'
import { ConfigError, ConnectionError, GuardError, TemporaryError } from '../../src/core/errors.js'
import type { FollowEvent } from '../../src/core/events.js'
import { supervise, together, within } from '../../src/follow/supervise.js'

const lost = new TemporaryError('the connection is lost')
const taken = new GuardError('somebody writes this stream')

/** Runs sessions one after the other; each lets itself in first, unless it is to fail before. */
async function run(
  sessions: readonly { before?: Error; after?: Error; writes?: boolean }[],
  { ends = false, signal = new AbortController().signal } = {}
) {
  const events: FollowEvent[] = []
  let runs = 0
  let written = 0
  const supervision = {
    name: 'x',
    ends,
    signal,
    emit: (event: FollowEvent) => void events.push(event),
    progress: () => written
  }
  const over = supervise(supervision, async opened => {
    const { before, after, writes } = sessions[runs++]!
    if (before) throw before
    opened()
    if (writes) written++
    if (after) throw after
  })
  const failure = await over.then(
    () => undefined,
    (error: unknown) => error
  )
  const delays = events.flatMap(event => (event.type === 'retry' ? [event.delay] : []))
  const states = events.flatMap(event => (event.type === 'state' ? [event.state] : []))
  return { failure, runs, delays, states }
}

test('who was never let in does not try again', async () => {
  expect(await run([{ before: lost }, {}])).toMatchObject({ failure: lost, runs: 1 })
})

test.each([
  new ConnectionError('nobody answers', { cause: new Error('timeout expired') }),
  new ConnectionError('the name is not known', { sqlstate: 'EAI_AGAIN' }),
  Object.assign(new Error('write CONNECT_TIMEOUT db:5432'), { code: 'CONNECT_TIMEOUT' })
])('a server that was there and is silent now is waited for: %s', async silence => {
  expect(await run([{ after: lost }, { before: silence }, {}])).toMatchObject({ failure: undefined, runs: 3 })
  expect(await run([{ before: silence }, {}])).toMatchObject({ failure: silence, runs: 1 })
})

test('what was lost is opened again, later each time', async () => {
  const { failure, runs, delays, states } = await run([
    { after: lost },
    { before: lost },
    { after: lost },
    {}
  ])
  expect(failure).toBeUndefined()
  expect(runs).toBe(4)
  // From 0.2 s to 0.4 s, and then twice as long each time.
  expect(delays).toHaveLength(3)
  for (const [at, delay] of delays.entries()) {
    expect(delay).toBeGreaterThanOrEqual(200 * 2 ** at)
    expect(delay).toBeLessThanOrEqual(400 * 2 ** at)
  }
  expect(states.slice(0, 3)).toEqual(['connecting', 'waiting', 'connecting'])
  expect(states.at(-1)).toBe('stopped')
})

test('after something was written it goes on at once', async () => {
  expect((await run([{ after: lost, writes: true }, { after: lost, writes: true }, {}])).delays).toEqual([
    0, 0
  ])
})

test('what another try does not mend is the end', async () => {
  const wrong = new ConfigError('no such table')
  expect(await run([{ after: lost }, { after: wrong }, {}])).toMatchObject({ failure: wrong, runs: 2 })
})

test('what stands in the way may be a lost session of its own', async () => {
  expect(await run([{ after: lost }, { before: taken }, { before: taken }, {}])).toMatchObject({
    failure: undefined,
    runs: 4
  })
})

test('at the start, what stands in the way is somebody else', async () => {
  expect(await run([{ before: taken }, {}])).toMatchObject({ failure: taken, runs: 1 })
})

test('the signal ends it while it waits', async () => {
  const over = new AbortController()
  const running = run([{ after: lost }, { after: lost }, { after: lost }, {}], { signal: over.signal })
  over.abort(new Error('enough'))
  expect((await running).failure).toEqual(new Error('enough'))
})

test('the first failure ends the others', async () => {
  const waits = (over: AbortController) =>
    new Promise<void>((_, reject) => over.signal.addEventListener('abort', () => reject(over.signal.reason)))
  await expect(
    within(new AbortController().signal, over =>
      together(
        over,
        [waits(over), Promise.reject(lost)],
        waits(over).catch(() => {})
      )
    )
  ).rejects.toBe(lost)
})
