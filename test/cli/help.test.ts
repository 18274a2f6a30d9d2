/** --help of every command, as it is read in a narrow and a wide terminal. */
import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.js'
import { helpText } from '../../src/cli/help.js'
import { options } from '../../src/cli/options.js'
import { run } from '../../src/cli/run.js'
import { fakeIo } from './console.js'

async function help(argv: readonly string[], terminal: number): Promise<string> {
  const io = fakeIo({ terminal })
  expect(await run(argv, io)).toBe(0)
  expect(io.err()).toBe('')
  return io.out()
}

describe.each([80, 200])('at %i columns', width => {
  test.each(commands.map(command => [command.name, command] as const))('%s', async (name, command) => {
    const text = await help([name, '--help'], width)
    expect(text).toBe(`${helpText(command, width)}\n`)
    const lines = text.split('\n')
    expect(Math.max(...lines.map(line => stringWidth(line)))).toBeLessThanOrEqual(Math.min(width, 110))
    expect(lines.filter(line => /\s$/.test(line) || line.includes('\u00a0'))).toEqual([])

    // Every flag of it once, and none that it does not take.
    const named = lines.flatMap(line => /^ {2}(?:-\w, {1}| {4})--([\w-]+)/.exec(line)?.[1] ?? [])
    const own = options.filter(option => option.commands.includes(name)).map(option => option.name)
    expect(named.toSorted()).toEqual([...own, 'help', 'version'].toSorted())
    // Whatever was parted at the edge, the words are all there.
    const flat = text.replace(/\s+/g, ' ')
    for (const { describe: what, default: standard } of options.filter(one => own.includes(one.name))) {
      expect(flat).toContain(what.replace(/\s+/g, ' '))
      if (standard !== undefined && standard !== 'false') expect(flat).toContain(`[default: ${standard}]`)
    }
    for (const [flags, what] of command.examples) {
      expect(flat).toContain(what)
      expect(flat.replaceAll(' \\ ', ' ')).toContain(flags.replace(/\s+/g, ' '))
    }
  })

  test('without a command: all of them, then the flags of sync', async () => {
    const text = await help(['--help'], width)
    expect(text).toMatch(/^Usage: pgsyncer \[sync\] \[flags\]\n {7}pgsyncer COMMAND \[flags\]\n/)
    const lines = text.split('\n')
    for (const { name } of commands)
      expect(lines.filter(line => new RegExp(`^ {2}${name}(?: |$)`).test(line))).toHaveLength(1)
    expect(text).toContain('--standindsn DSN')
    expect(await help([], width).catch(() => 'no help')).toBe('no help')
  })
})

test('what must follow a command is shown', async () => {
  expect(await help(['apply-plan', '-h'], 80)).toMatch(/^Usage: pgsyncer apply-plan FILE \[flags\]\n/)
  expect(await help(['capture', '-h'], 80)).toMatch(
    /^Usage: pgsyncer capture install\|remove\|status \[flags\]\n[^]*\n {2}capture install {2}Make what is missing/
  )
})

test('an example that is too long goes on behind a backslash, as a shell takes it, and no quotes are parted', () => {
  const diff = commands.find(({ name }) => name === 'diff')
  expect(helpText(diff, 60)).toContain(
    "    pgsyncer diff -t 'order*' --where \\\n        'orders: created_at > now() - interval ''1 day'''\n"
  )
})
