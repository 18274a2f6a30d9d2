/** `pgsyncer sync`, which is also what `pgsyncer` without a command is. */
import { compareAndRender } from './compare.js'
import type { Command } from './command.js'

export const syncCommand: Command = {
  name: 'sync',
  describe: 'Make the standby the same as main: structure, then rows',
  examples: [
    ['--maindsn postgres://me@db1/shop --standindsn postgres://me@db2/shop', 'Everything in schema public'],
    ['--dry-run', 'Only say what would be done (the DSNs are in MAIN_DSN and STANDIN_DSN)'],
    [
      '--clean-extra --max-delete 5% --yes --quiet',
      'From cron: also remove what main does not have, within a limit'
    ]
  ],
  run: (settings, io) => compareAndRender(settings.cli.dryRun ? 'diff' : 'sync', settings, io)
}
