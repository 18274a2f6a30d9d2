/** The user's names and routines, as SQL allows them. */
import { describe, expect, test } from 'vitest'
import { copySections } from '../../../src/copy/sections/sections.js'
import { startVersion } from '../../support/versions.js'
import {
  checkSection,
  expectSame,
  messages,
  plain,
  sectionRows,
  sourceRows,
  withFlow,
  type Flow
} from './messages.js'

describe('names', () => {
  test('may hold anything that SQL allows', async () => {
    const table = `"We""ird 'schema"."T\\able.é"`
    const main = `CREATE SCHEMA "We""ird 'schema"; CREATE TABLE ${table} ("t" int, "Ke'y ""x" text, "cur\\sor" bigint UNIQUE NOT NULL);
      INSERT INTO ${table} SELECT n, 'o''b"j\\' || n % 4, n FROM generate_series(1, 40) n`
    const standby = `CREATE SCHEMA "S.1"; CREATE SCHEMA "p'roc";
      CREATE PROCEDURE "p'roc"."Check ""it"(r jsonb) LANGUAGE plpgsql AS $$
      DECLARE section text := 'Sec.%tion' || (r->>'Ke''y "x');
      BEGIN
        EXECUTE format('CREATE TABLE IF NOT EXISTS "S.1".%I (t int, "cur\\sor" bigint)', section);
        EXECUTE format('INSERT INTO "S.1".%I SELECT * FROM jsonb_populate_record(NULL::"S.1".%1$I, $1)', section) USING r;
      END $$`
    await withFlow({ main, standby }, async flow => {
      const result = await copySections({
        ...flow.options,
        sourceTable: table,
        sectionKey: `"Ke'y ""x"`,
        cursor: '"cur\\sor"',
        procedure: `"p'roc"."Check ""it"`,
        sectionTables: '"S.1".Sec.\\%%',
        chunkSize: 9
      })
      expect(plain(result)).toEqual({
        mode: 'bootstrap',
        rows: 40,
        sections: 4,
        chunks: 5,
        cursor: '40',
        notes: []
      })
      const rows = await flow.standby.query(
        `SELECT count(DISTINCT t)::int AS n FROM "S.1"."Sec.%tiono'b""j\\1"`
      )
      expect(rows).toEqual([{ n: 10 }])
    })
  })

  test('without a schema are found as the roles find them, and fold as SQL folds them', async () => {
    await withFlow({ main: messages(1, 10) }, async flow => {
      await flow.main.exec(`ALTER DATABASE ${flow.main.name} SET search_path = device`)
      await flow.standby.exec(`CREATE SCHEMA app; ALTER PROCEDURE check_section SET SCHEMA app;
        ALTER TABLE section_template SET SCHEMA app; ALTER DATABASE ${flow.standby.name} SET search_path = app`)
      const options = { ...flow.options, sourceTable: 'Messages', sectionKey: 'OBJECT_ID' }
      expect(await copySections({ ...options, sectionTables: 'app.message\\_%' })).toMatchObject({
        rows: 10,
        sections: 7
      })
      expect(await sectionRows({ ...flow.standby, query: inSchema(flow, 'app') })).toEqual(
        await sourceRows(flow.main)
      )
    })
  })
})

function inSchema({ standby }: Flow, schema: string): Flow['standby']['query'] {
  return async (sql, params) => {
    await standby.exec(`SET search_path = ${schema}`)
    return standby.query(sql, params)
  }
}

describe('the procedure', () => {
  test('of several with one name is the one that takes json, with the fewest arguments', async () => {
    const standby = `${checkSection()};
      CREATE PROCEDURE check_section(r jsonb) LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'jsonb'; END $$;
      CREATE PROCEDURE check_section(r text) LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'text'; END $$;
      CREATE FUNCTION check_section(r json, a int, b int, c int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'four'; END $$`
    await withFlow({ main: messages(1, 10), standby }, async flow => {
      expect(await copySections(flow.options)).toMatchObject({ rows: 10 })
      expect(await expectSame(flow)).toBe(10)
    })
  })

  test('may give something back: INOUT, OUT, a result, a set', async () => {
    const wrap = {
      inout: `CREATE PROCEDURE store(r json, INOUT said text, x int DEFAULT 1, INOUT more int DEFAULT 2) LANGUAGE plpgsql AS $$
        BEGIN IF x <> 1 THEN RAISE EXCEPTION 'x is %', x; END IF; CALL check_section(r, said); said := 'ok'; END $$`,
      out: `CREATE PROCEDURE store(r json, OUT said text) LANGUAGE plpgsql AS $$ BEGIN CALL check_section(r, NULL); said := 'ok'; END $$`,
      set: `CREATE FUNCTION store(r json, VARIADIC x int[]) RETURNS SETOF int LANGUAGE plpgsql AS $$
        BEGIN CALL check_section(r, x::text); RETURN NEXT 1; RETURN NEXT 2; END $$`,
      table: `CREATE FUNCTION store(r json) RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS $$ BEGIN CALL check_section(r, b); END $$`
    }
    for (const store of Object.values(wrap)) {
      await withFlow({ main: messages(1, 10), standby: `${checkSection()}; ${store}` }, async flow => {
        expect(await copySections({ ...flow.options, procedure: 'store' })).toMatchObject({ rows: 10 })
        expect(await expectSame(flow)).toBe(10)
      })
    }
  })
})

describe('other versions', () => {
  test.each([
    [12, 17],
    [17, 12]
  ] as const)('%i to %i', async (from, to) => {
    const [main, standby] = await Promise.all([startVersion(from), startVersion(to)])
    try {
      await withFlow(
        { main: messages(1, 100), servers: { main: main.url, standby: standby.url } },
        async flow => {
          expect(await copySections({ ...flow.options, chunkSize: 30 })).toMatchObject({
            rows: 100,
            sections: 7,
            chunks: 4
          })
          expect(await expectSame(flow)).toBe(100)
        }
      )
    } finally {
      await Promise.all([main.stop(), standby.stop()])
    }
  })
})
