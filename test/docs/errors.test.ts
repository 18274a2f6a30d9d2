/**
 * docs/errors.md and src tell of the same errors: every message has a heading with its fixed words, and every heading
 * is a message that there is.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/cli/exit.js'
import { options } from '../../src/cli/options.js'
import { messagesIn, textsIn, type Message } from './messages.js'

const page = readFileSync('docs/errors.md', 'utf8')
const chapters = page.split(/^## /m).slice(1)
const chapter = (name: string) => chapters.find(text => text.startsWith(`${name}\n`)) ?? ''
const headingsOf = (text: string) => [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading!)

const codes = headingsOf(chapter('Exit codes'))
const sqlstates = headingsOf(chapter("PostgreSQL's own errors"))
const headings = headingsOf(page).filter(one => !codes.includes(one) && !sqlstates.includes(one))

/** Where the message of an error is made elsewhere: file and expression, and why the scan cannot follow it. */
const unread: [file: string, code: string, why: string][] = [
  ['cli/config.ts', "faults.join('\\n')", 'the faults themselves are found where they are pushed'],
  ['cli/config.ts', '...faultsOfRun(check, command, faulty)', 'faults of sync/config.ts and the like'],
  [
    'cli/config.ts',
    "`${origin} ${expected}${silent ? '' : `, not ${JSON.stringify(value)}${near}`}`",
    'words of cli/values.ts'
  ],
  ['cli/render/files.ts', "faults.join('\\n')", 'made by a map: read by itself below'],
  ['cli/run.ts', 'message', "yargs' own: config.ts judges every flag, so it has nothing to say"],
  ['copy/config.ts', "faults.join('\\n')", 'pushed'],
  ['copy/postgres/database.ts', 'reason', "PostgreSQL's own words"],
  ['copy/postgres/pool.ts', "faults.join('\\n')", 'pushed'],
  ['copy/runconfig.ts', '...faultsOf(config)', 'pushed in copy/config.ts'],
  ['copy/runconfig.ts', "faults.join('\\n')", 'pushed'],
  ['copy/sections/config.ts', 'pattern', 'what its reader returned, which is found there'],
  ['copy/sections/config.ts', "faults.join('\\n')", 'pushed'],
  ['copy/sections/failure.ts', 'reason', "PostgreSQL's own words"],
  ['follow/config.ts', "faults.join('\\n')", 'pushed'],
  ['follow/shapes.ts', '`${nameOf(table)} ${what}`', 'a pair of words and a hint: read by itself below'],
  [
    'follow/transports/broker.ts',
    '`${messageOf(error)} (${where})`',
    'a message of follow/message/decode.ts'
  ],
  ['schema/runner.ts', 'message', "PostgreSQL's own words"],
  ['sync/config.ts', "faults.join('\\n')", 'pushed'],
  ['sync/plan/units.ts', '`${planned.name} ${found}`', 'a part of the message that there is']
]

/** Files whose messages become an error elsewhere: every text in them that fits is one. */
const elsewhere: [file: string, texts: RegExp][] = [
  ['cli/values.ts', /^(must|knows) /],
  ['cli/run.ts', /^unknown |^… needs /],
  ['cli/render/files.ts', /^--report /],
  ['cli/render/errors.ts', /^this is a bug/],
  ['follow/shapes.ts', /^(is|has) /],
  // Reasons of a table, a sequence or a change in the report.
  ['data/unit.ts', /^column … /],
  ['data/sequences.ts', /^the role may not read/],
  ['data/views.ts', /^not populated on|^could not be refreshed/],
  ['sync/views.ts', /^it was refreshed/],
  ['sync/assemble.ts', /^missing on /],
  ['sync/check.ts', /^the role lacks/],
  ['schema/proof.ts', /^it still differs/],
  ['schema/extensions.ts', /^it is in schema/]
]

const letters = (text: string) => text.replaceAll(/[^a-z]/gi, '').length
const escaped = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
const pattern = (text: string) => new RegExp(`^${text.split('…').map(escaped).join('.*')}$`)

/** The heading has the message's words, leaving out at most half of them. */
const fits = (heading: string, text: string) =>
  pattern(heading).test(text) && letters(heading) * 2 >= letters(text)

/** As a user reads it: a config's fields under the names of their flags (cli/config.ts), a value's fault behind its place. */
function shown({ file, text }: Message): string {
  if (file === 'cli/values.ts') return `… ${text}${/^must (?!not)/.test(text) ? ', not …' : ''}`
  if (file === 'follow/shapes.ts' && /^(is|has) /.test(text)) return `… ${text}`
  if (!file.endsWith('config.ts') || file.startsWith('cli/')) return text
  return text.replace(/^\w+|\b[a-z]+[A-Z]\w*/g, word => {
    const option = options.find(one => one.part !== 'cli' && one.field === word)
    return option ? `--${option.name}` : word
  })
}

const messages = [...messagesIn('src'), ...elsewhere.flatMap(([file, texts]) => textsIn('src', file, texts))]
const isUnread = ({ file, code }: Message) => unread.some(one => one[0] === file && one[1] === code)
const isTold = (message: Message) => headings.some(heading => fits(heading, shown(message)))

describe('docs/errors.md', () => {
  test('has every message of src', () => {
    // That the scan finds them at all: of each kind one that is known.
    const texts = new Set(messages.map(({ text }) => text))
    expect(texts).toContain('not agreed to: nothing was changed')
    expect(texts).toContain('--clean-extra would delete too much: …')
    expect(texts).toContain('… on the standby computes …, which main gives a value')
    expect(messages.length).toBeGreaterThan(450)
    const untold = messages.filter(one => !isUnread(one) && !isTold(one))
    expect([...new Set(untold.map(one => `${one.file}: ${shown(one)}`))]).toEqual([])
  })

  test('has no message that src has not', () => {
    const texts = messages.map(shown)
    expect(headings.filter(heading => !texts.some(text => fits(heading, text)))).toEqual([])
  })

  test('lists as unread only what the scan cannot read', () => {
    const needed = messages.filter(one => isUnread(one) && !isTold(one))
    const stale = unread.filter(([file, code]) => !needed.some(one => one.file === file && one.code === code))
    expect(stale).toEqual([])
  })

  test('has every exit code', () => {
    expect(codes.map(Number)).toEqual([...Object.values(exitCodes), 130, 143])
  })

  test('has every SQLSTATE for which there is a hint, and no other', () => {
    const hinted = ['data/explain.ts', 'follow/sinks/postgres/refusal.ts', 'schema/apply.ts'].flatMap(
      file => [
        ...readFileSync(`src/${file}`, 'utf8').matchAll(/^ +'(\w{5})':|(?:sqlstate|code) === '(\w{5})'/gm)
      ]
    )
    const wanted = new Set(hinted.map(([, key, compared]) => key ?? compared!))
    expect(sqlstates.map(one => one.slice(0, 5)).toSorted()).toEqual([...wanted].toSorted())
  })

  test('has each heading once, words below each, and all chapters in its contents', () => {
    expect(headings.filter((one, at) => headings.indexOf(one) !== at)).toEqual([])
    expect(/^### .*\n+(?=## |$(?![^]))/m.exec(page)?.[0]).toBeUndefined()
    const contents = [...page.matchAll(/^- \[(.*)\]\(#(.*)\)$/gm)].map(([, name, anchor]) => [name, anchor])
    const names = chapters.map(text => text.split('\n')[0]!)
    const anchorOf = (name: string) =>
      name
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')
    expect(contents).toEqual(names.map(name => [name, anchorOf(name)]))
  })
})
