/** What a person sees: the program in a real terminal (tmux), between two databases of 500 tables. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import stringWidth from 'string-width'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPair, type Pair } from '../../support/databases.js'

const program = join(import.meta.dirname, '../../../dist/main.js')
const missing =
  spawnSync('tmux', ['-V']).status === 0 ? '' : ' (skipped: there is none; to get it: apt-get install tmux)'

/** `t_001` …, a long name, and one that is wide; each table holds a few rows. */
const tables = `do $$ begin
  for n in 1..498 loop
    execute format('create table t_%s (id int primary key, note text); insert into t_%1$s select i, ''x'' from generate_series(1, 3) i', lpad(n::text, 3, '0'));
  end loop;
  create table customer_invoice_line_items_archive_of_the_year_before (id int primary key, note text);
  create table "顧客請求明細表の保管庫と履歴" (id int primary key, note text);
  insert into "顧客請求明細表の保管庫と履歴" values (1, 'x');
end $$; analyze`
/** More than a low terminal has lines for. */
const busy = 16

describe.skipIf(missing)(`in tmux${missing}`, () => {
  let pair: Pair
  let folder: string
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-S', join(folder, 'socket'), '-f', join(folder, 'tmux.conf'), ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        LC_ALL: 'C.UTF-8',
        TERM: 'xterm-256color',
        MAIN_DSN: pair.main.url,
        STANDIN_DSN: pair.standby.url
      }
    })

  beforeAll(async () => {
    pair = await createPair({
      ddl: tables,
      standby: `update t_400 set note = 'y'; delete from t_401 where id = 1; insert into "顧客請求明細表の保管庫と履歴" values (2, 'y');
        insert into customer_invoice_line_items_archive_of_the_year_before values (1, 'y')`
    })
  })
  afterAll(() => pair?.drop())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pgsyncer-terminal-'))
    writeFileSync(join(folder, 'tmux.conf'), 'set -g status off\nset -g default-terminal screen-256color\n')
  })
  afterEach(async () => {
    await pair.standby.exec('rollback')
    tmux('kill-server')
    rmSync(folder, { recursive: true })
  })

  function start(columns: number, rows: number, command: string): void {
    const line = `echo '$ began'; ${command}; echo "exit $?"; read end`
    tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, 'sh', '-c', line)
  }
  const pgsyncer = `'${process.execPath}' '${program}'`

  /** All lines since the beginning. */
  const lines = (...flags: string[]) =>
    tmux('capture-pane', '-p', '-S', '-', ...flags)
      .trimEnd()
      .split('\n')
      .map(line => line.trimEnd())
  const widest = (all: readonly string[]) => Math.max(...all.map(line => stringWidth(line)))

  async function until(ready: (shown: string[]) => boolean): Promise<string[]> {
    const deadline = Date.now() + 40_000
    for (;;) {
      const shown = lines()
      if (ready(shown)) return shown
      if (Date.now() > deadline) throw new Error(`never seen; at last it was:\n${shown.join('\n')}`)
      await delay(50)
    }
  }

  test('progress takes no more than fits, follows the window, and leaves nothing behind', async () => {
    const locked = Array.from({ length: busy }, (_, n) => `t_${String(n + 1).padStart(3, '0')}`)
    await pair.standby.exec(`begin; lock table ${locked.join(', ')} in access exclusive mode`)
    start(80, 12, `${pgsyncer} diff --no-sync-schema --workers ${busy} --lock-timeout 2m`)
    const first = [/^\$ began$/, /^comparing rows +[█░]+ \d+%$/, /^ {2}\d+ of 500 tables, \d/]
    const drawn = (expected: readonly RegExp[]) => (shown: readonly string[]) =>
      shown.length === expected.length && expected.every((line, at) => line.test(shown[at]!))
    const bar = (table: string, width: number) =>
      new RegExp(`^  public\\.${table} +░{${width}} 0 of about 3$`)
    // The last line of the window stays free.
    const narrow = [...first, ...locked.slice(0, 8).map(() => bar('t_0\\d\\d', 12)), /^ {2}… and 8 more$/]
    expect(widest(await until(drawn(narrow)))).toBeLessThan(80)
    tmux('resize-window', '-x', '200', '-y', '40')
    await until(drawn([...first, ...locked.map(() => bar('t_0\\d\\d', 24))]))
    await pair.standby.exec('rollback')
    const done = await until(shown => shown.at(-1) === 'exit 3')
    expect(done.slice(0, 2)).toEqual(['$ began', 'pgsyncer diff'])
    expect(done.join('\n')).not.toMatch(/[█░]|comparing/)
    expect(done.filter(line => / differs /.test(line))).toEqual([
      expect.stringMatching(
        /^ {2}public\.customer_invoice_line_items_archive_of_the_year_before +differs +0 +1 +0 +0 +1$/
      ),
      expect.stringMatching(/^ {2}public\.t_400 +differs +3 +3 +0 +3 +0$/),
      expect.stringMatching(/^ {2}public\.t_401 +differs +3 +2 +1 +0 +0$/),
      expect.stringMatching(/^ {2}public\.顧客請求明細表の保管庫と履歴 +differs +1 +2 +0 +0 +1$/)
    ])
    expect(lines('-e').join('\n')).toContain('\u001b[33mdiffers')
  })

  test('a report fits 80 columns, without colours where NO_COLOR is set', async () => {
    start(80, 24, `NO_COLOR=1 ${pgsyncer} sync --no-sync-schema --clean-extra --yes`)
    const done = await until(shown => shown.at(-1)?.startsWith('exit ') === true)
    expect(done.join(' ')).toContain('The standby is now the same as main: 500 tables, ')
    expect(done.slice(0, 2)).toEqual(['$ began', 'pgsyncer sync'])
    expect(done.filter(line => / synced /.test(line))).toEqual([
      expect.stringMatching(/^ {2}public\.cus…ear_before +synced +0 +1 +0 +0 +1$/),
      expect.stringMatching(/^ {2}public\.t_400 +synced +3 +3 +0 +3 +0$/),
      expect.stringMatching(/^ {2}public\.t_401 +synced +3 +2 +1 +0 +0$/),
      expect.stringMatching(/^ {2}public\.顧.*と履歴 +synced +1 +2 +0 +0 +1$/)
    ])
    // Where the terminal has parted a line, -J makes it whole again.
    expect(widest(lines('-J'))).toBeLessThanOrEqual(80)
    expect(lines('-e').join('\n')).not.toContain('\u001b')
  })
})
