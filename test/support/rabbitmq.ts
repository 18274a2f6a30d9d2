/**
 * A real RabbitMQ broker for tests: Debian's, as a private instance on the loopback address, with a user of its own.
 *
 *     const rabbit = await findRabbitMq()
 *     describe.skipIf(rabbit.skipReason)(`${rabbit.title}`, () => { … await rabbit.start() … })
 */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import amqp from 'amqplib'
import type { Account } from '../../src/cli/demo/account.js'
import { freePort } from '../../src/cli/demo/servers.js'
import { firstThere, type Recipe, type Service, startService } from './service.js'

export interface RabbitMqKind {
  /** For describe(): the name, and why it is skipped where it is. */
  readonly title: string
  /** Why it cannot be had here, and the command that would bring it; undefined: it can. */
  readonly skipReason: string | undefined
  /** @param password of the user; made up where it is left out. */
  start(password?: string): Promise<RabbitMqServer>
}

export interface RabbitMqServer extends Service {
  readonly port: number
  readonly password: string
  /** `amqp://tester:PASSWORD@127.0.0.1:PORT` */
  readonly url: string
}

const host = '127.0.0.1'
const user = 'tester'

export async function findRabbitMq(): Promise<RabbitMqKind> {
  const program = await firstThere(['/usr/lib/rabbitmq/bin/rabbitmq-server'])
  const skipReason = program
    ? undefined
    : 'there is no rabbitmq-server; to get it: apt-get install --no-install-recommends rabbitmq-server'
  return {
    title: skipReason ? `RabbitMQ (skipped: ${skipReason})` : 'RabbitMQ',
    skipReason,
    start: password => start(program!, password)
  }
}

async function start(program: string, password = randomBytes(12).toString('hex')): Promise<RabbitMqServer> {
  const [port, distribution, mapper] = [await freePort(), await freePort(), await freePort()]
  const url = `amqp://${user}:${encodeURIComponent(password)}@${host}:${port}`

  async function prepare(folder: string): Promise<Recipe> {
    const file = (name: string) => join(folder, name)
    await writeFile(
      file('rabbitmq.conf'),
      `default_user = ${user}\ndefault_pass = ${password}\ndisk_free_limit.absolute = 50MB\nlog.console = true\nlog.file = false\n`
    )
    await writeFile(file('plugins'), '[].\n')
    await writeFile(file('env'), '')
    return {
      command: program,
      args: [],
      env: {
        RABBITMQ_NODENAME: `t${randomBytes(6).toString('hex')}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: host,
        RABBITMQ_NODE_PORT: `${port}`,
        RABBITMQ_DIST_PORT: `${distribution}`,
        RABBITMQ_MNESIA_BASE: file('data'),
        RABBITMQ_LOG_BASE: file('logs'),
        RABBITMQ_CONFIG_FILE: file('rabbitmq.conf'),
        RABBITMQ_CONF_ENV_FILE: file('env'),
        RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins'),
        RABBITMQ_PID_FILE: file('pid'),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
        ERL_EPMD_PORT: `${mapper}`,
        // Makes the script become the broker, instead of waiting for it: its process is the one to kill.
        NOTIFY_SOCKET: file('nobody-listens')
      },
      // Else the broker starts one in the background, and leaves it there.
      companion: { command: 'epmd', args: ['-port', `${mapper}`, '-address', host] },
      ready: () => answers(url)
    }
  }

  const service = await startService({ name: 'RabbitMQ', account: await rabbitAccount(), prepare })
  return {
    port,
    password,
    url,
    get pid() {
      return service.pid
    },
    stop: service.stop,
    start: service.start,
    close: service.close
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const connection = await amqp.connect(url, { timeout: 2_000 })
    connection.on('error', () => {})
    await connection.close()
    return true
  } catch {
    return false
  }
}

/** The package's own user, where we are root. */
async function rabbitAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  const [name, , uid, gid] = lines.find(([name]) => name === 'rabbitmq') ?? []
  return name ? { name, uid: Number(uid), gid: Number(gid) } : undefined
}
