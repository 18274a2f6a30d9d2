import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer as createPlainServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, ConnectionError } from '../../../../src/core/errors.js'
import { type ClickHouseServer, findClickHouse } from '../../../support/clickhouse.js'
import { openSink } from './bench.js'

const run = promisify(execFile)

/** A certificate of its own for `localhost`; undefined where there is no openssl. */
async function certificate(folder: string): Promise<{ key: Buffer; cert: Buffer; path: string } | undefined> {
  const [key, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  try {
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      path,
      ...subject
    ])
  } catch {
    return undefined
  }
  return { key: await readFile(key), cert: await readFile(path), path }
}

const folder = await mkdtemp(join(tmpdir(), 'pgsyncer-tls-'))
const made = await certificate(folder)
afterAll(() => rm(folder, { recursive: true, force: true }))
const [kind] = await findClickHouse()

describe.skipIf(kind!.skipReason || !made)(
  `ClickHouse behind TLS: ${made ? kind!.title : '(skipped: there is no openssl)'}`,
  () => {
    let server: ClickHouseServer
    let front: Server
    beforeAll(async () => {
      server = await kind!.start()
      front = createServer(made!, socket => {
        const behind = connect(server.port, server.host)
        socket.pipe(behind).pipe(socket)
        for (const end of [socket, behind]) end.on('error', () => end.destroy())
      })
      front.listen(0, 'localhost')
      await once(front, 'listening')
    })
    afterAll(async () => {
      front?.close()
      await server?.close()
    })
    const url = (query = '', port = (front.address() as AddressInfo).port) =>
      `clickhouses://default:${server.password}@localhost:${port}/default${query}`

    test('with an authority that we are told of', async () => {
      const sink = await openSink(url(`?sslrootcert=${encodeURIComponent(made!.path)}&max_threads=1`))
      expect(await sink.recall()).toBeUndefined()
      await sink.close()
    })

    test('with one that nobody knows, and where there is no TLS', async () => {
      await expect(openSink(url())).rejects.toThrow(ConnectionError)
      await expect(openSink(url())).rejects.toThrow(/do not agree about TLS: .*self.signed/)
      const plain = createPlainServer(socket =>
        socket.on('error', () => {}).end('HTTP/1.0 400 Bad Request\r\n\r\n')
      )
      plain.listen(0, 'localhost')
      await once(plain, 'listening')
      const { port } = plain.address() as AddressInfo
      await expect(openSink(url('', port))).rejects.toThrow('do not agree about TLS')
      plain.close()
      await expect(openSink(url('?sslrootcert=/no/where'))).rejects.toThrow(ConfigError)
    })
  }
)
