import { request } from 'node:http'
import { createServer } from 'node:net'
import parsePrometheus from 'parse-prometheus-text-format'
import { afterEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/core/errors.js'
import { parseAddress, withoutSecrets } from '../../../src/cli/serve/address.js'
import type { Snapshot } from '../../../src/cli/serve/snapshot.js'
import { serveFollow, type Served } from '../../../src/cli/serve/server.js'
import { about, batch } from './events.js'

const open: Served[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function serve(address = '127.0.0.1:0', more = about): Promise<Served> {
  const served = await serveFollow(address, more)
  open.push(served)
  return served
}

const get = (served: Served, path: string, init?: RequestInit) => fetch(new URL(path, served.url), init)

describe('/metrics', () => {
  interface Family {
    name: string
    type: string
    metrics: {
      value?: string
      labels?: Record<string, string>
      buckets?: Record<string, string>
      count?: string
      sum?: string
    }[]
  }

  async function scrape(served: Served): Promise<Map<string, Family>> {
    const answer = await get(served, '/metrics')
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const families = parsePrometheus(await answer.text()) as Family[]
    return new Map(families.map(family => [family.name, family]))
  }

  test('has the figures of the events', async () => {
    const served = await serve()
    const { emit } = served
    emit({ type: 'state', state: 'copying' })
    emit({ type: 'copy-start', table: 'a.b', rows: 7 })
    emit({ type: 'copy-bytes', table: 'a.b', bytes: 1000 })
    emit({ type: 'copy-bytes', table: 'a.b', bytes: 234 })
    emit({ type: 'copy-end', table: 'a.b', rows: 8 })
    emit({ type: 'state', state: 'following' })
    const before = Date.now()
    emit(
      batch(
        { 'a.b': { insert: 3, update: 2 }, 'a."x\\y\n"': { delete: 1 } },
        { duration: 20, committedAt: before }
      )
    )
    emit(batch({ 'a.b': { insert: 4, truncate: 1 } }, { duration: 4000, position: '17' }))
    emit(batch({}, { duration: 9, position: '18' }))
    emit({ type: 'retry', what: 'main', attempt: 1, delay: 1, reason: 'gone' })
    emit({ type: 'lag', lag: { bytes: 99, rows: 5, retainedBytes: 1_000_000 } })
    const seen = await scrape(served)
    const values = (name: string) =>
      seen.get(name)!.metrics.map(({ labels, value }) => [...Object.values(labels ?? {}), Number(value)])
    expect(values('pgsyncer_changes_total')).toEqual([
      ['a.b', 'insert', 7],
      ['a.b', 'update', 2],
      ['a."x\\y\n"', 'delete', 1],
      ['a.b', 'truncate', 1]
    ])
    expect(values('pgsyncer_batches_total')).toEqual([[2]])
    expect(values('pgsyncer_retries_total')).toEqual([[1]])
    expect(values('pgsyncer_copied_rows_total')).toEqual([['a.b', 8]])
    expect(values('pgsyncer_copied_bytes_total')).toEqual([['a.b', 1234]])
    expect(values('pgsyncer_lag_bytes')).toEqual([[99]])
    expect(values('pgsyncer_lag_rows')).toEqual([[5]])
    expect(values('pgsyncer_slot_retained_bytes')).toEqual([[1_000_000]])
    expect(values('pgsyncer_state')).toEqual([
      ['connecting', 0],
      ['copying', 0],
      ['following', 1],
      ['waiting', 0],
      ['stopped', 0]
    ])
    expect(seen.get('pgsyncer_info')!.metrics[0]!.labels).toEqual(about)
    const [[progress]] = values('pgsyncer_last_progress_timestamp_seconds') as [[number]]
    expect(progress).toBeGreaterThanOrEqual(before / 1000)
    expect(progress).toBeLessThanOrEqual(Date.now() / 1000)
    const writing = seen.get('pgsyncer_write_duration_seconds')!
    expect(writing.type).toBe('HISTOGRAM')
    expect(writing.metrics[0]).toMatchObject({ count: '2', sum: '4.02' })
    expect(writing.metrics[0]!.buckets).toMatchObject({
      '0.01': '0',
      '0.025': '1',
      '2.5': '1',
      '5': '2',
      '+Inf': '2'
    })
    expect(seen.get('pgsyncer_commit_to_written_seconds')!.metrics[0]!.count).toBe('1')
    expect(values('pgsyncer_process_resident_memory_bytes')[0]![0]).toBeGreaterThan(1e6)
    for (const name of seen.keys()) expect(name).toMatch(/^pgsyncer_/)
  })

  test('leaves out what nobody knows', async () => {
    const served = await serve()
    const shown = async () =>
      [...(await scrape(served))].flatMap(([name, { metrics }]) =>
        /lag_|retained|progress|position/.test(name) && !/nodejs/.test(name) && metrics.length > 0
          ? [name]
          : []
      )
    expect(await shown()).toEqual([])
    served.emit({ type: 'lag', lag: { bytes: 0, retainedBytes: 5 } })
    expect(await shown()).toEqual([
      'pgsyncer_lag_bytes',
      'pgsyncer_lag_seconds',
      'pgsyncer_slot_retained_bytes'
    ])
    served.emit({ type: 'lag', lag: { rows: 3 } })
    expect(await shown()).toEqual(['pgsyncer_lag_rows', 'pgsyncer_lag_seconds'])
  })

  test('of two followers in one process are two', async () => {
    const [one, two] = [await serve(), await serve('0', { ...about, stream: 'other' })]
    one.emit(batch({ a: { insert: 3 } }))
    expect((await scrape(one)).get('pgsyncer_batches_total')!.metrics[0]!.value).toBe('1')
    expect((await scrape(two)).get('pgsyncer_batches_total')!.metrics[0]!.value).toBe('0')
  })
})

test('/healthz is 200 with progress, and 503 without', async () => {
  const served = await serve()
  const well = await get(served, '/healthz')
  expect(well.status).toBe(200)
  expect(well.headers.get('content-type')).toBe('application/json')
  expect(well.headers.get('cache-control')).toBe('no-store')
  expect(await well.json()).toMatchObject({ ok: true, state: 'connecting', staleAfterSeconds: 60 })
  await expect
    .poll(async () => (await get(served, '/healthz?stale=1')).status, { timeout: 10_000, interval: 100 })
    .toBe(503)
  expect(await (await get(served, '/healthz?stale=1')).json()).toMatchObject({
    ok: false,
    reason: expect.stringContaining('it has not been able to work')
  })
  for (const wrong of ['0', '-1', '1.5', 'x', '86401', ''])
    expect((await get(served, `/healthz?stale=${wrong}`)).status).toBe(400)
})

test('only what is there, only by GET and HEAD', async () => {
  const served = await serve()
  for (const path of ['/favicon.ico', '/metrics/', '/../etc/passwd', '/%2e%2e/x']) {
    const answer = await get(served, path)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/plain; charset=utf-8'])
  }
  const posted = await get(served, '/metrics', { method: 'POST', body: 'x' })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  for (const path of ['/', '/metrics', '/healthz', '/events']) {
    const head = await get(served, path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  }
  // What no URL parser takes.
  for (const path of ['//', 'http://[', '*', '/?%zz']) expect(await raw(served, path)).toBeLessThan(500)
  const page = await get(served, '/')
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'sha256-[^']+'; /
  )
  expect(page.headers.get('cache-control')).toBe('no-store')
})

function raw(served: Served, path: string): Promise<number> {
  const { hostname, port } = new URL(served.url)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, answer => {
      answer.resume()
      resolve(answer.statusCode!)
    })
      .on('error', reject)
      .end()
  })
}

