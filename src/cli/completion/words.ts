/** What there is to complete: the commands, and of each its words and flags, out of the one table of each. */
import { commands } from '../commands.js'
import { options } from '../options.js'

export interface Flag {
  /** With its dashes. */
  readonly name: string
  readonly alias: string | undefined
  readonly describe: string
  /** What may follow it: nothing, one of these words, a file, or anything. */
  readonly value: readonly string[] | 'none' | 'file' | 'any'
}

export interface Completed {
  readonly name: string
  readonly describe: string
  /** Word → what it does. */
  readonly actions: readonly (readonly [string, string])[]
  /** Behind the command's name goes a file. */
  readonly file: boolean
  readonly flags: readonly Flag[]
}

const general: readonly Flag[] = [
  { name: '--help', alias: '-h', describe: 'Show this help', value: 'none' },
  { name: '--version', alias: '-V', describe: 'Show the version', value: 'none' }
]

export const completed: readonly Completed[] = commands.map(({ name, describe, operand, actions = {} }) => ({
  name,
  describe,
  actions: Object.entries(actions),
  file: operand === 'FILE',
  flags: [
    ...options
      .filter(option => option.commands.includes(name))
      .map(option => ({
        name: `--${option.name}`,
        alias: option.alias && `-${option.alias}`,
        describe: option.describe,
        value: valueOf(option.value)
      })),
    ...general
  ]
}))

/** `text|json` are words to choose from; what is written in capitals stands for something. */
function valueOf(value: string | undefined): Flag['value'] {
  if (value === undefined) return 'none'
  if (/^[a-z0-9|-]+$/.test(value) && value.includes('|')) return value.split('|')
  return /^(?:FILE|PATH)$/.test(value) ? 'file' : 'any'
}
