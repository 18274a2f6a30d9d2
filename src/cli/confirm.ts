/** Nothing is removed unasked: a person at a terminal is asked, a script must have said --yes. */
import { createInterface } from 'node:readline'
import { GuardError } from '../core/errors.js'
import { readDsn } from '../postgres/dsn.js'
import { defaults } from '../sync/config.js'
import type { PlanHead } from '../sync/plan/document.js'
import type { Settings } from './config.js'
import { write, type Io } from './io.js'
import { listed, some } from './render/words.js'

/** @throws GuardError where `--clean-extra`, or `--allow` of what deletes data, is not agreed to. */
export async function confirmRemoval(settings: Settings, io: Io): Promise<void> {
  await confirm(removals(settings.sync), settings, io)
}

/** @throws GuardError where what a plan removes is not agreed to. */
export async function confirmPlan(plan: PlanHead, settings: Settings, io: Io): Promise<void> {
  const rows = plan.tables.reduce((sum, table) => sum + table.delete, 0)
  const drops = plan.structure?.changes.filter(({ hazards }) => hazards.includes('deletes-data')) ?? []
  const what = [
    ...(rows > 0 ? [`the ${plan.kind} deletes ${some(rows, 'row')}`] : []),
    ...(drops.length > 0
      ? [`the plan makes ${some(drops.length, 'change')} of structure that delete data`]
      : [])
  ]
  await confirm(what, settings, io)
}

async function confirm(what: readonly string[], { sync, cli }: Settings, io: Io): Promise<void> {
  if (what.length === 0 || cli.yes) return
  const sentence = `${listed(what)} from ${addressOf(sync.standby, sync.env ?? {})}`
  if (!io.stdin.isTTY || !io.stderr.isTTY) {
    throw new GuardError(`${sentence}, and there is no terminal to ask at`, {
      hint: 'Add --yes if that is meant.'
    })
  }
  const answer = await ask(`${sentence}.\nGo on? [y/N] `, io)
  if (!/^y(es)?$/i.test(answer.trim())) throw new GuardError('not agreed to: nothing was changed')
}

function removals({ cleanExtra, allow = [], syncSchema = defaults.syncSchema }: Settings['sync']): string[] {
  const { rows = false, objects = false } = cleanExtra ?? {}
  const extra = [rows && 'rows', objects && 'objects'].filter(Boolean).join(' and ')
  const allowed = allow.find(name => name === 'deletes-data' || name === 'all')
  return [
    ...(extra === '' ? [] : [`--clean-extra removes ${extra} that main does not have`]),
    ...(allowed && syncSchema ? [`--allow ${allowed} lets changes of structure delete data`] : [])
  ]
}

function addressOf(dsn: string, env: NonNullable<Settings['sync']['env']>): string {
  const { host, port, dbname } = readDsn('standby', dsn, env)
  return `${host}:${port}/${dbname}`
}

/** The next line; an empty one where the input ends. The terminal's own line editing, so that Ctrl-C stays a signal. */
async function ask(question: string, io: Io): Promise<string> {
  await write(io.stderr, question)
  const lines = createInterface({ input: io.stdin, terminal: false })
  try {
    return await new Promise((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(''))
      io.signal.addEventListener('abort', () => reject(io.signal.reason), { once: true })
    })
  } finally {
    lines.close()
    io.stdin.pause()
  }
}
