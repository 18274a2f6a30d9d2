/**
 * The engine of the npm package chdb, served as ClickHouse serves itself: as much of its HTTP interface as clients use. Started by
 * clickhouse.ts as `node clickhouse-chdb.mjs FOLDER PORT`, with the password in CHDB_PASSWORD; ends when its input does.
 *
 * One query runs at a time, because settings and the database belong to the engine's only session.
 */
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { Session } from 'chdb'

const [folder, port] = process.argv.slice(2)
const { CHDB_PASSWORD: password } = process.env
const session = new Session(folder)
const version = (await session.queryAsync('SELECT version()', { format: 'TabSeparated' })).text().trim()
await session.queryAsync('CREATE DATABASE IF NOT EXISTS default')

/** What is not a setting among a URL's parameters. */
const own = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'session_id',
  'user',
  'password',
  'role'
])

let last = Promise.resolve()

createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('error', () => {})
  request.on('end', () => {
    // A body that was cut off never comes here: the real server too refuses to take half of it for the whole.
    if (!request.complete) return
    last = last.then(() => answer(request, Buffer.concat(chunks), response)).catch(() => response.destroy())
  })
}).listen(Number(port), '127.0.0.1')

process.stdin.resume()
process.stdin.on('end', () => process.exit(0))

async function answer(request, sent, response) {
  const { pathname, searchParams: given } = new URL(request.url, 'http://127.0.0.1')
  if (pathname === '/ping') return response.end('Ok.\n')
  try {
    if (!allowed(request, given)) {
      throw Object.assign(
        new Error(
          'Code: 516. DB::Exception: default: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)'
        ),
        { clickhouseCode: 516 }
      )
    }
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    const { text, rows = 0 } = await run(given, body)
    response.setHeader('X-ClickHouse-Summary', JSON.stringify({ written_rows: String(rows) }))
    response.setHeader('X-ClickHouse-Query-Id', given.get('query_id') ?? '')
    response.setHeader('Content-Type', 'text/tab-separated-values; charset=UTF-8')
    response.end(text)
  } catch (error) {
    const code = error.clickhouseCode ?? 1002
    response.statusCode = code === 516 ? 403 : code === 60 || code === 81 ? 404 : 500
    response.setHeader('X-ClickHouse-Exception-Code', String(code))
    response.end(`${error.message} (version ${version})\n`)
  }
}

function allowed({ headers }, given) {
  const [, basic] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? []
  const [user, key] = basic
    ? Buffer.from(basic, 'base64').toString().split(/:(.*)/s)
    : [
        headers['x-clickhouse-user'] ?? given.get('user') ?? 'default',
        headers['x-clickhouse-key'] ?? given.get('password') ?? ''
      ]
  return user === 'default' && key === password
}

async function run(given, body) {
  const query = given.get('query')
  const settings = [...given].filter(([name]) => !own.has(name))
  const insert = query === null ? null : /^(\s*insert\b.*)(\bformat\s+\w+\s*)$/is.exec(query)
  const text = body.toString()
  await use(given.get('database') ?? 'default')
  if (!insert)
    return { text: await withSettings(settings, query === null ? text : `${query}\n${text}`, given) }
  // Where a statement can carry its settings, it does: others take turns of their own.
  const carried = settings.length > 0 ? `SETTINGS ${settings.map(setting).join(', ')} ` : ''
  const result = await session.queryAsync(`${insert[1]} ${carried}${insert[2]}\n${text}`)
  return { text: result.text(), rows: lines(body) }
}

let used
async function use(database) {
  if (used === database) return
  await session.queryAsync(`USE ${quoted(database)}`)
  used = database
}

async function withSettings(settings, query, given) {
  const set = values => (values.length > 0 ? session.queryAsync(`SET ${values.join(', ')}`) : undefined)
  const made = settings.filter(([name]) => !name.startsWith('param_')).map(([name]) => `${name} = DEFAULT`)
  try {
    await set(settings.map(setting))
    return (await session.queryAsync(query, { format: given.get('default_format') ?? 'TabSeparated' })).text()
  } finally {
    await set(made)
  }
}

const setting = ([name, value]) => `${name} = '${value.replace(/['\\]/g, '\\$&')}'`

function quoted(name) {
  return `\`${name.replace(/[`\\]/g, '\\$&')}\``
}

function lines(body) {
  let count = 0
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) count++
  return count
}
