/** What is refused before anything is changed. */
import { describe, expect, test } from 'vitest'
import type { SectionsOptions } from '../../../src/copy/sections/config.js'
import { copySections } from '../../../src/copy/sections/sections.js'
import { ConfigError, GuardError } from '../../../src/core/errors.js'
import { createRole } from '../../support/roles.js'
import { checkSection, failure, messages, remains, withFlow } from './messages.js'

describe('is refused', () => {
  test('with every fault of its settings at once, before any connection', async () => {
    const error = await failure({
      main: '',
      standby: 'postgres://nowhere.invalid/x',
      chunkSize: 0,
      sourceTable: 'a.b.c',
      cursor: 'x y',
      procedure: '',
      sectionKey: 'a.b',
      sectionTables: 'message\\',
      settleTimeout: Number.NaN
    })
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message.split('\n').map(line => line.split(' ')[0])).toEqual([
      'no', 'chunkSize', 'settleTimeout', 'sourceTable', 'sectionKey', 'cursor', 'procedure', 'sectionTables'
    ]) // prettier-ignore
  })

  test.each<[string, Partial<SectionsOptions>, string]>([
    ['a table that is not there', { sourceTable: 'device.mesages' }, 'main has no table device.mesages'],
    ['a column that is not there', { cursor: 'id' }, 'device.messages on main has no column "id"'],
    ['a cursor without an order', { cursor: 'mes_json' }, 'has a type without an order'],
    ['a procedure that is not there', { procedure: 'chek' }, 'the standby has no procedure chek(json, …)'],
    ['one that takes no json', { procedure: 'format' }, 'the standby has no procedure format(json, …)'],
    ['a pattern that every table fits', { sectionTables: 'public.%' }, 'that not every table fits']
  ])('%s', async (_, wrong, message) => {
    await withFlow({ main: 'ALTER TABLE device.messages ADD mes_json json' }, async flow => {
      const error = await failure({ ...flow.options, ...wrong })
      expect(error).toBeInstanceOf(ConfigError)
      expect(error.message).toContain(message)
      expect(await remains(flow.standby)).toEqual([])
    })
  })

  test('rows without a cursor', async () => {
    await withFlow(
      {
        cursor: 'bigint',
        main: `${messages(1, 5)}; UPDATE device.messages SET created_id = NULL WHERE mes_id = 3`
      },
      async flow => {
        expect((await failure(flow.options)).message).toBe(
          'rows of device.messages have no cursor ("created_id" is null)'
        )
        expect(await remains(flow.standby)).toEqual([])
      }
    )
  })

  test('main as its own standby', async () => {
    await withFlow({}, async ({ options }) => {
      expect((await failure({ ...options, standby: options.main })).message).toMatch(
        /^main and standby are the same database/
      )
    })
  })

  test('a record of another main, or of another cursor, with the way to accept it', async () => {
    await withFlow({ main: messages(1, 5) }, async flow => {
      await copySections(flow.options)
      const other = await failure({ ...flow.options, cursor: 'mes_id' })
      expect(other).toBeInstanceOf(GuardError)
      expect(other.message).toMatch(/copied along created_id, not along mes_id/)
      await flow.standby.exec(`UPDATE pgsyncer.sections SET source = 'elsewhere:5432/x'`)
      const elsewhere = await failure(flow.options)
      expect(elsewhere).toBeInstanceOf(GuardError)
      expect(elsewhere.message).toMatch(/are from elsewhere:5432\/x, not from /)
      await flow.standby.exec(elsewhere.hint!.slice(elsewhere.hint!.indexOf('UPDATE')))
      expect(await copySections(flow.options)).toMatchObject({ mode: 'increment', rows: 0 })
    })
  })

  test('for want of rights, with what is wanted', async () => {
    const standby = `${checkSection()}; REVOKE CREATE ON SCHEMA public FROM PUBLIC`
    await withFlow({ main: messages(1, 5), standby }, async flow => {
      const reader = await createRole(flow.main, 'reader')
      const writer = await createRole(flow.standby, 'writer')
      const options = { main: reader.url(flow.main), standby: writer.url(flow.standby) }
      const grants = [
        {
          on: flow.main,
          grant: `USAGE ON SCHEMA device TO ${reader.name}`,
          wants: /^main has no table device.messages|^main: permission denied for schema/
        },
        {
          on: flow.main,
          grant: `SELECT ON device.messages TO ${reader.name}`,
          wants: /^main: permission denied for table messages/
        },
        {
          on: flow.standby,
          grant: `CREATE ON SCHEMA public TO ${writer.name}`,
          wants:
            /^public.check_section failed for the row object_id = 1, .*permission denied for schema public/
        },
        {
          on: flow.standby,
          grant: `SELECT ON section_template TO ${writer.name}`,
          wants: /permission denied for table section_template/
        },
        {
          on: flow.standby,
          grant: `CREATE ON DATABASE ${flow.standby.name} TO ${writer.name}`,
          wants: /^the standby’s record \(schema pgsyncer\) cannot be written/
        }
      ]
      for (const { on, grant, wants } of grants) {
        const error = await failure(options)
        expect(error.message).toMatch(wants)
        expect(error.hint).toBeTruthy()
        expect(await remains(flow.standby)).toEqual([])
        await on.exec(`GRANT ${grant}`)
      }
      expect(await copySections(options)).toMatchObject({ rows: 5, sections: 5 })
      await flow.main.exec(`DROP OWNED BY ${reader.name}; DROP ROLE ${reader.name}`)
      await flow.standby.exec(`DROP OWNED BY ${writer.name}; DROP ROLE ${writer.name}`)
    })
  })
})
