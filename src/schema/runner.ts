/**
 * Carries out statements on the standby, all of a call in one transaction: over a connection, or by psql. Either
 * way a failure names the step that it came from, and nothing of the call stays.
 */
import type pg from 'pg'
import { messageOf, PgsyncerError } from '../core/errors.js'
import { redact } from '../core/redact.js'
import { stopOnAbort } from '../postgres/backend.js'
import { codeOf, isConnectionLoss } from '../postgres/failure.js'
import { asQueryable, type Server } from '../postgres/server.js'
import type { SchemaOptions } from './change.js'
import type { Step } from './step.js'
import type { SchemaPlan } from './plan.js'
import { exampleOf, type Refusal } from './example.js'
import { findPsql } from './programs.js'
import { runProgram } from './run.js'

export interface Runner {
  /** @throws StepFailure, or the signal's reason. */
  run(steps: readonly Step[]): Promise<void>
  close(): Promise<void>
}

/** The server's refusal of one step; undefined: none of them in particular, such as a failure of the commit. */
export class StepFailure extends PgsyncerError {
  constructor(
    readonly step: Step | undefined,
    message: string,
    details: { hint?: string; sqlstate?: string; cause?: unknown } = {}
  ) {
    super(message, details)
  }

  /** Another session held a lock, or made a deadlock of it: worth another try. */
  get wasBlocked(): boolean {
    return this.sqlstate === '55P03' || this.sqlstate === '40P01'
  }

  /** The connection was lost: whether a commit took place, nobody can tell. */
  get wasLost(): boolean {
    return isConnectionLoss(this)
  }
}

/** As the options say: a connection, or psql. */
export async function makeRunner(plan: SchemaPlan, standby: Server, options: SchemaOptions): Promise<Runner> {
  if (!options.forcePsql) return new ConnectionRunner(plan.preamble, standby, options.signal)
  const path = await findPsql(options.psql, plan.pgDump, plan.env)
  return {
    run: steps => runScript(path, plan, standby, steps, options.signal),
    close: async () => {}
  }
}

class ConnectionRunner implements Runner {
  #client: pg.Client | undefined

  constructor(
    readonly preamble: readonly string[],
    readonly standby: Server,
    readonly signal: AbortSignal
  ) {}

  async run(steps: readonly Step[]): Promise<void> {
    this.signal.throwIfAborted()
    const client = await this.#open()
    // What comes of it is an error of the statement that runs.
    const release = stopOnAbort(this.signal, this.standby, client)
    let current: Step | undefined
    let text = ''
    try {
      const alone = steps.length > 0 && steps.every(step => 'alone' in step && step.alone)
      if (!alone) await client.query('BEGIN')
      for (const step of steps) {
        current = step
        for (const statement of step.statements) {
          this.signal.throwIfAborted()
          text = statement
          await client.query(statement)
        }
      }
      if (alone) return
      current = undefined
      await client.query('COMMIT')
    } catch (error) {
      // A lost connection has rolled back by itself, and the next run opens another.
      if (isConnectionLoss(error)) await this.close()
      else await client.query('ROLLBACK').catch(() => this.close())
      this.signal.throwIfAborted()
      throw failureOf(
        current,
        error,
        this.#client && (await exampleOf(asQueryable(client), text, error as Refusal))
      )
    } finally {
      release()
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  async #open(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const client = await this.standby.connect()
    this.#client = client
    await client.query(this.preamble.join('\n'))
    return client
  }
}

function failureOf(step: Step | undefined, error: unknown, example: string | undefined): StepFailure {
  const { detail, hint } = error as { detail?: unknown; hint?: unknown }
  const sqlstate = codeOf(error)
  const message = sentence(messageOf(error), typeof detail === 'string' ? detail : undefined, example)
  return new StepFailure(step, message, {
    ...(typeof hint === 'string' && { hint: redact(hint) }),
    ...(sqlstate !== undefined && { sqlstate }),
    cause: error
  })
}

/** psql's exit code where the connection went. */
const lostConnection = 2

async function runScript(
  path: string,
  plan: SchemaPlan,
  standby: Server,
  steps: readonly Step[],
  signal: AbortSignal
): Promise<void> {
  // psql commits at the end of its input, which is also where a killed program's ends: it must not be asked to.
  const lines = ['BEGIN;', ...plan.preamble]
  let line = lines.length
  /** Of each statement: its step, and its last line. */
  const ends: { step: Step; statement: string; line: number }[] = []
  for (const step of steps) {
    for (const statement of step.statements) {
      lines.push(statement)
      line += statement.split('\n').length
      ends.push({ step, statement, line })
    }
  }
  const settings = ['-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose']
  const args = ['-X', '-q', ...settings, '--no-password', '-f', '-']
  const { code, stderr } = await runProgram(path, args, {
    libpqEnv: standby.libpqEnv,
    env: plan.env,
    signal: AbortSignal.any([signal, standby.lost]),
    input: `${lines.join('\n')}\nCOMMIT;\n`
  })
  if (code === 0) return
  const said = /^psql:<stdin>:(\d+): (?:ERROR|FATAL): +(?:(\w{5}): )?([\s\S]*)$/m.exec(stderr)
  const text = said?.[3] ?? stderr
  const field = (name: string) => new RegExp(`^${name}: +(.*)$`, 'm').exec(text)?.[1]
  const culprit = ends.find(end => Number(said?.[1] ?? Infinity) <= end.line)
  const fields = {
    code: said?.[2],
    schema: field('SCHEMA NAME'),
    table: field('TABLE NAME'),
    column: field('COLUMN NAME'),
    constraint: field('CONSTRAINT NAME')
  }
  const example = culprit && (await exampleOf(standby.sql, culprit.statement, fields))
  const message = sentence(text.split('\n')[0]!, field('DETAIL'), example)
  const hint = field('HINT')
  const sqlstate = fields.code ?? (code === lostConnection ? '08006' : undefined)
  throw new StepFailure(culprit?.step, message, {
    ...(hint !== undefined && { hint }),
    ...(sqlstate !== undefined && { sqlstate })
  })
}

function sentence(message: string, detail: string | undefined, example: string | undefined): string {
  const more = detail === undefined ? '' : ` (${detail.replaceAll('\n', '; ')})`
  return redact(message + more + (example === undefined ? '' : `, such as ${example}`))
}
