/** `pgsyncer apply-plan FILE`: what a plan says, or nothing. */
import { resolve } from 'node:path'
import { redact } from '../../core/redact.js'
import { confirmPlan } from '../confirm.js'
import { exitCodes } from '../exit.js'
import { write } from '../io.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import { renderPlan } from '../render/plan.js'
import { showProgress } from '../render/progress.js'
import type { Run } from './command.js'
import { styleOf } from './style.js'

export const run: Run = async (settings, io) => {
  const { sync: options, cli, action } = settings
  const { applyPlan, readHead } = await import('../library.js')
  const plan = resolve(io.cwd, action)
  if (!cli.dryRun) await confirmPlan(await readHead(plan), settings, io)
  const { standby, env = {}, allow = [], maxDelete, lockTimeout, statementTimeout } = options
  const progress = showProgress(io, cli, paintFor(io, io.stderr, cli.noColor))
  const report = await applyPlan(
    {
      plan,
      standby,
      env,
      allow,
      dryRun: cli.dryRun,
      ...(cli.undo !== undefined && { undo: resolve(io.cwd, cli.undo) }),
      ...(maxDelete && { maxDelete }),
      ...(lockTimeout !== undefined && { lockTimeout }),
      ...(statementTimeout !== undefined && { statementTimeout })
    },
    { signal: io.signal, emit: progress.emit }
  ).finally(() => progress.stop())
  const shown = { ...report, failures: report.failures.map(redact), notes: report.notes.map(redact) }
  if (cli.format === 'json') await write(io.stdout, renderJson(shown))
  else if (!cli.quiet || !report.ok) await write(io.stdout, renderPlan(shown, styleOf(io, cli)))
  return report.ok ? exitCodes.done : exitCodes.failed
}
