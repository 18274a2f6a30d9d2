/** `pgsyncer sync`, which is also what `pgsyncer` without a command is. */
import { compareAndRender } from './compare.js'
import type { Run } from './command.js'

export const run: Run = (settings, io) =>
  compareAndRender(settings.cli.dryRun ? 'diff' : 'sync', settings, io)
