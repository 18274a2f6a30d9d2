/** What the shells themselves make of the completions. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { options } from '../../src/cli/options.js'

const program = join(import.meta.dirname, '../../dist/main.js')
const folder = mkdtempSync(join(tmpdir(), 'pgsyncer-completion-'))
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, {
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env.PATH, HOME: folder, TERM: 'dumb' }
  })
const shells = ['bash', 'zsh', 'fish'] as const
const script = Object.fromEntries(shells.map(shell => [shell, join(folder, shell, '_pgsyncer')])) as Record<
  (typeof shells)[number],
  string
>

beforeAll(() => {
  for (const shell of shells) {
    mkdirSync(join(folder, shell))
    writeFileSync(script[shell], run(process.execPath, program, 'completion', shell))
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

const has = (shell: string): boolean => {
  try {
    run(shell, '-c', 'exit 0')
    return true
  } catch {
    return false
  }
}
const about = (shell: string): string =>
  has(shell) ? shell : `${shell} (skipped: there is none; to get it: apt-get install ${shell})`

/** What a command line's last word may become, and what among others is not offered. */
const lines: [line: string, offered: string[]][] = [
  ['pgsyncer di', ['diff']],
  ['pgsyncer dead-letters ', ['list', 'replay']],
  ['pgsyncer capture in', ['install']],
  ['pgsyncer diff --form', ['--format']],
  ['pgsyncer --workers 4 --samp', ['--samples']],
  ['pgsyncer diff --format ', ['json', 'text']],
  ['pgsyncer follow --source ', ['notify', 'outbox', 'poll', 'wal']]
]

describe.skipIf(!has('bash'))(`${about('bash')}`, () => {
  const complete = (line: string): string[] =>
    run(
      'bash',
      '-c',
      'source "$1"; COMP_WORDS=($2); [[ $2 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _pgsyncer; printf "%s\\n" "${COMPREPLY[@]}"',
      'bash',
      script.bash,
      line
    )
      .trim()
      .split('\n')
      .sort()

  test.each(lines)('%s', (line, offered) => expect(complete(line)).toEqual(offered))
  test('a value behind =', () => expect(complete('pgsyncer diff --format = j')).toEqual(['json']))
  test('a file', () => expect(complete(`pgsyncer diff --config ${folder}/b`)).toEqual([join(folder, 'bash')]))
  test('the file of a plan', () =>
    expect(complete(`pgsyncer apply-plan ${folder}/b`)).toEqual([join(folder, 'bash')]))
  test('every flag of a command, and no other', () => {
    const own = options.filter(option => option.commands.includes('copy')).map(option => `--${option.name}`)
    expect(complete('pgsyncer copy --')).toEqual([...own, '--help', '--version'].sort())
  })
})

describe.skipIf(!has('fish'))(`${about('fish')}`, () => {
  test.each(lines)('%s', (line, offered) => {
    const found = run('fish', '-c', `source ${script.fish}; complete -C${JSON.stringify(line)}`)
    expect(
      found
        .trim()
        .split('\n')
        .map(one => one.split('\t')[0])
        .sort()
    ).toEqual(offered)
  })
})

describe.skipIf(!has('fish'))(`a file in ${about('fish')}`, () => {
  const complete = (line: string): string[] =>
    run('fish', '-c', `cd ${folder}; source ${script.fish}; complete -C${JSON.stringify(line)}`)
      .trim()
      .split('\n')
      .map(one => one.split('\t')[0]!)

  test('of a plan, and of no other command', () => {
    expect(complete('pgsyncer apply-plan fi')).toContain('fish/')
    expect(complete('pgsyncer status fi')).not.toContain('fish/')
  })
})

describe.skipIf(!has('zsh'))(`${about('zsh')}`, () => {
  // A shell on a terminal of its own, which presses the key.
  const press = (line: string, expected: string): string =>
    run(
      'zsh',
      '-fc',
      `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; fpath=($1 $fpath); autoload -U compinit; compinit -D -u; bindkey "^I" complete-word; echo REA""DY'
zpty -r shell out '*READY*'
zpty -n -w shell "$2"$'\\t'
zpty -r shell out "*$3*"
zpty -d shell
print -r -- "$out"`
        .replaceAll('$1', join(folder, 'zsh'))
        .replaceAll('$2', line)
        .replaceAll('$3', expected)
    )

  test.each(lines.filter(([, offered]) => offered.length === 1))('%s', (line, [word]) => {
    const from = line.lastIndexOf(' ') + 1
    expect(press(line, word!)).toContain(`${line.slice(0, from)}${word}`)
  })

  test('the file of a plan', () => {
    writeFileSync(join(folder, 'plan-of-today.json'), '{}')
    expect(press(`pgsyncer apply-plan ${folder}/plan-`, 'plan-of-today.json')).toContain('plan-of-today.json')
  })
})
