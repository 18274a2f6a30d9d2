/** From arguments to an exit code. yargs reads and helps; what the settings mean is config.ts's, what is done a command's. */
import yargs, { type Argv } from 'yargs'
import { ConfigError } from '../core/errors.js'
import { normaliseArgv } from './argv.js'
import { commands } from './commands.js'
import type { Command } from './commands/command.js'
import { failOn, gather, type Flags } from './config.js'
import { exitCodeOfError, exitCodeOfSignal, Stopped } from './exit.js'
import { helpText } from './help.js'
import { widthOf, write, type Io } from './io.js'
import { nearest, nearestOf } from './nearest.js'
import { cliDefaults, commandNames, type CliSettings } from './option.js'
import { options } from './options.js'
import { renderError, wordsOf } from './render/errors.js'
import { paintFor } from './render/paint.js'
import { ownVersion } from './version.js'

/** Runs one command line; every error is shown, and has become an exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  // How to show an error is known as soon as the flags are read, even where the settings have faults.
  let look: CliSettings = cliDefaults
  try {
    const chosen: { command?: Command; flags?: Flags } = {}
    const parser = declareAll(yargs([]))
    for (const command of commands) {
      parser.command(
        command.name === 'sync' ? [command.name, '$0'] : command.name,
        command.describe,
        builder => declare(builder, command),
        flags => void Object.assign(chosen, { command, flags })
      )
    }
    const answer = await parse(parser, normaliseArgv(argv), widthOf(io.stdout))
    if (answer !== '') return await write(io.stdout, `${answer}\n`).then(() => 0)
    const { flags = {} } = chosen
    const { command, words, unknown } = readWords(flags, chosen.command ?? commands[0]!)
    const { faults, ...settings } = gather(command.name, flags, io)
    look = settings.cli
    failOn(
      [...unknown, ...strayWords(words, command), ...faults],
      unknown.length > 0 ? undefined : command.name
    )
    const { run: start } = await command.load()
    const action = command.actions || command.operand ? (words[0] ?? '') : ''
    const code = await start({ ...settings, action }, io, run)
    return io.signal.reason instanceof Stopped ? exitCodeOfSignal(io.signal.reason.by) : code
  } catch (error) {
    return await fail(error, look, io)
  }
}

async function fail(error: unknown, look: CliSettings, io: Io): Promise<number> {
  const { reason } = io.signal
  if (reason instanceof Stopped) {
    await write(io.stderr, 'pgsyncer: stopped\n')
    return exitCodeOfSignal(reason.by)
  }
  if (look.logFormat === 'json') {
    const { messages, hint } = wordsOf(error)
    const name = error instanceof Error ? error.name : 'Error'
    const { openLog } = await import('./render/log.js')
    for (const message of messages)
      openLog(io.stderr, look.verbose).error({ error: name, ...(hint !== undefined && { hint }) }, message)
  } else {
    await write(
      io.stderr,
      renderError(error, { paint: paintFor(io, io.stderr, look.noColor), verbose: look.verbose })
    )
  }
  return exitCodeOfError(error)
}

function declareAll(parser: Argv): Argv {
  return parser
    .scriptName('pgsyncer')
    .locale('en')
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      'strip-aliased': true
    })
    .help('help')
    .alias('help', 'h')
    .version('version', ownVersion())
    .alias('version', 'V')
    .exitProcess(false)
}

/** The command's part of the table. What is said of it is help.ts's. */
function declare(builder: Argv, { name }: Command): Argv {
  for (const { alias, ...option } of options.filter(one => one.commands.includes(name)))
    builder.option(option.name, alias === undefined ? {} : { alias })
  return builder
}

/** Gives the text of --help or --version, or an empty one where a command was chosen. */
async function parse(parser: Argv, argv: string[], width: number): Promise<string> {
  let answer = ''
  // yargs would take what every object has for an option of ours.
  const odd = argv.map(word => /^--?([^=]+)/.exec(word)?.[1] ?? '').find(name => name in Object.prototype)
  if (odd !== undefined) failOn([`unknown flag --${odd}`])
  parser.fail((message, error) => {
    throw error ?? new ConfigError(message, { hint: 'See pgsyncer --help.' })
  })
  await parser.parseAsync(argv, {}, (error, { _: words, help }, output) => {
    if (error) throw error
    // yargs knows that it was asked; what is said is ours.
    answer =
      help === true
        ? helpText(
            commands.find(({ name }) => name === words[0]),
            width
          )
        : output
  })
  return answer
}

interface Words {
  command: Command
  /** Those behind the command's name: what it is to do, or a file. */
  words: readonly string[]
  /** The fault of a command that there is not. */
  unknown: readonly string[]
}

/**
 * What the words of a command line that are no flags ask for. A command that is misspelt is taken for the one that was
 * meant, so that the other faults told are those of that one.
 */
function readWords(flags: Flags, chosen: Command): Words {
  const [first, ...words] = Array.isArray(flags._) ? flags._.map(String) : []
  if (first === undefined || first === chosen.name) return { command: chosen, words, unknown: [] }
  const candidates = [...commandNames, '--version']
  const [meant, ...others] = nearestOf(first, candidates)
  const command = others.length === 0 ? commands.find(({ name }) => name === meant) : undefined
  return {
    command: command ?? chosen,
    words: command ? words : [],
    unknown: [`unknown command ${JSON.stringify(first)}${nearest(first, candidates)}`]
  }
}

function strayWords([first, ...rest]: readonly string[], { name, actions, operand }: Command): string[] {
  const unknown = (word: string) => `unknown argument ${JSON.stringify(word)}`
  if (operand && first === undefined) return [`${name} needs the ${operand}: pgsyncer ${name} ${operand}`]
  if (actions) {
    const known = Object.keys(actions)
    const all = known.join(', ')
    if (first === undefined) return [`${name} needs a word that says what to do: ${all}`]
    if (!known.includes(first))
      return [`${unknown(first)}${nearest(first, known) || `: ${name} takes ${all}`}`]
  } else if (!operand && first !== undefined) return [first, ...rest].map(unknown)
  return rest.map(unknown)
}
