/** Making the sections: all of them, empty, or nothing at all. */
import { describe, expect, test } from 'vitest'
import { copySections } from '../../../src/copy/sections/sections.js'
import { DataError } from '../../../src/core/errors.js'
import {
  checkSection,
  expectSame,
  failure,
  isWaiting,
  messages,
  plain,
  remains,
  sectionNames,
  sectionRows,
  until,
  withFlow
} from './messages.js'

describe.each([
  { kind: 'PROCEDURE', takes: 'json' },
  { kind: 'FUNCTION', takes: 'json' },
  { kind: 'PROCEDURE', takes: 'jsonb' }
] as const)('through a $kind that takes $takes', ({ kind, takes }) => {
  test('bootstrap, increment, new objects later, and nothing to do', async () => {
    await withFlow({ main: messages(1, 100), standby: checkSection(kind, takes) }, async flow => {
      const options = { ...flow.options, chunkSize: 30 }
      expect(plain(await copySections(options))).toEqual({
        mode: 'bootstrap', rows: 100, sections: 7, chunks: 4, cursor: '100', notes: []
      }) // prettier-ignore
      expect(await expectSame(flow)).toBe(100)
      await flow.main.exec(messages(101, 120, { objects: 9 }))
      expect(plain(await copySections(options))).toEqual({
        mode: 'increment', rows: 20, sections: 9, chunks: 1, cursor: '120', notes: []
      }) // prettier-ignore
      expect(await expectSame(flow)).toBe(120)
      expect(plain(await copySections(options))).toEqual({
        mode: 'increment', rows: 0, sections: 9, chunks: 0, cursor: '120', notes: []
      }) // prettier-ignore
      expect(await expectSame(flow)).toBe(120)
    })
  })
})

