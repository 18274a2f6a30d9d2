/** Sending what is later than the cursor: whole values a chunk, rows and cursor together. */
import { describe, expect, test } from 'vitest'
import { copySections } from '../../../src/copy/sections/sections.js'
import { execBlocking } from '../../support/blocking.js'
import { checkSection, expectSame, failure, messages, remains, sectionRows, withFlow } from './messages.js'

describe('the increment', () => {
  test.each([
    { chunkSize: 3, chunks: 20 },
    { chunkSize: 5, chunks: 20 },
    { chunkSize: 12, chunks: 7 },
    { chunkSize: 1, chunks: 20 }
  ])('keeps rows that share a cursor together, $chunkSize rows at a time', async ({ chunkSize, chunks }) => {
    // Twenty cursors, five rows each.
    await withFlow({ cursor: 'bigint', main: messages(1, 100, { cursor: '(n - 1) / 5' }) }, async flow => {
      const result = await copySections({ ...flow.options, chunkSize })
      expect(result).toMatchObject({ rows: 100, chunks, cursor: '19' })
      expect(await expectSame(flow)).toBe(100)
    })
  })

  test('says where the cursor has no index', async () => {
    await withFlow({ cursor: 'bigint' }, async flow => {
      const { notes } = await copySections(flow.options)
      expect(notes).toEqual([
        'no index of device.messages begins with "created_id": every chunk reads the whole table'
      ])
    })
  })

  test('goes on while main grows, until it has caught up', async () => {
    await withFlow({ main: messages(1, 20) }, async flow => {
      let grown = false
      const result = await copySections(
        { ...flow.options, chunkSize: 10 },
        {
          emit: event => {
            if (event.type !== 'rows' || event.table !== 'device.messages' || grown) return
            grown = true
            execBlocking(flow.main.url, messages(21, 25))
          }
        }
      )
      expect(result).toMatchObject({ rows: 25, cursor: '25' })
      expect(await expectSame(flow)).toBe(25)
    })
  })

  test('whose procedure fails keeps the chunks before, and goes on there when it is mended', async () => {
    await withFlow({ main: messages(1, 50) }, async flow => {
      await copySections(flow.options)
      await flow.standby.exec('ALTER TABLE message_4 ADD CHECK (mes_id < 60)')
      await flow.main.exec(messages(51, 100))
      const error = await failure({ ...flow.options, chunkSize: 10 })
      expect(error.message).toMatch(/failed for the row object_id = 4, created_id = 60: .*violates check/)
      expect(await flow.standby.query('SELECT last_cursor, rows_sent FROM pgsyncer.sections')).toEqual([
        { last_cursor: '50', rows_sent: '50' }
      ])
      await flow.standby.exec('ALTER TABLE message_4 DROP CONSTRAINT message_4_mes_id_check')
      expect(await copySections({ ...flow.options, chunkSize: 10 })).toMatchObject({ rows: 50 })
      expect(await expectSame(flow)).toBe(100)
    })
  })

  test('stores and records in one transaction: a commit that fails moves neither', async () => {
    await withFlow({ main: messages(1, 50) }, async flow => {
      await copySections(flow.options)
      await flow.standby
        .exec(`CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not at commit'; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON message_2 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no()`)
      await flow.main.exec(messages(51, 70))
      await expect(copySections(flow.options)).rejects.toThrow('not at commit')
      expect(await sectionRows(flow.standby)).toHaveLength(50)
      await flow.standby.exec('DROP TRIGGER late ON message_2')
      expect(await copySections(flow.options)).toMatchObject({ rows: 20 })
      expect(await expectSame(flow)).toBe(70)
    })
  })

  test('tells a procedure that commits by itself that it may not', async () => {
    const standby = checkSection().replace('END $$', () => 'COMMIT; END $$')
    await withFlow({ main: messages(1, 5), standby }, async flow => {
      const error = await failure(flow.options)
      expect(error.message).toMatch(/invalid transaction termination/)
      expect(error.hint).toMatch(/leave COMMIT and ROLLBACK to the caller/)
      expect(await remains(flow.standby)).toEqual([])
    })
  })
})
