/**
 * Writes README's tables of commands and flags from those of the program (after `npm run build`). With `--check` it only says whether
 * README is up to date, by its exit code.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { commands } from '../dist/cli/commands.js'
import { calledAs } from '../dist/cli/help.js'
import { groups } from '../dist/cli/option.js'
import { options } from '../dist/cli/options.js'

const file = new URL('../README.md', import.meta.url)
const [begin, end] = ['<!-- flags:begin -->', '<!-- flags:end -->']

const cell = text => text.replaceAll('|', '\\|')
const code = text => `\`${text}\``

function row(option) {
  const value = option.value === undefined ? '' : option.bare ? `[=${option.value}]` : ` ${option.value}`
  const flag = `${option.alias ? `-${option.alias}, ` : ''}--${option.name}${value}`
  const standard = option.default === undefined ? '' : code(option.default)
  return `| ${cell(code(flag))} | ${cell(option.describe)} | ${cell(standard)} | ${cell(code(option.env[0]))} |`
}

function table(group) {
  const rows = options.filter(option => option.group === group).map(row)
  return [`**${group}**`, '', '| flag | | default | variable |', '|---|---|---|---|', ...rows].join('\n')
}

const listed = [
  '| command | |',
  '|---|---|',
  ...commands.map(one => `| ${cell(code(calledAs(one)))} | ${cell(one.describe)} |`)
].join('\n')

const readme = readFileSync(file, 'utf8')
const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
if (from < 0 || to < from) {
  console.error(`README.md needs the lines ${begin} and ${end}, in this order`)
  process.exit(1)
}
const made = `${readme.slice(0, from)}${begin}\n\n${[listed, ...groups.map(table)].join('\n\n')}\n\n${readme.slice(to)}`
if (!process.argv.includes('--check')) {
  if (made !== readme) writeFileSync(file, made)
} else if (made !== readme) {
  console.error("README.md's flags are not those of the option table: npm run build && npm run readme")
  process.exit(1)
}
