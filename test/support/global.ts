/**
 * One PostgreSQL server for all tests of a run: TEST_PG_URL's, else a container's where a Docker engine answers,
 * else the npm package's. Tests get a superuser's URL by `inject('adminUrl')` and make databases of their own.
 */
import { request } from 'node:http'
import type { TestProject } from 'vitest/node'
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { startServer } from '../../src/cli/demo/servers.js'
import { messageOf } from '../../src/core/errors.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the superuser, on the database `postgres`. */
    adminUrl: string
  }
}

interface TestServer {
  url: string
  stop(): Promise<unknown>
}

/** Logical decoding and prepared transactions are off by default, and some tests need them. */
const settings = { wal_level: 'logical', max_prepared_transactions: '10', max_connections: '200' }

/** Vitest calls it before the first test; what it returns is called after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = given() ?? (await container()) ?? (await embedded())
  project.provide('adminUrl', server.url)
  return async () => {
    await server.stop()
  }
}

function given(): TestServer | undefined {
  const url = process.env.TEST_PG_URL
  return url ? { url, stop: () => Promise.resolve() } : undefined
}

async function embedded(): Promise<TestServer> {
  return startServer({ binaries: await findBinaries(15), name: 'test', settings })
}

async function container(): Promise<TestServer | undefined> {
  if (!(await dockerAnswers())) return undefined
  try {
    const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
    const flags = Object.entries({ ...settings, fsync: 'off' }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`
    ])
    const started = await new PostgreSqlContainer('postgres:15')
      .withDatabase('postgres')
      .withUsername('postgres')
      .withCommand(['postgres', ...flags])
      .withStartupTimeout(60_000)
      .start()
    return { url: started.getConnectionUri(), stop: () => started.stop() }
  } catch (error) {
    process.stderr.write(
      `A Docker engine answers but gives no PostgreSQL (${messageOf(error)}): using the npm package’s.\n`
    )
    return undefined
  }
}

/** Asks the engine's socket itself, for two seconds: the Docker libraries wait much longer for one that is absent. */
function dockerAnswers(): Promise<boolean> {
  const at = new URL(process.env.DOCKER_HOST || 'unix:///var/run/docker.sock')
  const where =
    at.protocol === 'unix:' ? { socketPath: at.pathname } : { host: at.hostname, port: at.port || 2375 }
  return new Promise(resolve => {
    const asked = request({ ...where, path: '/_ping', timeout: 2_000 }, answer => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.on('close', () => resolve(false))
    asked.end()
  })
}
