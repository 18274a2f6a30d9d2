/** The cursor, of every type that has an order: cut, kept, and found again in sections that have no record. */
import { describe, expect, test } from 'vitest'
import { copySections } from '../../../src/copy/sections/sections.js'
import { checkSection, columns, expectSame, messages, withFlow } from './messages.js'

describe.each([
  { type: 'bigint', cursor: '9007199254740990 + n' },
  { type: 'integer', cursor: 'n - 50' },
  { type: 'numeric', cursor: 'n / 1000000000000000000::numeric' },
  { type: 'double precision', cursor: 'n / 3::float8' },
  {
    type: 'timestamptz',
    cursor: `'2026-03-29 00:59:59.99999+00'::timestamptz + n * interval '1 microsecond'`
  },
  { type: 'timestamp', cursor: `'2026-03-29 01:59:59.99999'::timestamp + n * interval '1 microsecond'` },
  { type: 'date', cursor: `'2026-01-01'::date + n` },
  {
    type: 'uuid',
    cursor: `('01980000-' || lpad(to_hex(n), 4, '0') || '-7000-8000-' || substr(md5(n::text), 1, 12))::uuid`
  },
  { type: 'text', cursor: `chr(60 + n % 40) || E'\\\\''' || n` },
  { type: 'text COLLATE "en-x-icu"', cursor: `chr(60 + n % 40) || 'é' || n` },
  { type: 'character(9)', cursor: `lpad(n::text, 5, 'A')` },
  { type: 'bytea', cursor: `decode(lpad(to_hex(n), 8, '0'), 'hex')` },
  { type: 'citext', cursor: `CASE WHEN n % 2 = 0 THEN 'a' ELSE 'A' END || lpad(n::text, 5, '0')` },
  { type: 'moment', cursor: `'2026-01-01'::timestamptz + n * interval '1 s'` }
])('a cursor of type $type', ({ type, cursor }) => {
  test('cuts, is kept and is found again exactly', async () => {
    const ddl = `CREATE EXTENSION citext; CREATE DOMAIN moment AS timestamptz NOT NULL`
    const main = `CREATE UNIQUE INDEX ON device.messages (created_id); ${messages(1, 60, { cursor })}`
    await withFlow({ ddl, cursor: type, main }, async flow => {
      const options = { ...flow.options, chunkSize: 7 }
      // The greatest third comes later, so that the second run has exactly these to send.
      await flow.main.exec(`CREATE TABLE later AS SELECT * FROM device.messages ORDER BY created_id OFFSET 40;
        DELETE FROM device.messages USING later WHERE messages.created_id = later.created_id`)
      expect(await copySections(options)).toMatchObject({ mode: 'bootstrap', rows: 40 })
      await expectSame(flow)
      await flow.main.exec('INSERT INTO device.messages TABLE later')
      expect(await copySections(options)).toMatchObject({ mode: 'increment', rows: 20 })
      await expectSame(flow)
      // Without the record, the sections tell where to go on.
      await flow.standby.exec('DROP SCHEMA pgsyncer CASCADE')
      const found = await copySections(options)
      expect(found).toMatchObject({ mode: 'increment', rows: 0 })
      expect(found.notes).toEqual([
        expect.stringMatching(/going on after created_id = .*, as found in them$/)
      ])
      expect(await expectSame(flow)).toBe(60)
    })
  })
})

describe('a standby with sections that another program filled', () => {
  const byHand = `SELECT check_section(row_to_json(m), NULL) FROM device.messages m`

  test('goes on after the greatest cursor in them', async () => {
    const standby = `${checkSection('FUNCTION')}; CREATE SCHEMA device; CREATE TABLE device.messages (${columns()});
      ${messages(1, 40)}; ${byHand}; DROP SCHEMA device CASCADE`
    await withFlow({ main: messages(1, 100), standby }, async flow => {
      const result = await copySections(flow.options)
      expect(result).toMatchObject({ mode: 'increment', rows: 60, sections: 7 })
      expect(result.notes).toEqual([
        'the standby has sections and no record of them: going on after created_id = 40, as found in them'
      ])
      expect(await expectSame(flow)).toBe(100)
    })
  })

  test('starts at the start where they are empty', async () => {
    const standby = `${checkSection()}; CREATE TABLE message_0 (n serial, LIKE section_template)`
    await withFlow({ main: messages(1, 20), standby }, async flow => {
      expect(await copySections(flow.options)).toMatchObject({ mode: 'increment', rows: 20, sections: 7 })
      expect(await expectSame(flow)).toBe(20)
    })
  })

  test('takes main’s order of text, not that of the sections', async () => {
    // In C order B < a; in the sections' order a < B, so that their greatest is B.
    const cursor = `CASE n WHEN 1 THEN 'B' WHEN 2 THEN 'a' ELSE 'b' END`
    const main = messages(1, 3, { cursor })
    const standby = `${checkSection('PROCEDURE', 'json', 'text COLLATE "en-x-icu"')};
      CREATE TABLE message_1 (n serial, LIKE section_template); CREATE TABLE message_2 (n serial, LIKE section_template);
      CREATE SCHEMA device; CREATE TABLE device.messages (${columns('text')}); ${messages(1, 2, { cursor })};
      DO $$ DECLARE r json; BEGIN FOR r IN SELECT row_to_json(m) FROM device.messages m LOOP CALL check_section(r, NULL); END LOOP; END $$;
      DROP SCHEMA device CASCADE`
    await withFlow({ cursor: 'text COLLATE "C"', main, standby }, async flow => {
      expect(await copySections(flow.options)).toMatchObject({ rows: 1, cursor: 'b' })
      expect(await expectSame(flow)).toBe(3)
    })
  })

  test('takes main’s order where the sections keep the cursor as text', async () => {
    const standby = checkSection('PROCEDURE', 'json', 'text')
    await withFlow({ main: messages(1, 12), standby }, async flow => {
      await copySections(flow.options)
      await flow.standby.exec('DROP SCHEMA pgsyncer CASCADE')
      await flow.main.exec(messages(13, 14))
      // As text, 9 is the greatest.
      expect(await copySections(flow.options)).toMatchObject({ rows: 2, cursor: '14' })
    })
  })
})
