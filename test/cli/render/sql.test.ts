import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { renderSql } from '../../../src/cli/render/sql.js'
import type { SchemaScript } from '../../../src/schema/change.js'
import type { TableReport } from '../../../src/sync/report.js'
import { createDatabase } from '../../support/databases.js'
import { change, full, orders, report, statement, tableReport } from '../reports.js'

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
      -- Run it with psql, connected to the standby: psql -X -v ON_ERROR_STOP=1 -f FILE

      \\set ON_ERROR_STOP on
      SET client_encoding = 'UTF8';
      BEGIN;
      SET LOCAL standard_conforming_strings = on;
      SET LOCAL TimeZone = 'UTC';
      SET LOCAL DateStyle = 'ISO, YMD';
      SET LOCAL IntervalStyle = 'postgres';
      SET LOCAL lc_monetary = 'C';
      SET LOCAL check_function_bodies = off;
      SET LOCAL search_path = '';

      -- 1. Structure

      -- create TABLE public.new
      CREATE TABLE public.new (id int);

      -- 2. Rows
      SET CONSTRAINTS ALL DEFERRED;
      -- Foreign keys that cannot be deferred may need this, which takes a role that may set it:
      -- SET LOCAL session_replication_role = replica;

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

      -- 4. Materialized views
      RESET TimeZone; RESET DateStyle; RESET IntervalStyle; RESET extra_float_digits; RESET bytea_output; RESET xmloption; RESET lc_monetary; RESET search_path; RESET row_security; RESET array_nulls; RESET quote_all_identifiers;
      SELECT 'REFRESH MATERIALIZED VIEW "public"."same";' FROM pg_catalog.pg_class WHERE oid = '"public"."same"'::pg_catalog.regclass AND NOT relispopulated \\gexec
      REFRESH MATERIALIZED VIEW "public"."sums";
      -- REFRESH MATERIALIZED VIEW "public"."idle" WITH NO DATA;
      "
    `)
  })

  test('what removes something is a comment, unless --clean-extra asked for it', () => {
    const without = renderSql(full, keep)
    const gone = [/DELETE FROM/, /DROP VIEW/, /setval\('"public"."far"/]
    const { changes, script } = full.schema
    const drop = statement('DROP VIEW public.gone;', 'drop VIEW public.gone')
    const asked = {
      identical: false,
      changes: changes.map(each => ({ ...each, status: 'pending' as const })),
      script: { ...script!, structure: [...script!.structure, drop] }
    }
    const all = renderSql({ ...full, schema: asked }, clean)
    for (const removal of gone) {
      expect(without).toMatch(removal)
      expect(statements(without).join('\n')).not.toMatch(removal)
      expect(statements(all).join('\n')).toMatch(removal)
    }
    expect(all).not.toContain('-- DROP VIEW')
  })

  test('one transaction, deletes before updates before inserts', () => {
    const found = statements(renderSql(report([orders]), clean))
    expect(found.slice(0, 3)).toEqual(['\\set ON_ERROR_STOP on', "SET client_encoding = 'UTF8';", 'BEGIN;'])
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

  test('what the rows must satisfy comes after them; what no transaction can hold, outside of it', () => {
    const script = {
      outside: [statement('ALTER TYPE;', 'alter TYPE public.e', 'not-transactional')],
      structure: [statement('ALTER early;', 'alter TABLE public.orders', 'blocks-writes')],
      constraints: [
        statement('CREATE INDEX CONCURRENTLY;', 'create INDEX public.i', 'not-transactional'),
        statement('ALTER late;', 'alter TABLE public.orders'),
        statement('CREATE FK;', 'create FK CONSTRAINT public.orders fk'),
        statement('CREATE TRIGGER;', 'create TRIGGER public.orders t')
      ]
    }
    const sql = renderSql(
      report([orders], { schema: { identical: false, changes: [change()], script } }),
      keep
    )
    const order = statements(sql).filter(line => /^(ALTER|CREATE|INSERT|BEGIN|COMMIT)/.test(line))
    expect(order.map(line => line.split(' VALUES')[0])).toEqual([
      'ALTER TYPE;',
      'BEGIN;',
      'ALTER early;',
      'INSERT INTO "public"."orders" ("id", "status", "note")',
      'ALTER late;',
      'CREATE FK;',
      'CREATE TRIGGER;',
      'COMMIT;',
      'CREATE INDEX CONCURRENTLY;'
    ])
    expect(sql.match(/^-- hazard: blocks-writes$/gm)).toHaveLength(1)
    expect(sql).toContain('\n-- hazard: blocks-writes\nALTER early;')
  })

  test('without a script of the structure nothing of it is run, and what is left is a comment', () => {
    const gone = change({ action: 'drop', status: 'left', sql: ['DROP TABLE public.gone;'] })
    const changes = [change(), gone]
    const sql = renderSql(report([], { schema: { identical: false, changes } }), clean)
    expect(statements(sql).join('\n')).not.toMatch(/ALTER|DROP/)
    expect(sql).toContain('\n-- drop TABLE public.orders\n-- DROP TABLE public.gone;\n')
  })
})

describe("the engine's own script", () => {
  const mapping = "CREATE USER MAPPING FOR me SERVER s OPTIONS (password '***');"
  const one = report([orders], {
    schema: {
      identical: false,
      changes: [
        change({
          reason: 'column a: int → bigint',
          hazards: ['rewrites-table', 'deletes-data'],
          sql: ['never;']
        }),
        change({ name: 'old', action: 'drop', status: 'left', sql: ['DROP TABLE public.old;'] })
      ],
      script: {
        preamble: ["SET search_path = '';", 'SET standard_conforming_strings = off;'],
        outside: [statement("ALTER TYPE e ADD VALUE 'x';", 'alter TYPE public.e', 'not-transactional')],
        structure: [
          statement('DROP VIEW v;', 'replace VIEW public.v'),
          statement('ALTER a;', 'alter TABLE public.orders', 'rewrites-table', 'deletes-data'),
          statement('ALTER b;', 'alter TABLE public.orders'),
          statement('CREATE VIEW v;', 'replace VIEW public.v')
        ],
        constraints: [
          statement('CREATE INDEX CONCURRENTLY i;', 'create INDEX public.i', 'not-transactional'),
          statement('ALTER SET NOT NULL;', 'alter TABLE public.orders'),
          statement(mapping, 'create USER MAPPING me')
        ]
      }
    }
  })

  test('is what is run, in its order and parts', () => {
    expect(renderSql(one, { ...keep, rows: 0 })).toMatchInlineSnapshot(`
      "-- What \`pgsyncer sync\` would do to the standby db2.example.org:5433/shop
      -- to make it the same as db1:5432/shop was at 2025-11-21T09:30:00Z.
      --
      -- At most 0 differing rows of each table are here (--sql-rows); where a table has more, a comment says how many.
      -- What only the standby has is removed by the lines that are comments here, as --clean-extra was not given for it.
      -- 1 change of the structure deletes data: look for "deletes-data".
      -- Run it with psql, connected to the standby: psql -X -v ON_ERROR_STOP=1 -f FILE

      \\set ON_ERROR_STOP on
      SET client_encoding = 'UTF8';
      SET search_path = '';
      SET standard_conforming_strings = off;

      -- What must be committed before it is used; each statement by itself

      -- alter TYPE public.e
      -- hazard: not-transactional
      ALTER TYPE e ADD VALUE 'x';

      BEGIN;
      SET LOCAL TimeZone = 'UTC';
      SET LOCAL DateStyle = 'ISO, YMD';
      SET LOCAL IntervalStyle = 'postgres';
      SET LOCAL lc_monetary = 'C';
      SET LOCAL check_function_bodies = off;

      -- 1. Structure

      -- replace VIEW public.v
      DROP VIEW v;

      -- alter TABLE public.orders: column a: int → bigint
      -- hazard: rewrites-table, deletes-data
      ALTER a;
      ALTER b;

      -- replace VIEW public.v
      CREATE VIEW v;

      -- 2. Rows
      SET CONSTRAINTS ALL DEFERRED;
      -- Foreign keys that cannot be deferred may need this, which takes a role that may set it:
      -- SET LOCAL session_replication_role = replica;

      -- public.orders: 4 more differing rows are not in this file

      -- 3. What the rows must satisfy
      SET CONSTRAINTS ALL IMMEDIATE;

      -- alter TABLE public.orders: column a: int → bigint
      ALTER SET NOT NULL;

      -- create USER MAPPING me
      -- a password was left out here: put it in, and run this
      -- CREATE USER MAPPING FOR me SERVER s OPTIONS (password '***');

      -- drop TABLE public.old
      -- DROP TABLE public.old;

      COMMIT;

      -- What no transaction can hold; each statement by itself

      -- create INDEX public.i
      -- hazard: not-transactional
      CREATE INDEX CONCURRENTLY i;
      "
    `)
  })

  test('without rows nothing is said of them', () => {
    const script = renderSql({ ...one, tables: [] }, keep)
    expect(script).not.toContain('2. Rows')
    expect(script).not.toContain('SET CONSTRAINTS')
  })

  test('is run by psql as it is', async () => {
    const db = await createDatabase('script')
    const folder = mkdtempSync(join(tmpdir(), 'pgsyncer-sql-'))
    try {
      await db.exec(`CREATE TYPE mood AS ENUM ('sad');
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE orders (id int PRIMARY KEY, status text, note text, gone int, parent int REFERENCES parent DEFERRABLE);
        INSERT INTO parent VALUES (1);
        INSERT INTO orders VALUES (7, 'open', 'a b', 1, 1), (9, 'old', NULL, 1, 1);`)
      const script: SchemaScript = {
        preamble: ["SET search_path = '';", 'SET standard_conforming_strings = off;'],
        outside: [
          statement("ALTER TYPE public.mood ADD VALUE 'ok';", 'alter TYPE public.mood', 'not-transactional')
        ],
        structure: [
          statement(
            'ALTER TABLE public.orders ALTER COLUMN id TYPE bigint;',
            'alter TABLE public.orders',
            'rewrites-table'
          ),
          statement(
            "ALTER TABLE public.orders DROP COLUMN gone, ADD COLUMN m public.mood DEFAULT 'ok';",
            'alter TABLE public.orders',
            'deletes-data'
          ),
          statement(
            "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$SELECT ':id; \\n'\n  || nowhere.f()$$;",
            'create FUNCTION public.f()'
          )
        ],
        constraints: [
          statement(
            'CREATE INDEX CONCURRENTLY orders_status ON public.orders (status);',
            'create INDEX public.orders_status',
            'not-transactional'
          ),
          statement(
            'ALTER TABLE public.orders ALTER COLUMN status SET NOT NULL;',
            'alter TABLE public.orders',
            'blocks-reads'
          ),
          statement(
            'CREATE UNIQUE INDEX orders_note ON public.orders (note);',
            'create INDEX public.orders_note',
            'blocks-writes'
          )
        ]
      }
      const columns = { ...orders.samples[1]!.columns, parent: { main: '1' } }
      const samples = [orders.samples[0]!, { ...orders.samples[1]!, columns }, orders.samples[2]!]
      const made = report([{ ...orders, samples }], { schema: { identical: false, changes: [], script } })
      const file = join(folder, 'x.sql')
      writeFileSync(file, renderSql(made, clean))
      const { port } = new URL(inject('adminUrl'))
      const at = new URL(db.url)
      if (at.port === '') at.port = port
      execFileSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', at.href, '-f', file], {
        stdio: 'pipe'
      })
      expect(await db.query('SELECT id, status, note, parent, m::text FROM orders ORDER BY id')).toEqual([
        { id: '7', status: 'paid', note: null, parent: 1, m: 'ok' },
        { id: '8', status: 'new', note: '', parent: 1, m: 'ok' }
      ])
      expect(
        await db.query("SELECT indexname FROM pg_indexes WHERE tablename = 'orders' ORDER BY 1")
      ).toEqual(['orders_note', 'orders_pkey', 'orders_status'].map(indexname => ({ indexname })))
    } finally {
      rmSync(folder, { recursive: true })
      await db.drop()
    }
  })
})
