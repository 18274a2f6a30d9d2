/**
 * Makes every way to write a flag one that yargs reads without guessing. Go's single dash (`-maindsn=…`, `-workers 8`,
 * `-clean-extra`) becomes two; a flag that takes no value gets one, so that it never swallows the next word.
 */
import type { Option } from './option.js'
import { options } from './options.js'

const byName = new Map(options.map(option => [option.name, option]))
const byAlias = new Map(options.flatMap(option => (option.alias ? [[option.alias, option]] : [])))
const own = new Set(['help', 'version'])

/** The same arguments, each known flag written as `--name value`, or as `--name=value` where no word may follow. */
export function normaliseArgv(argv: readonly string[]): string[] {
  const result: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') return [...result, ...argv.slice(at)]
    const [, dashes, name, equals = ''] = /^(--?)([^=\s]+)(=.*)?$/s.exec(word) ?? []
    if (name === undefined || /^-?[\d.]+$/.test(word)) {
      result.push(word)
      continue
    }
    const found = find(dashes === '-', name, equals === '')
    if (!found) {
      // Longer than one letter: no group of short flags, but a long one that is misspelt or unknown.
      result.push(dashes === '-' && name.length > 1 ? `-${word}` : word)
      continue
    }
    const { option, negated } = found
    const long = `--${option.name}`
    if (option.value !== undefined && !option.bare) {
      result.push(long + equals)
      // Its value is the next word, whatever that looks like, unless it is a flag of ours.
      const next = argv[at + 1]
      if (equals === '' && next !== undefined && !isFlag(next))
        result[result.length - 1] = `${long}=${argv[++at]}`
    } else if (equals !== '') {
      result.push(long + equals)
    } else {
      const next = argv[at + 1] ?? ''
      const follows = (option.bare ? /^(true|false|rows|objects)$/ : /^(true|false)$/).test(next)
      if (follows) at++
      const on = follows ? next : 'true'
      result.push(`${long}=${negated ? 'false' : on}`)
    }
  }
  return result
}

function find(
  single: boolean,
  name: string,
  negatable: boolean
): { option: Option; negated: boolean } | undefined {
  const short = single && name.length === 1 ? byAlias.get(name) : undefined
  const option = short ?? byName.get(name)
  if (option) return { option, negated: false }
  const positive = negatable && name.startsWith('no-') ? byName.get(name.slice(3)) : undefined
  if (positive && (positive.value === undefined || positive.bare)) return { option: positive, negated: true }
  return undefined
}

function isFlag(word: string): boolean {
  const [, dashes, name] = /^(--?)([^=\s]+)/.exec(word) ?? []
  return name !== undefined && (own.has(name) || find(dashes === '-', name, true) !== undefined)
}
