/** Nothing is removed unasked: a person at a terminal is asked, a script must have said --yes. */
import { createInterface } from 'node:readline'
import { GuardError } from '../core/errors.js'
import { readDsn } from '../postgres/dsn.js'
import type { Settings } from './config.js'
import { write, type Io } from './io.js'

/** @throws GuardError where `--clean-extra` is not agreed to. */
export async function confirmRemoval({ sync, cli }: Settings, io: Io): Promise<void> {
  const { rows = false, objects = false } = sync.cleanExtra ?? {}
  const what = [rows && 'rows', objects && 'objects'].filter(Boolean).join(' and ')
  if (what === '' || cli.yes) return
  const sentence = `--clean-extra removes ${what} that main does not have from ${addressOf(sync.standby, sync.env ?? {})}`
  if (!io.stdin.isTTY || !io.stderr.isTTY) {
    throw new GuardError(`${sentence}, and there is no terminal to ask at`, {
      hint: 'Add --yes if that is meant.'
    })
  }
  const answer = await ask(`${sentence}.\nGo on? [y/N] `, io)
  if (!/^y(es)?$/i.test(answer.trim())) throw new GuardError('not agreed to: nothing was changed')
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
