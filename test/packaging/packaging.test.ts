import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { describe, expect, test } from 'vitest'
import { gather } from '../../src/cli/config.js'
import { options } from '../../src/cli/options.js'
import { fromEnvironment } from '../../src/cli/sources.js'
import { followDefaults } from '../../src/follow/config.js'

const folder = 'packaging/systemd'
const units = readdirSync(folder)
const read = (unit: string) => readFileSync(join(folder, unit), 'utf8')

const analyze = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' })
const missing =
  analyze.status === 0
    ? ''
    : ' (not tried: there is no systemd-analyze; sudo apt-get install systemd brings it)'
const version = Number(/systemd (\d+)/.exec(analyze.stdout ?? '')?.[1] ?? 0)
const old =
  version >= 250
    ? ''
    : ' (not tried: it needs systemd-analyze 250 or newer; sudo apt-get install systemd brings one)'

describe.skipIf(missing)(`systemd-analyze${missing}`, () => {
  /** Both the template and an instance of it: what %i becomes is checked too. */
  function withUnits<T>(work: (paths: string[]) => T): T {
    const at = mkdtempSync(join(tmpdir(), 'pgsyncer-units-'))
    try {
      for (const unit of units) copyFileSync(join(folder, unit), join(at, unit))
      const templates = units.filter(unit => unit.includes('@.'))
      const instances = templates.map(unit => unit.replace('@.', '@shop.'))
      for (const [i, unit] of templates.entries()) copyFileSync(join(folder, unit), join(at, instances[i]!))
      return work([...units, ...instances].map(unit => join(at, unit)))
    } finally {
      rmSync(at, { recursive: true })
    }
  }

  const run = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })

  test('finds no fault in the units', () => {
    withUnits(paths => {
      const { status, stdout, stderr } = run('verify', '--man=no', ...paths)
      // Of the machine's own units, which it reads too, it may complain.
      const ours = `${stdout}${stderr}`.split('\n').filter(line => line.includes('pgsyncer'))
      expect(ours).toEqual([])
      expect(status).toBe(0)
    })
  })

  test.skipIf(old)(`finds them shut off well${old}`, () => {
    withUnits(paths => {
      const services = paths.filter(path => path.endsWith('.service') && !path.includes('@.'))
      const { stdout } = run('security', '--offline=true', '--no-pager', ...services)
      const levels = [...stdout.matchAll(/Overall exposure level for (\S+): ([\d.]+)/g)]
      expect(levels).toHaveLength(services.length)
      for (const [, , level] of levels) expect(Number(level)).toBeLessThan(2)
    })
  })
})

test('the follower is started as its help says, and reads the file that is documented', () => {
  const unit = read('pgsyncer-follow@.service')
  expect(unit).toMatch(/^EnvironmentFile=\/etc\/pgsyncer\/%i\.env$/m)
  const [, args = ''] = /^ExecStart=\/usr\/bin\/env pgsyncer follow (.*)$/m.exec(unit)!
  const flags = Object.fromEntries(
    [...args.matchAll(/--([\w-]+) (\S+)/g)].map(([, name = '', value = '']) => [
      name,
      value.replace('%i', 'shop')
    ])
  )
  const { follow, cli, faults } = gather('follow', flags, { env: example(), cwd: '/nonexistent' })
  expect(faults).toEqual([])
  expect(follow.name).toBe('shop')
  expect(cli).toMatchObject({ logFormat: 'json', http: '127.0.0.1:9187' })
})

/** The variables of .env.example; those that are commented out too, if asked for. */
function example(all = false): Record<string, string> {
  const text = readFileSync('.env.example', 'utf8')
  return parse(all ? text.replaceAll(/^#(?=[A-Z_]+=)/gm, '') : text)
}

describe('.env.example', () => {
  test('is a whole setting of a follower', () => {
    const { follow, faults } = gather('follow', {}, { env: example(), cwd: '/nonexistent' })
    expect(faults).toEqual([])
    expect(follow).toMatchObject({ source: 'wal', tables: ['orders', 'customers'] })
    expect(follow.to).toMatch(/^postgres:/)
  })

  test('shows variables that there are, with the defaults', () => {
    const faults: string[] = []
    fromEnvironment(example(true), '', faults)
    expect(faults).toEqual([])
    const { follow, faults: wrong } = gather('follow', {}, { env: example(true), cwd: '/nonexistent' })
    expect(wrong).toEqual([])
    const {
      interval,
      batchSize,
      overlap,
      onSchemaChange,
      unfit,
      snapshot,
      schemas,
      lockTimeout,
      statementTimeout
    } = followDefaults
    expect(follow).toMatchObject({
      interval, batchSize, overlap, onSchemaChange, unfit, snapshot, schemas, lockTimeout, statementTimeout
    }) // prettier-ignore
    expect(follow).toMatchObject({ name: 'shop', cleanExtra: true, idColumn: 'id' })
  })

  test('holds no secret', () => {
    const passwords = [...readFileSync('.env.example', 'utf8').matchAll(/:\/\/[^:\s]*:([^@\s]*)@/g)]
    expect(new Set(passwords.map(([, password]) => password))).toEqual(new Set(['CHANGE_ME']))
  })
})

describe('the manual page', () => {
  const groff = spawnSync('groff', ['--version'], { encoding: 'utf8' }).status === 0
  test.skipIf(!groff)('is one that man reads without a warning', () => {
    const { stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', 'packaging/man/pgsyncer.1'], {
      encoding: 'utf8'
    })
    expect(stderr).toBe('')
    // oxlint-disable-next-line no-control-regex -- bold type, as a terminal or a printer has it
    const text = stdout.replace(/\u001b\[\d*m|.\u0008/gu, '').replace(/[‐−]/g, '-')
    for (const { name } of options) expect(text).toContain(`--${name}`)
  })
})
