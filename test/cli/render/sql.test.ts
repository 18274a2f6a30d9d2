import { describe, expect, test } from 'vitest'
import { renderSql } from '../../../src/cli/render/sql.js'
import type { TableReport } from '../../../src/sync/report.js'
import { full, orders, report, tableReport } from '../reports.js'

const keep = { rows: 1000, cleanExtra: { rows: false, objects: false } }
const clean = { rows: 1000, cleanExtra: { rows: true, objects: true } }

/** Statements only: no comments, no empty lines. */
function statements(sql: string): string[] {
  return sql.split('\n').filter(line => line !== '' && !line.startsWith('--'))
}

const rowsOf = (table: TableReport, style = clean) =>
  statements(renderSql(report([table]), style)).filter(line => /^(INSERT|UPDATE|DELETE)/.test(line))

describe('renderSql', () => {
  test('the whole script', () => {
    expect(renderSql(full, keep)).toMatchInlineSnapshot(`
      "-- What \`pgsyncer sync\` would do to the standby db2.example.org:5433/shop
      -- to make it the same as db1:5432/shop was at 2025-11-21T09:30:00Z.
      --
      -- At most 1,000 differing rows of each table are here (--sql-rows); where a table has more, a comment says how many.
      -- What only the standby has is removed by the lines that are comments here, as --clean-extra was not given for it.
      -- Run it with psql: psql -f FILE, connected to the standby.

      \\set ON_ERROR_STOP on
      BEGIN;
      SET LOCAL client_encoding = 'UTF8';
      SET LOCAL standard_conforming_strings = on;
      SET LOCAL TimeZone = 'UTC';
      SET LOCAL DateStyle = 'ISO, YMD';
      SET LOCAL IntervalStyle = 'postgres';
      SET LOCAL lc_monetary = 'C';
      SET LOCAL check_function_bodies = off;
      SET LOCAL search_path = '';
      SET CONSTRAINTS ALL DEFERRED;
      -- Foreign keys that cannot be deferred may need this, which takes a role that may set it:
      -- SET LOCAL session_replication_role = replica;

      -- create TABLE public.new
      CREATE TABLE public.new (id int);

      -- public.orders
      -- DELETE FROM "public"."orders" WHERE "id" = '9';

      -- public.orders
      UPDATE "public"."orders" SET "status" = 'paid', "note" = NULL WHERE "id" = '7';

      -- public.orders
      INSERT INTO "public"."orders" ("id", "status", "note") VALUES ('8', 'new', '');

      -- public.orders: 1 more differing row is not in this file

      -- public.events: failed: permission denied

      -- public.old: skipped: unlogged

      -- drop VIEW public.gone: only with --clean-extra
      -- DROP VIEW public.gone;

      -- sequences
      SELECT pg_catalog.setval('"public"."orders_id_seq"'::pg_catalog.regclass, '9223372036854775807', true);
      -- SELECT pg_catalog.setval('"public"."far"'::pg_catalog.regclass, '5', true);

      COMMIT;
      "
    `)
  })

  test('what removes something is a comment, unless --clean-extra asked for it', () => {
    const without = renderSql(full, keep)
    const gone = [/DELETE FROM/, /DROP VIEW/, /setval\('"public"."far"/]
    for (const removal of gone) {
      expect(without).toMatch(removal)
      expect(statements(without).join('\n')).not.toMatch(removal)
      expect(statements(renderSql(full, clean)).join('\n')).toMatch(removal)
    }
  })

  test('one transaction, deletes before updates before inserts', () => {
    const found = statements(renderSql(report([orders]), clean))
    expect(found.slice(0, 2)).toEqual(['\\set ON_ERROR_STOP on', 'BEGIN;'])
    expect(found.at(-1)).toBe('COMMIT;')
    expect(rowsOf(orders).map(line => line.slice(0, 6))).toEqual(
      ['DELETE', 'UPDATE', 'INSERT', 'INSERT'].slice(0, 3)
    )
  })

  test('hostile names and values are quoted, also within comments', () => {
    const name = `o'r"d\n; DROP TABLE x; --`
    const text = `it's \\ "q"\nDROP TABLE y; -- ü 日本 :var`
    const table = tableReport({
      schema: 'S p',
      table: name,
      status: 'differs',
      key: ['K"'],
      reason: 'broken\nDROP TABLE z;',
      samples: [
        { key: { 'K"': text }, kind: 'update', columns: { 'c"1': { main: text, standby: null } } },
        { key: { 'K"': text }, kind: 'delete', columns: { 'K"': { standby: text } } }
      ]
    })
    const quotedName = `"S p"."o'r""d\n; DROP TABLE x; --"`
    const quotedText = `E'it''s \\\\ "q"\nDROP TABLE y; -- ü 日本 :var'`
    const script = renderSql(report([table]), clean)
    expect(script).toContain(`UPDATE ${quotedName} SET "c""1" = ${quotedText} WHERE "K""" = ${quotedText};`)
    expect(script).toContain(`DELETE FROM ${quotedName} WHERE "K""" = ${quotedText};`)
    // Without its quoted parts and comments nothing of it may be left.
    const bare = script
      .replaceAll(quotedName, '')
      .replaceAll(quotedText, '')
      .replace(/^--.*$/gm, '')
    expect(bare).not.toContain('DROP')
    // As a comment, every line of the statement is one.
    const commented = renderSql(report([table]), keep)
    expect(
      commented
        .replaceAll(`UPDATE ${quotedName} SET "c""1" = ${quotedText} WHERE "K""" = ${quotedText};`, '')
        .replace(/^--.*$/gm, '')
    ).not.toContain('DROP')
  })

  test('NULL, the empty text, and OVERRIDING SYSTEM VALUE', () => {
    const sample = {
      key: { id: '1' },
      kind: 'insert' as const,
      columns: { id: { main: '1' }, a: { main: null }, b: { main: '' } }
    }
    expect(rowsOf(tableReport({ overriding: true, samples: [sample] }))).toEqual([
      `INSERT INTO "public"."orders" ("id", "a", "b") OVERRIDING SYSTEM VALUE VALUES ('1', NULL, '');`
    ])
    expect(rowsOf(tableReport({ samples: [{ key: {}, kind: 'insert', columns: {} }] }))).toEqual([
      `INSERT INTO "public"."orders" DEFAULT VALUES;`
    ])
  })

  test('generated columns are never written', () => {
    const update = {
      key: { id: '1' },
      kind: 'update' as const,
      columns: { total: { main: '2', standby: '1' } }
    }
    const both = { ...update, columns: { ...update.columns, n: { main: '2', standby: '1' } } }
    expect(rowsOf(tableReport({ generated: ['total'], samples: [update, both] }))).toEqual([
      `UPDATE "public"."orders" SET "n" = '2' WHERE "id" = '1';`
    ])
  })

  test('a row without key is found by how it prints, one copy at a time', () => {
    const sample = {
      key: { ctid: '(0,1)' },
      kind: 'delete' as const,
      columns: { a: { standby: 'x' }, b: { standby: null } }
    }
    expect(rowsOf(tableReport({ key: [], samples: [sample] }))).toEqual([
      `DELETE FROM "public"."orders" WHERE ctid = (SELECT ctid FROM "public"."orders" WHERE "a"::text IS NOT DISTINCT FROM 'x' AND "b"::text IS NOT DISTINCT FROM NULL LIMIT 1);`
    ])
  })

  test('the limit holds, is stated, and what was left out is counted', () => {
    const script = renderSql(report([{ ...orders, insert: 5000 }]), { ...clean, rows: 2 })
    expect(script).toContain('-- At most 2 differing rows of each table are here (--sql-rows)')
    expect(script).toContain('-- public.orders: 5,000 more differing rows are not in this file')
    expect(statements(script).filter(line => /^(INSERT|UPDATE|DELETE)/.test(line))).toHaveLength(2)
  })

  test('foreign keys and triggers come after the rows', () => {
    const change = (kind: string) => ({
      kind,
      schema: 'public',
      name: 'n',
      action: 'create' as const,
      status: 'pending' as const,
      sql: [`-- ${kind} --`, `CREATE ${kind};`],
      hazards: []
    })
    const one = report([orders], {
      schema: { identical: false, changes: ['TABLE', 'FK CONSTRAINT', 'TRIGGER', 'INDEX'].map(change) }
    })
    const order = statements(renderSql(one, keep)).filter(line => /^(CREATE|INSERT)/.test(line))
    expect(order.map(line => line.split(/[ ;]/)[1])).toEqual(['TABLE', 'INDEX', 'INTO', 'FK', 'TRIGGER'])
  })
})
