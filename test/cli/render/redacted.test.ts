import { describe, expect, test } from 'vitest'
import { redacted } from '../../../src/cli/render/redacted.js'
import { lacksPassword, withoutPasswords } from '../../../src/schema/secretsql.js'
import { addSecret } from '../../../src/core/redact.js'
import { change, report } from '../reports.js'

describe('passwords in SQL', () => {
  test.each([
    [
      "CREATE USER MAPPING FOR me SERVER s OPTIONS (user 'me', password 'hun''ter2', password_required 'false');",
      "CREATE USER MAPPING FOR me SERVER s OPTIONS (user 'me', password '***', password_required 'false');"
    ],
    [
      "ALTER USER MAPPING FOR me SERVER s OPTIONS (SET \"password\" E'hun\\'ter2', ADD sslpassword 'hunter2');",
      "ALTER USER MAPPING FOR me SERVER s OPTIONS (SET \"password\" '***', ADD sslpassword '***');"
    ],
    [
      "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', secret_token 'hunter2');",
      "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', secret_token '***');"
    ],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'host=h dbname=d password=hunter2' PUBLICATION p WITH (connect = false, slot_name = 's');",
      "CREATE SUBSCRIPTION s CONNECTION 'host=h dbname=d password=***' PUBLICATION p WITH (connect = false, slot_name = 's');"
    ],
    [
      "ALTER SUBSCRIPTION s CONNECTION 'password = ''hunter2 '' host=h';",
      "ALTER SUBSCRIPTION s CONNECTION 'password =***';"
    ],
    [
      "CREATE SUBSCRIPTION s CONNECTION E'password=hunter2\\\\ x host=h' PUBLICATION p;",
      "CREATE SUBSCRIPTION s CONNECTION E'password=***' PUBLICATION p;"
    ],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'postgres://me:hun@ter2@h/d?application_name=x' PUBLICATION p;",
      "CREATE SUBSCRIPTION s CONNECTION 'postgres://me:***@h/d?application_name=x' PUBLICATION p;"
    ]
  ])('%s', (statement, expected) => {
    expect(withoutPasswords(statement)).toBe(expected)
    expect(lacksPassword(expected)).toBe(true)
  })

  test.each([
    "CREATE FUNCTION f(password text) RETURNS bool LANGUAGE sql AS $$SELECT password = 'hunter2'$$;",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (password <> '***');",
    "CREATE USER MAPPING FOR me SERVER s OPTIONS (user 'me');"
  ])('no other SQL is touched: %s', statement => {
    expect(withoutPasswords(statement)).toBe(statement)
    expect(lacksPassword(statement)).toBe(false)
  })

  test('in changes and in the script; a reason is a sentence, and its own rule holds', () => {
    addSecret('hunter2')
    const sql = "CREATE USER MAPPING FOR me SERVER hunter2 OPTIONS (password 'hunter2');"
    const statement = { sql, label: 'create USER MAPPING hunter2', hazards: [] }
    const one = redacted(
      report([], {
        schema: {
          identical: false,
          changes: [change({ sql: [sql, sql], reason: 'FATAL for hunter2' })],
          script: { outside: [statement], structure: [statement], constraints: [statement] }
        }
      })
    )
    const masked = "CREATE USER MAPPING FOR me SERVER hunter2 OPTIONS (password '***');"
    expect(one.schema.changes[0]).toMatchObject({ sql: [masked, masked], reason: 'FATAL for ***' })
    const parts = [one.schema.script!.outside, one.schema.script!.structure, one.schema.script!.constraints]
    expect(parts.flat().map(each => each.sql)).toEqual([masked, masked, masked])
  })
})
