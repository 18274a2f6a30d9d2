import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FollowEvent } from '../../../src/core/events.js'
import { addSecret } from '../../../src/core/redact.js'
import type { FollowReport } from '../../../src/follow/report.js'
import { renderFollow, showFollow } from '../../../src/cli/render/follow.js'
import { renderJson } from '../../../src/cli/render/json.js'
import { plain } from '../../../src/cli/render/paint.js'
import { fakeIo, type FakeIo } from '../console.js'
import { batch } from '../serve/events.js'

const start = Date.UTC(2025, 10, 21, 9, 30)
const wishes = { noProgress: false, quiet: false, verbose: false, logFormat: 'text' as const }

beforeEach(() => {
  vi.useFakeTimers({ now: start, toFake: ['Date', 'setInterval', 'clearInterval'] })
  addSecret('sesame-99')
})
afterEach(() => {
  vi.useRealTimers()
})

const retry: FollowEvent = {
  type: 'retry',
  what: 'the sink',
  attempt: 2,
  delay: 4000,
  reason: 'sesame-99 is wrong\n\u001b[2J'
}

const story: FollowEvent[] = [
  { type: 'state', state: 'connecting' },
  { type: 'state', state: 'copying' },
  { type: 'copy-start', table: 'public.a', rows: 70 },
  { type: 'copy-bytes', table: 'public.a', bytes: 1234 },
  { type: 'copy-end', table: 'public.a', rows: 71 },
  { type: 'state', state: 'following' },
  { type: 'schema', table: 'public.a', added: ['colour'] },
  retry,
  { type: 'note', message: 'postgres://u:geheim@h/d', table: 'public.a' },
  { type: 'quiet', after: 10_000 },
  batch({ 'public.a': { insert: 5 } }),
  { type: 'lag', lag: { bytes: 2_000_000, rows: 1 } }
]

function shown(io: FakeIo, more: Partial<typeof wishes> | { logFormat: 'json' } = {}) {
  return showFollow(io, { ...wishes, ...more }, plain)
}

/** What was written since the last look. */
function reader(io: FakeIo) {
  let seen = 0
  return () => {
    const text = io.err().slice(seen)
    seen += text.length
    return text
  }
}

describe('where there is no terminal', () => {
  test('says what happens, and every 30 s how it stands', () => {
    const io = fakeIo()
    const read = reader(io)
    const { emit, stop } = shown(io)
    for (const event of story) emit(event)
    expect(read()).toMatchInlineSnapshot(`
      "first copy
      public.a: 71 rows copied
      following
      public.a: column colour added
      the sink: try 2 failed, again in 4 s: *** is wrong\\n\\u{1b}[2J
      public.a: postgres://u:***@h/d
      "
    `)
    vi.advanceTimersByTime(29_000)
    expect(read()).toBe('')
    vi.advanceTimersByTime(1_000)
    expect(read()).toBe('following, 5 changes written, 1 change behind, 2.0 MB behind\n')
    // What waits and does not move is said again; where nothing happens, nothing is.
    vi.advanceTimersByTime(30_000)
    expect(read()).toBe('following, 5 changes written, 1 change behind, 2.0 MB behind\n')
    for (let look = 0; look < 60; look++) {
      emit({ type: 'lag', lag: { bytes: look % 3 } })
      vi.advanceTimersByTime(5_000)
      if (look % 2 === 0) emit(batch({}))
    }
    expect(read()).toBe('')
    emit(batch({ 'public.a': { delete: 1000 } }))
    emit({ type: 'lag', lag: { bytes: 0 } })
    vi.advanceTimersByTime(30_000)
    expect(read()).toBe('following, 1,005 changes written\n')
    stop()
    emit(retry)
    vi.advanceTimersByTime(60_000)
    expect(read()).toBe('')
  })

  test('tells of a long first copy', () => {
    const io = fakeIo()
    const read = reader(io)
    const { emit, stop } = shown(io)
    for (const event of story.slice(0, 5)) emit(event)
    emit({ type: 'copy-start', table: 'public.b', rows: 9_000_000 })
    emit({ type: 'copy-bytes', table: 'public.b', bytes: 5_400_000 })
    read()
    vi.advanceTimersByTime(60_000)
    expect(read()).toBe('first copy, 1 table done, public.b 5.4 MB of about 9,000,000 rows\n'.repeat(2))
    stop()
  })

  test('without progress only what went wrong, quietly nothing', () => {
    const io = fakeIo()
    const { emit, stop } = shown(io, { noProgress: true })
    for (const event of story) emit(event)
    vi.advanceTimersByTime(60_000)
    stop()
    expect(io.err()).toMatchInlineSnapshot(`
      "public.a: column colour added
      the sink: try 2 failed, again in 4 s: *** is wrong\\n\\u{1b}[2J
      public.a: postgres://u:***@h/d
      "
    `)
    const talkative = fakeIo()
    const verbose = shown(talkative, { noProgress: true, verbose: true })
    verbose.emit({ type: 'quiet', after: 10_000 })
    verbose.stop()
    expect(talkative.err()).toBe('no signal for 10.0 s: looked without one\n')
    const silent = fakeIo()
    const quiet = shown(silent, { quiet: true })
    for (const event of story) quiet.emit(event)
    vi.advanceTimersByTime(60_000)
    quiet.stop()
    expect(silent.err()).toBe('')
  })
})

