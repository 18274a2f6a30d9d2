/**
 * Writes the manual page from the tables of commands and options (after `npm run build`). With `--check` it only says whether the page is up to
 * date, by its exit code. (groff's man(7).)
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { commands } from '../dist/cli/commands.js'
import { groups } from '../dist/cli/option.js'
import { options } from '../dist/cli/options.js'

const file = new URL('../packaging/man/pgsyncer.1', import.meta.url)

/** Backslashes and hyphens as they are typed, other letters by their number, and no line that begins as a request. */
const text = words =>
  words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')
    .replace(
      /[^\u0020-\u007e\n]/gu,
      c => `\\[u${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`
    )
const bold = words => `\\fB${text(words)}\\fR`
const italic = words => `\\fI${text(words)}\\fR`
const paragraph = (term, ...rest) => ['.TP', term, ...rest].join('\n')

function flag({ name, alias, value, bare, describe, default: standard, env, commands: of }) {
  const spelled = [...(alias ? [bold(`-${alias}`)] : []), bold(`--${name}`)].join(', ')
  const taken = value === undefined ? '' : bare ? `[=${italic(value)}]` : ` ${italic(value)}`
  const facts = [
    ...(standard === undefined || standard === 'false' ? [] : [`Default: ${bold(standard)}.`]),
    `Variable: ${env.map(bold).join(', ')}.`,
    `For ${of.map(bold).join(', ')}.`
  ]
  return paragraph(spelled + taken, `${text(describe)}.`, '.br', facts.join(' '))
}

function command({ name, operand, describe, actions = {}, examples }) {
  return [
    paragraph(bold(name) + (operand === undefined ? '' : ` ${italic(operand)}`), `${text(describe)}.`),
    ...Object.entries(actions).map(
      ([word, what]) => `.RS\n${paragraph(bold(`${name} ${word}`), `${text(what)}.`)}\n.RE`
    ),
    ...examples.map(
      ([flags, what]) => `.RS\n.PP\n${text(what)}:\n.PP\n.nf\n${text(`pgsyncer ${name} ${flags}`)}\n.fi\n.RE`
    )
  ].join('\n')
}

const page = `.\\" Made by scripts/man.mjs from the tables of commands and options.
.TH PGSYNCER 1 "" "pgsyncer" "User Commands"
.SH NAME
pgsyncer \\- make one PostgreSQL database the same as another, and prove it
.SH SYNOPSIS
.B pgsyncer
.RB [ sync ]
.RI [ flags ]
.br
.B pgsyncer
.I command
.RI [ flags ]
.SH DESCRIPTION
Compares a database, main, with another, the standby, in its structure and in every row, makes the standby the same, and proves it.
Without a command it is
.BR sync .
It also copies single tables, and follows changes into PostgreSQL and ClickHouse, directly or by way of RabbitMQ or Kafka.
.SH COMMANDS
${commands.map(command).join('\n')}
${groups
  .map(group =>
    [`.SH "${group.toUpperCase()} FLAGS"`, ...options.filter(one => one.group === group).map(flag)].join('\n')
  )
  .join('\n')}
.SH ENVIRONMENT
Every flag can be set by its variable, in a file .env of the working folder, or in a JSON file of settings
.RB ( \\-\\-config ).
A flag goes before the environment, that before .env, that before the file. What libpq reads (PGPASSWORD, PGPASSFILE, PGSERVICE, \\&...) holds too.
.SH "EXIT STATUS"
${[
  ['0', 'Done; for diff: identical.'],
  ['1', 'Failed, in whole or in part; the report names what.'],
  ['2', 'Wrong usage or settings.'],
  ['3', 'diff or --dry-run found differences.'],
  ['4', 'Refused by a guard.'],
  ['130, 143', 'Stopped by a signal.']
]
  .map(([code, what]) => paragraph(bold(code), text(what)))
  .join('\n')}
`

const written = () => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
if (!process.argv.includes('--check')) writeFileSync(file, page)
else if (page !== written()) {
  console.error('packaging/man/pgsyncer.1 is not what the tables say: npm run build && npm run readme')
  process.exit(1)
}
