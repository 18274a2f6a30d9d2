/**
 * A real Kafka broker for tests: Apache's own server jars, one node that is its own controller, on the loopback address. It has two doors:
 * one open, one for users with a password.
 *
 *     const kafka = await findKafka()
 *     describe.skipIf(kafka.skipReason)(`${kafka.title}`, () => { … await kafka.start() … })
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'
import { freePort } from '../../src/cli/demo/servers.js'
import { firstThere, type Recipe, type Service, startService } from './service.js'

export interface KafkaKind {
  /** For describe(): the name, and why it is skipped where it is. */
  readonly title: string
  /** Why it cannot be had here, and the command that would bring it; undefined: it can. */
  readonly skipReason: string | undefined
  start(): Promise<KafkaServer>
}

export interface KafkaServer extends Service {
  /** `127.0.0.1:PORT`, open to all. */
  readonly address: string
  /** `127.0.0.1:PORT` for the user `tester`, by PLAIN or SCRAM-SHA-256. */
  readonly guarded: string
  readonly password: string
}

const run = promisify(execFile)
const host = '127.0.0.1'

export async function findKafka(): Promise<KafkaKind> {
  const pom = await readFile(new URL('kafka.pom.xml', import.meta.url), 'utf8')
  const version = /<artifactId>kafka_2.13<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1]
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const jars = join(cache, 'pgsyncer', `kafka-${version}`)
  const [there, java] = [await firstThere([join(jars, `kafka_2.13-${version}.jar`)]), await hasJava()]
  const skipReason =
    there && java
      ? undefined
      : java
        ? `Kafka’s jars are not in ${jars}; to get them: mvn -f test/support/kafka.pom.xml dependency:copy-dependencies -DoutputDirectory=${jars}`
        : 'there is no Java 17 or newer; to get it: apt-get install openjdk-17-jre-headless maven'
  return {
    title: skipReason ? `Kafka (skipped: ${skipReason})` : 'Kafka',
    skipReason,
    start: () => start(jars)
  }
}

async function hasJava(): Promise<boolean> {
  const { stderr } = await run('java', ['-version']).catch(() => ({ stderr: '' }))
  return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) >= 17
}

async function start(jars: string): Promise<KafkaServer> {
  const [open, guarded, controller] = [await freePort(), await freePort(), await freePort()]
  const password = randomBytes(12).toString('hex')

  async function prepare(folder: string): Promise<Recipe> {
    const config = join(folder, 'server.properties')
    const login = 'org.apache.kafka.common.security'
    const settings: Record<string, string | number> = {
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@${host}:${controller}`,
      'controller.listener.names': 'CONTROLLER',
      listeners: `OPEN://${host}:${open},GUARDED://${host}:${guarded},CONTROLLER://${host}:${controller}`,
      'advertised.listeners': `OPEN://${host}:${open},GUARDED://${host}:${guarded}`,
      'listener.security.protocol.map': 'OPEN:PLAINTEXT,GUARDED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'OPEN',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      'listener.name.guarded.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_tester="${password}";`,
      'listener.name.guarded.scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
      'log.dirs': join(folder, 'data'),
      'offsets.topic.replication.factor': 1,
      'offsets.topic.num.partitions': 4,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'share.coordinator.state.topic.replication.factor': 1,
      'share.coordinator.state.topic.min.isr': 1,
      'auto.create.topics.enable': 'false',
      // Else every first member of a group waits three seconds for others.
      'group.initial.rebalance.delay.ms': 0,
      'num.partitions': 1,
      // Else a server that was killed is kept out until the time-out of its former life.
      'broker.session.timeout.ms': 1500,
      'broker.heartbeat.interval.ms': 300
    }
    await writeFile(
      config,
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
      { mode: 0o600 }
    )
    const java = [
      '-Xms192m',
      '-Xmx384m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      join(jars, '*')
    ]
    // It must not begin with what looks like an option.
    const id = Buffer.concat([Buffer.from([1]), randomBytes(15)]).toString('base64url')
    const user = `SCRAM-SHA-256=[name=tester,password=${password}]`
    const format = ['format', '--cluster-id', id, '--config', config, '--add-scram', user]
    await run('java', [...java, 'kafka.tools.StorageTool', ...format])
    return {
      command: 'java',
      args: [...java, 'kafka.Kafka', config],
      ready: () => answers(`${host}:${open}`)
    }
  }

  const service = await startService({ name: 'Kafka', account: undefined, prepare })
  return {
    address: `${host}:${open}`,
    guarded: `${host}:${guarded}`,
    password,
    get pid() {
      return service.pid
    },
    stop: service.stop,
    start: service.start,
    close: service.close
  }
}

async function answers(address: string): Promise<boolean> {
  const admin = new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 }
  }).admin()
  try {
    await admin.connect()
    await admin.listTopics()
    return true
  } catch {
    return false
  } finally {
    await admin.disconnect().catch(() => {})
  }
}
