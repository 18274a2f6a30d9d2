/** `pgsyncer diff`: the same comparison, nothing written. */
import { compareAndRender } from './compare.js'
import type { Command } from './command.js'

export const diffCommand: Command = {
  name: 'diff',
  describe: 'Say what a sync would do; exit 3 if there is anything',
  examples: [
    [
      "-t 'order*' --where 'orders: created_at > now() - interval ''1 day'''",
      'Some tables, and of one only the latest rows'
    ],
    ['--format json --report changes.sql', 'For a program, and as a script for psql']
  ],
  run: (settings, io) => compareAndRender('diff', settings, io)
}