describe('on a terminal', () => {
  /** What the last line shows. */
  const screen = (text: string) =>
    text.split('\n').map(line => stripVTControlCharacters(line.split('\r\u001b[K').at(-1)!))

  test('one line tells how it stands, and others stand above it', () => {
    const io = fakeIo({ terminal: 60 })
    const { emit, stop } = shown(io)
    for (const event of story.slice(0, 4)) emit(event)
    vi.advanceTimersByTime(1000)
    expect(screen(io.err())).toEqual(['first copy', 'first copy, public.a 1.2 kB of about 70 rows'])
    for (const event of story.slice(4)) emit(event)
    vi.advanceTimersByTime(1000)
    expect(screen(io.err())).toMatchInlineSnapshot(`
      [
        "first copy",
        "public.a: 71 rows copied",
        "following",
        "public.a: column colour added",
        "the sink: try 2 failed, again in 4 s: *** is wrong\\n\\u{1b}[2J",
        "public.a: postgres://u:***@h/d",
        "following, 5 changes written, 1/s, 1 change behind, 2.0 MB…",
      ]
    `)
    const before = io.err()
    vi.advanceTimersByTime(900)
    expect(io.err()).toBe(before)
    stop()
    expect(screen(io.err()).at(-1)).toBe('')
    vi.advanceTimersByTime(1000)
    expect(screen(io.err()).at(-1)).toBe('')
  })

  test('the line is never longer than the terminal is wide', () => {
    const io = fakeIo({ terminal: 40 })
    const { emit, stop } = shown(io)
    emit({ type: 'state', state: 'copying' })
    emit({ type: 'copy-start', table: 'public.' + '長い'.repeat(30), rows: 7 })
    vi.advanceTimersByTime(1000)
    expect(screen(io.err()).at(-1)).toBe('first copy, public.長い長い長い長い長…')
    stop()
  })
})

describe('as a log', () => {
  const lines = (io: FakeIo) =>
    io
      .err()
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Record<string, unknown>)

  test('has states and summaries, warns of retries, and tells batches when asked', () => {
    const io = fakeIo()
    const { emit, stop } = shown(io, { logFormat: 'json' })
    for (const event of story) emit(event)
    vi.advanceTimersByTime(30_000)
    stop()
    expect(lines(io).map(({ level, event, msg }) => [level, event, msg])).toEqual([
      [30, 'state', 'first copy'],
      [30, 'copy-start', 'copy-start'],
      [30, 'copy-end', 'copy-end'],
      [30, 'state', 'following'],
      [30, 'schema', 'public.a: column colour added'],
      [40, 'retry', 'the sink: try 2 failed, again in 4 s: *** is wrong\n\u001b[2J'],
      [40, 'note', 'public.a: postgres://u:***@h/d'],
      [30, 'summary', 'following, 5 changes written, 1 change behind, 2.0 MB behind']
    ])
    expect(io.err()).not.toMatch(/geheim|sesame/)
    expect(lines(io).at(-1)).toMatchObject({
      state: 'following',
      changes: 5,
      batches: 1,
      retries: 1,
      lag: { bytes: 2_000_000, rows: 1 }
    })
  })

  test('has every batch with --verbose', () => {
    const io = fakeIo()
    const { emit, stop } = shown(io, { logFormat: 'json', verbose: true } as { logFormat: 'json' })
    emit({ type: 'quiet', after: 10_000 })
    emit(batch({ 'public.a': { insert: 5 } }, { position: '17' }))
    stop()
    expect(lines(io)).toMatchObject([
      { level: 20, event: 'quiet', msg: 'no signal for 10.0 s: looked without one' },
      { level: 20, event: 'batch', tables: { 'public.a': { insert: 5 } }, changes: 5, position: '17' }
    ])
  })
})

describe('renderFollow', () => {
  const report: FollowReport = {
    version: 1,
    command: 'follow',
    ok: true,
    source: 'wal',
    stream: 'shop',
    tables: [
      { table: 'public.events', copied: 0, insert: 90_211, update: 0, delete: 0, truncate: 0 },
      { table: 'public.orders\n', copied: 2_013_377, insert: 1204, update: 310, delete: 7, truncate: 1 }
    ],
    batches: 120,
    retries: 2,
    position: '0000000001A2B3C4:00000000',
    durationMs: 83_000
  }

  test('lists tables, and says it all in a sentence', () => {
    expect(renderFollow(report, { paint: plain, width: 100, verbose: false })).toMatchInlineSnapshot(`
      "pgsyncer follow
        stream    shop
        source    wal
        position  0000000001A2B3C4:00000000

      Tables
        table               copied  insert  update  delete  truncate
        public.events            0  90,211       0       0         0
        public.orders\\n  2,013,377   1,204     310       7         1

      Done: 2,013,377 rows copied, 91,733 changes written in 120 batches and 2 retries (1 min 23 s)
      "
    `)
  })

  test('where nothing came', () => {
    const empty = { ...report, tables: [], batches: 0, retries: 0, position: null, durationMs: 120 }
    expect(renderFollow(empty, { paint: plain, width: 100, verbose: false })).toMatchInlineSnapshot(`
      "pgsyncer follow
        stream    shop
        source    wal

      Done: nothing had to be written (120 ms)
      "
    `)
  })

  test('fits a narrow terminal', () => {
    const [one] = report.tables
    const long = { ...report, tables: [{ ...one!, table: `public.${'x'.repeat(60)}` }] }
    const lines = renderFollow(long, { paint: plain, width: 64, verbose: false }).split('\n')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(64)
  })

  test('is JSON too', () => {
    expect(JSON.parse(renderJson(report))).toEqual(report)
  })
})
