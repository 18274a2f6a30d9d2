/** What capture and status say. */
import { describe, expect, test } from 'vitest'
import { plain } from '../../../src/cli/render/paint.js'
import { renderCapture, renderStatus } from '../../../src/cli/render/standing.js'
import type { CaptureReport, StatusReport } from '../../../src/follow/standing.js'

const style = { paint: plain, width: 80, verbose: false }
const report: CaptureReport = {
  version: 1,
  command: 'capture',
  ok: true,
  action: 'install',
  statements: ['CREATE PUBLICATION p', 'SELECT 1'],
  dryRun: false,
  status: {
    source: 'wal',
    name: 'shop',
    installed: true,
    objects: [
      { kind: 'publication', name: 'pgsyncer_shop', state: 'present', detail: '2 tables' },
      { kind: 'replication slot', name: 'pgsyncer_\u001b[2Jshop', state: 'missing' }
    ],
    notes: ['a note']
  }
}

describe('capture', () => {
  test('shows what is there, and what was done', () => {
    expect(renderCapture(report, style)).toBe(`pgsyncer capture install

  Object                  Kind              State
  pgsyncer_shop           publication       present  2 tables
  pgsyncer_\\u{1b}[2Jshop  replication slot  missing

- a note

wal capture shop is installed
`)
  })

  test.each([
    [{ statements: [] }, 'was installed already'],
    [{ action: 'remove' as const }, 'is removed'],
    [{ action: 'remove' as const, statements: [] }, 'there was nothing of the'],
    [{ action: 'status' as const, ok: false }, 'is not installed as it must be']
  ])('%j is told by "%s"', (more, words) => {
    expect(renderCapture({ ...report, ...more }, style)).toContain(words)
  })

  test('what is gone is not listed after a removal', () => {
    const said = renderCapture({ ...report, action: 'remove' }, style)
    expect(said).toContain('pgsyncer_shop')
    expect(said).not.toContain('replication slot')
  })

  test('with dryRun, SQL alone', () => {
    expect(renderCapture({ ...report, dryRun: true }, style)).toBe('CREATE PUBLICATION p;\nSELECT 1;\n')
  })
})

describe('status', () => {
  const streams: StatusReport['streams'] = [
    {
      name: 'shop',
      origin: 'wal 7/5 pgsyncer_shop',
      position: '0:1',
      tables: { 'public.a': '', 'public.b': null },
      updated: '2026-11-21 10:00:00.123456+00'
    },
    { name: 'old', origin: 'poll 7/5 old', position: null, tables: {}, updated: null }
  ]
  const lag = { shop: { bytes: 208, retainedBytes: 3_300_000 } }
  const status: StatusReport = { version: 1, command: 'status', ok: true, streams, lag }

  test('a line a stream', () => {
    expect(renderStatus(status, style))
      .toBe(`  Stream  Source  Tables               Moved                Behind
  shop    wal     2, 1 not copied yet  2026-11-21 10:00:00  208 B, the slot keeps 3.3 MB
  old     poll    0
`)
  })

  test('positions for those who ask', () => {
    expect(renderStatus(status, { ...style, verbose: true })).toMatch(/Position\n.*0:1\n.*at the beginning\n/)
  })

  test('a sink without streams', () => {
    expect(renderStatus({ ...status, streams: [] }, style)).toBe('The sink remembers no stream.\n')
  })
})
