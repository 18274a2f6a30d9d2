import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { makePaint, plain } from '../../../src/cli/render/paint.js'
import { structureSection } from '../../../src/cli/render/structure.js'
import { hazards, type SchemaChange } from '../../../src/schema/change.js'
import type { Report } from '../../../src/sync/report.js'
import { change, report } from '../reports.js'

const style = { paint: plain, width: 100, verbose: false }
const of = (changes: SchemaChange[], command: Report['command'] = 'diff') =>
  report([], { command, schema: { identical: changes.length === 0, changes } })

const drop = change({
  hazards: ['deletes-data', 'blocks-reads'],
  reason: 'column note is only on the standby',
  sql: ['ALTER TABLE public.orders\n\tDROP COLUMN note;', 'b;', 'c;', 'd;', 'e;']
})
const view = change({
  kind: 'VIEW',
  name: 'paid',
  action: 'replace',
  sql: ['DROP VIEW public.paid;', 'CREATE VIEW public.paid AS\n SELECT 1;'],
  hazards: ['recreates-dependents']
})
const many = (n: number, over: Partial<SchemaChange>) =>
  Array.from({ length: n }, (_, at) => change({ name: `t${at}`, hazards: ['blocks-writes'], ...over }))

describe('structureSection', () => {
  test('nothing differs', () => expect(structureSection(of([]), style)).toBe(''))

  test('a few changes in full: why, what they may do, their SQL, and what a sync takes', () => {
    expect(structureSection(of([drop, view]), style)).toMatchInlineSnapshot(`
      "Structure
        alter   pending  TABLE public.orders
          column note is only on the standby
          hazards: deletes-data, blocks-reads
          ALTER TABLE public.orders DROP COLUMN note;
          b;
          c;
          … and 2 more statements
        replace pending  VIEW public.paid
          hazards: recreates-dependents
          DROP VIEW public.paid;
          CREATE VIEW public.paid AS SELECT 1;
        A sync refuses this without --allow deletes-data; for what main does not have, --clean-extra is
        enough."
    `)
  })

  test('--verbose: the SQL as it is written', () => {
    expect(structureSection(of([view]), { ...style, verbose: true })).toContain(
      '    CREATE VIEW public.paid AS\n     SELECT 1;'
    )
    expect(structureSection(of([drop]), { ...style, verbose: true })).toContain('\n    e;')
  })

  test('of a sync it is what was done that matters', () => {
    const done = structureSection(of([{ ...drop, status: 'applied' }], 'sync'), style)
    expect(done).toBe(
      'Structure\n  alter   applied  TABLE public.orders\n    column note is only on the standby'
    )
  })

  test('what is left alone shows no SQL: it is not run', () => {
    const left = change({ action: 'drop', status: 'left', sql: ['DROP TABLE x;'], hazards: ['deletes-data'] })
    const text = structureSection(of([left]), style)
    expect(text).not.toContain('DROP TABLE')
    expect(text).not.toContain('A sync refuses')
  })

  test.each([
    [{ allow: ['deletes-data'], cleanExtra: false }, undefined],
    [{ allow: ['all'], cleanExtra: false }, undefined],
    [{ allow: ['loses-grants'], cleanExtra: true }, 'A sync refuses this without --allow deletes-data.'],
    [
      { allow: [], cleanExtra: false },
      'A sync refuses this without --allow deletes-data; for what main does not have, --clean-extra is enough.'
    ]
  ])('what was accepted is not asked for: %j', (accepted, sentence) => {
    const text = structureSection(of([drop]), { ...style, width: 200, accepted })
    expect(text.includes('A sync refuses')).toBe(sentence !== undefined)
    if (sentence !== undefined) expect(text).toContain(sentence)
  })

  test('two thousand changes: summed up but for what a person must know of', () => {
    const changes = [
      ...many(1500, {}),
      ...many(450, { kind: 'INDEX', action: 'create', hazards: [] }),
      ...many(48, { action: 'drop', status: 'left', reason: 'it is only on the standby' }),
      { ...drop, name: 'precious' },
      change({ name: 'broken', status: 'failed', reason: 'no right' })
    ]
    const text = structureSection(of(changes), style)
    const lines = text.split('\n')
    expect(lines.length).toBeLessThan(60)
    for (const line of [
      '  alter   pending  TABLE public.precious',
      '    hazards: deletes-data, blocks-reads',
      '    ALTER TABLE public.orders DROP COLUMN note;',
      '  alter   failed   TABLE public.broken',
      '  alter   pending  1,500 TABLE',
      '    hazards: 1,500 blocks-writes',
      '  create  pending  450 INDEX',
      '  drop    left     … and 28 more: 28 TABLE',
      '  --verbose names each of them.'
    ])
      expect(lines).toContain(line)
    expect(text).not.toContain('public.t1499')
    expect(structureSection(of(changes), { ...style, verbose: true })).toContain('public.t1499')
  })

  test('all that failed is named', () => {
    const text = structureSection(of(many(300, { status: 'failed', reason: 'x' }), 'sync'), style)
    expect(text).toContain('public.t299')
  })

  test('fits the terminal, and shows nothing that a terminal obeys', () => {
    const evil = change({
      name: `\u001b[31m${'long'.repeat(50)}`,
      sql: [`SELECT '\u001b[31m\u202e', '${'日本'.repeat(100)}';`],
      hazards: [...hazards]
    })
    for (const width of [80, 120]) {
      const text = structureSection(of([evil]), { ...style, width })
      expect(Math.max(...text.split('\n').map(line => stringWidth(line)))).toBeLessThanOrEqual(width)
      for (const character of ['\u001b', '\u202e']) expect(text).not.toContain(character)
    }
    expect(structureSection(of([evil]), { ...style, verbose: true })).not.toContain('\u001b')
  })

  test('hazards are coloured by what they mean', () => {
    const text = structureSection(of([change({ hazards: [...hazards] })]), { ...style, paint: makePaint(1) })
    expect(text).toContain('\u001b[31mdeletes-data\u001b[39m')
    expect(text).toContain('\u001b[33mblocks-writes\u001b[39m')
    expect(text).toContain('\u001b[2mindex-rebuild\u001b[22m')
    expect(stripVTControlCharacters(text)).toBe(
      structureSection(of([change({ hazards: [...hazards] })]), style)
    )
  })
})
