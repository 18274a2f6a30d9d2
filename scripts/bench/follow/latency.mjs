/** From COMMIT on main to visible in the sink, as a reader of the sink sees it, while 500 rows a second are committed one by one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const count = 5000
const perSecond = 500

/** @returns milliseconds: { median, p99, count } */
export async function latencies(program, { main, standby, follow }, env) {
  const child = spawn(process.execPath, [program, ...follow, '--quiet'], {
    env: { ...process.env, ...env },
    stdio: 'ignore'
  })
  const clients = [main, standby].map(connectionString => new pg.Client({ connectionString }))
  try {
    await Promise.all(clients.map(client => client.connect()))
    const [writer, reader] = clients
    const text = `INSERT INTO items (customer, state) VALUES (1, 'open') RETURNING id::int AS id`
    const { id: first } = (await writer.query(text)).rows[0]
    const greatest = async () =>
      (await reader.query('SELECT coalesce(max(id), 0)::int AS id FROM items')).rows[0].id
    while ((await greatest()) < first) await delay(20)
    const committed = new Map()
    const seen = new Map()
    const reading = (async () => {
      for (let last = first; seen.size < count;) {
        const now = await greatest()
        const at = performance.now()
        for (; last < now; last++) seen.set(last + 1, at)
        await delay(1)
      }
    })()
    const began = performance.now()
    for (let i = 0; i < count; i++) {
      const { id } = (await writer.query(text)).rows[0]
      committed.set(id, performance.now())
      const ahead = began + ((i + 1) * 1000) / perSecond - performance.now()
      if (ahead > 0) await delay(ahead)
    }
    await reading
    const sorted = [...committed].map(([id, at]) => Math.max(0, seen.get(id) - at)).sort((a, b) => a - b)
    const at = share => Math.round(sorted[Math.floor(share * (sorted.length - 1))] * 10) / 10
    return { median: at(0.5), p99: at(0.99), count: sorted.length }
  } finally {
    child.kill('SIGTERM')
    await Promise.all([
      child.exitCode === null && once(child, 'close'),
      ...clients.map(client => client.end().catch(() => {}))
    ])
  }
}
