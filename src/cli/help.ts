/** The text of --help, from the tables of commands and options: how a command is called, its flags by group with their defaults, and examples. */
import stringWidth from 'string-width'
import { commands } from './commands.js'
import type { Command } from './commands/command.js'
import { groups, type Option } from './option.js'
import { options } from './options.js'
import { pad, wrap } from './render/words.js'

/** Lines longer than this are hard to read, however wide the terminal. */
const widest = 110

/** What is said of a command, or, without one, of all; `width` in columns. */
export function helpText(command: Command | undefined, width: number): string {
  const columns = Math.min(width, widest)
  const text = (words: string) => wrap(words, columns).join('\n')
  const sync = commands[0]!
  const sections = command
    ? [
        `Usage: pgsyncer ${calledAs(command)} [flags]`,
        text(`${command.describe}.`),
        actions(command, columns)
      ]
    : [
        `Usage: pgsyncer [${sync.name}] [flags]\n       pgsyncer COMMAND [flags]`,
        text(
          'Makes one PostgreSQL database (the standby) the same as another (main), and proves it. Without a command it is sync.'
        ),
        section(
          'Commands',
          commands.map(one => [calledAs(one), one.describe]),
          columns
        ),
        text('pgsyncer COMMAND --help shows the flags of a command. Those of sync are:')
      ]
  return [
    ...sections,
    ...groups.map(group => section(group, flagsOf(command ?? sync, group), columns)),
    examples(command ?? sync, columns),
    text(
      'Every flag can also be set by a variable (MAIN_DSN, STANDIN_DSN, PGSYNCER_WORKERS=8, …), in .env, or in a JSON file (--config). What is on is turned off by --no-FLAG.'
    ),
    text(
      'Exit: 0 done or identical, 1 failed, 2 wrong usage, 3 differences found, 4 refused, 130 and 143 stopped.'
    )
  ]
    .filter(part => part !== '')
    .join('\n\n')
}

/** Its name and what must follow it: `apply-plan FILE`, `capture install|remove|status`. */
export function calledAs({ name, operand, actions: words }: Command): string {
  return [name, operand ?? (words && Object.keys(words).join('|'))].filter(Boolean).join(' ')
}

/** A flag as it is written, with what stands for its value. */
function spelled({ name, alias, value, bare }: Pick<Option, 'name' | 'alias' | 'value' | 'bare'>): string {
  const short = alias === undefined ? '    ' : `-${alias}, `
  return `${short}--${name}${value === undefined ? '' : bare ? `[=${value}]` : ` ${value}`}`
}

const always = [
  ['-h, --help', 'Show this help'],
  ['-V, --version', 'Show the version']
] as const

type Entry = readonly [term: string, words: string]

function flagsOf({ name }: Command, group: Option['group']): Entry[] {
  const own = options.filter(option => option.group === group && option.commands.includes(name))
  const entries = own.map((option): Entry => [spelled(option), described(option)])
  return group === 'General' ? [...entries, ...always] : entries
}

/** The default stands on one line: its space is none that a line is parted at. */
function described({ describe, default: standard }: Option): string {
  return standard === undefined || standard === 'false'
    ? describe
    : `${describe} [default:\u00a0${standard.replaceAll(' ', '\u00a0')}]`
}

/** Terms, and beside them what they mean; below them where a term is long or the terminal narrow. */
function section(title: string, entries: readonly Entry[], width: number): string {
  if (entries.length === 0) return ''
  const widestTerm = Math.max(...entries.map(([term]) => stringWidth(term)))
  const column = Math.min(widestTerm, Math.floor(width * 0.35), 34) + 4
  const lines = entries.flatMap(([term, words]) => {
    const [first = '', ...rest] = wrap(words, width, ' '.repeat(column))
    const head = `  ${term}`
    return stringWidth(head) > column - 2
      ? [head, first, ...rest]
      : [pad(head, column) + first.slice(column), ...rest]
  })
  return [`${title}:`, ...lines.map(line => line.replaceAll('\u00a0', ' '))].join('\n')
}

function actions({ name, actions: words = {} }: Command, width: number): string {
  const entries = Object.entries(words).map(([word, what]) => [`${name} ${word}`, what] as const)
  return section('What it does', entries, width)
}

function examples({ name, examples: lines }: Command, width: number): string {
  const shown = lines.flatMap(([flags, what]) => [
    ...wrap(`${what}:`, width, '  '),
    ...commandLine(`pgsyncer ${name === 'sync' ? '' : `${name} `}${flags}`, width)
  ])
  return shown.length === 0 ? '' : ['Examples:', ...shown].join('\n')
}

/** Parted between words as a shell takes it, never within quotes. */
function commandLine(text: string, width: number): string[] {
  const words = text.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? []
  const lines: string[] = []
  for (const word of words) {
    const longer = lines.length === 0 ? `    ${word}` : `${lines.at(-1)} ${word}`
    if (lines.length === 0) lines.push(longer)
    else if (stringWidth(longer) + 2 <= width) lines[lines.length - 1] = longer
    else lines.push(`        ${word}`)
  }
  return lines.map((line, at) => (at < lines.length - 1 ? `${line} \\` : line))
}