/** What `/events` sends, message by message. */
async function* messages(served: Served): AsyncGenerator<Snapshot> {
  const { body } = await get(served, '/events')
  let text = ''
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))!
      text = text.slice(end + 2)
      yield JSON.parse(data[1]!) as Snapshot
    }
  }
}

test('/events tells at once, on a change of state, and every second; close ends it', async () => {
  const served = await serve('127.0.0.1:0', {
    ...about,
    main: 'postgres://me:geheim@db:5432/shop?sslpassword=auch',
    to: "host=db2 user=you password='ge heim' sslpassword=auch"
  })
  const seen = messages(served)
  const first = (await seen.next()).value as Snapshot
  expect(first).toMatchObject({ state: 'connecting', changes: 0 })
  expect(first.about).toMatchObject({ main: 'postgres://me@db:5432/shop', to: 'host=db2 user=you' })
  served.emit(batch({ a: { insert: 1 } }))
  served.emit({ type: 'state', state: 'following' })
  expect((await seen.next()).value).toMatchObject({ state: 'following', changes: 1 })
  served.emit(batch({ a: { insert: 1 } }))
  expect((await seen.next()).value).toMatchObject({ state: 'following', changes: 2 })
  await served.close()
  expect((await seen.next()).done).toBe(true)
  await expect(get(served, '/')).rejects.toThrow('fetch failed')
  // Whoever still tells it something does no harm, and closing twice neither.
  served.emit({ type: 'state', state: 'stopped' })
  await served.close()
})

test('an address in use is a wrong setting', async () => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  try {
    const error: unknown = await serveFollow(`127.0.0.1:${port}`, about).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({
      message: `--http 127.0.0.1:${port}: the address is in use`,
      hint: expect.stringContaining('another follower')
    })
  } finally {
    other.close()
  }
  await expect(serveFollow('192.0.2.1:9187', about)).rejects.toThrow(
    'this machine does not have that address'
  )
})

test.each([
  ['127.0.0.1:9187', '127.0.0.1', 9187],
  ['0.0.0.0:9187', '0.0.0.0', 9187],
  [':9187', '127.0.0.1', 9187],
  ['9187', '127.0.0.1', 9187],
  ['[::1]:9187', '::1', 9187],
  ['localhost:0', 'localhost', 0]
])('%s is an address', (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port })
})

test.each(['', ':', '70000', '::1:9187', 'http://x:1', 'a b:1', '127.0.0.1', '127.0.0.1:', '[::1]', '-1'])(
  '%j is none',
  text => {
    expect(() => parseAddress(text)).toThrow(ConfigError)
  }
)

test.each([
  ['postgres://u:p%40@h:1,g:2/d?password=x#y', 'postgres://u@h:1,g:2/d'],
  ['postgres://u:p?w/x#y@h/d', 'postgres://u@h/d'],
  ['postgres:///d', 'postgres:///d'],
  ['clickhouse://stats:8123/shop', 'clickhouse://stats:8123/shop'],
  ['clickhouse://:secret@stats:8123/shop', 'clickhouse://stats:8123/shop'],
  ["host = db password = 'a b\\' host=c' dbname=shop", 'host=db dbname=shop'],
  ['service=shop', 'service=shop'],
  ['shop', 'shop']
])('%s is shown as %s', (dsn, shown) => {
  expect(withoutSecrets(dsn)).toBe(shown)
})