describe('the bootstrap', () => {
  test('leaves the sections empty, as new ones are, and the next run fills them', async () => {
    await withFlow({ main: messages(1, 50) }, async flow => {
      const stop = new AbortController()
      const run = copySections(flow.options, {
        signal: stop.signal,
        emit: event => {
          if (event.type === 'table-end') stop.abort(new Error('enough'))
        }
      })
      await expect(run).rejects.toThrow('enough')
      expect(await sectionNames(flow.standby)).toHaveLength(7)
      expect(await sectionRows(flow.standby)).toEqual([])
      expect(plain(await copySections(flow.options))).toMatchObject({
        mode: 'increment',
        rows: 50,
        sections: 7
      })
      expect(await expectSame(flow)).toBe(50)
      expect(await flow.standby.query('SELECT min(n) AS n FROM message_3')).toEqual([{ n: 1 }])
    })
  })

  test('of an empty source makes nothing, and is done again when there are rows', async () => {
    await withFlow({}, async flow => {
      const empty = { mode: 'bootstrap', rows: 0, sections: 0, chunks: 0, cursor: null, notes: [] }
      expect(plain(await copySections(flow.options))).toEqual(empty)
      expect(plain(await copySections(flow.options))).toEqual(empty)
      await flow.main.exec(messages(1, 10))
      expect(plain(await copySections(flow.options))).toMatchObject({
        mode: 'bootstrap',
        rows: 10,
        sections: 7
      })
      expect(await expectSame(flow)).toBe(10)
    })
  })

  test('whose procedure fails for one object leaves nothing, and names the row', async () => {
    const standby = checkSection().replace(
      'IF to_regclass',
      `IF (r->>'object_id') = '5' THEN
      RAISE EXCEPTION 'five is out' USING ERRCODE = 'P0005', HINT = 'Take six.'; END IF; IF to_regclass`
    )
    await withFlow({ main: messages(1, 50), standby }, async flow => {
      const error = await failure(flow.options)
      expect(error).toBeInstanceOf(DataError)
      expect(error.message).toBe(
        'public.check_section failed for the row object_id = 5, created_id = 5: five is out'
      )
      expect(error).toMatchObject({ sqlstate: 'P0005', hint: 'Take six.' })
      expect(await remains(flow.standby)).toEqual([])
    })
  })

  test('whose procedure makes no section, or a shared one, names the objects and leaves nothing', async () => {
    const standby = checkSection().replace(
      'BEGIN',
      `BEGIN IF (r->>'object_id')::int = 2 THEN RETURN; END IF;
      IF (r->>'object_id')::int = 6 THEN section := 'message_1'; END IF;`
    )
    await withFlow({ main: messages(1, 50), standby }, async flow => {
      const error = await failure(flow.options)
      expect(error).toBeInstanceOf(DataError)
      expect(error.message).toBe(
        'public.check_section made 5 tables like message\\_% for 7 values of object_id: none for object_id = 2, 6'
      )
      expect(await remains(flow.standby)).toEqual([])
    })
  })

  test('names no more than twenty objects', async () => {
    const standby = checkSection().replace('BEGIN', 'BEGIN RETURN;')
    await withFlow({ main: messages(1, 50, { objects: 30 }), standby }, async flow => {
      const { message } = await failure(flow.options)
      expect(message).toMatch(/0 tables .* for 30 values .*: none for object_id = 0, 1, .*, 19 and more$/)
    })
  })

  test('whose procedure makes more tables than one for an object is an error that names tables', async () => {
    const standby = checkSection().replace(
      'END $$',
      () => `EXECUTE format('CREATE TABLE IF NOT EXISTS %I ()', section || '_log'); END $$`
    )
    await withFlow({ main: messages(1, 50, { objects: 2 }), standby }, async flow => {
      const { message } = await failure(flow.options)
      expect(message).toMatch(
        /made 4 tables .* for 2 values of object_id: among them public.message_0, public.message_0_log/
      )
      expect(await remains(flow.standby)).toEqual([])
    })
  })

  test('empties no table that it did not make, whether there before or made meanwhile by others', async () => {
    // The procedure waits until the test has made another table, in a transaction of its own.
    const standby = `${checkSection().replace('BEGIN', 'BEGIN PERFORM pg_advisory_xact_lock_shared(7);')};
      CREATE TABLE message_templates (id int); INSERT INTO message_templates VALUES (1), (2)`
    await withFlow({ main: messages(1, 30), standby }, async flow => {
      await flow.standby.exec('SELECT pg_advisory_lock(7)')
      const run = copySections(flow.options)
      await until(() => isWaiting(flow.standby))
      await flow.standby.exec(`CREATE TABLE message_other (id int); INSERT INTO message_other VALUES (3);
        SELECT pg_advisory_unlock(7)`)
      expect(plain(await run)).toMatchObject({ mode: 'bootstrap', rows: 30, sections: 8 })
      expect(await flow.standby.query('TABLE message_templates')).toEqual([{ id: 1 }, { id: 2 }])
      expect(await flow.standby.query('TABLE message_other')).toEqual([{ id: 3 }])
      await flow.standby.exec('DROP TABLE message_templates, message_other')
      expect(await expectSame(flow)).toBe(30)
    })
  })

  test('is done again where the sections were dropped, and all rows are sent again', async () => {
    await withFlow(
      { main: messages(1, 30), standby: `${checkSection()}; CREATE TABLE message_templates ()` },
      async flow => {
        expect(plain(await copySections(flow.options))).toMatchObject({ mode: 'bootstrap', sections: 7 })
        for (const name of await sectionNames(flow.standby, 'message\\__'))
          await flow.standby.exec(`DROP TABLE ${name}`)
        const again = await copySections(flow.options)
        expect(again).toMatchObject({ mode: 'bootstrap', rows: 30, sections: 7 })
        expect(again.notes).toEqual([expect.stringMatching(/are gone: they are made anew/)])
        await flow.standby.exec('DROP TABLE message_templates')
        expect(await expectSame(flow)).toBe(30)
      }
    )
  })
})
