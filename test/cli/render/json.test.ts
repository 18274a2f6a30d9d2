import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { renderJson } from '../../../src/cli/render/json.js'
import type { CheckReport } from '../../../src/sync/check.js'
import { full, report, tableReport } from '../reports.js'

type Schema = Record<string, unknown>

/** The published schema lets later versions add fields; here a field that it does not name is a fault. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const parts = Object.fromEntries(
    Object.entries(schema).map(([name, part]) => [name, strict(part)])
  ) as Schema
  return parts.type === 'object' && parts.properties && !('additionalProperties' in parts)
    ? { ...parts, additionalProperties: false }
    : parts
}

const published = JSON.parse(readFileSync('docs/report.schema.json', 'utf8')) as Schema
const ajv = new Ajv2020({ strict: true, strictRequired: true, allowUnionTypes: true, allErrors: true })
const validate = ajv.compile(strict(published) as Schema)

function errors(document: unknown): unknown {
  return validate(document) ? [] : validate.errors
}

describe('docs/report.schema.json', () => {
  const everything = report(
    [...full.tables, tableReport({ left: 2, overriding: true, generated: ['total'], key: [] })],
    { ...full, command: 'sync', cut: { snapshot: null, lsn: null, time: 'now' }, failures: ['view v'] }
  )

  const preflight: CheckReport = {
    version: 1,
    command: 'check',
    ok: false,
    findings: [{ level: 'error', check: 'x', message: 'y', hint: 'z' }]
  }

  test.each([
    ['diff', full],
    ['sync', everything],
    ['check', preflight]
  ])('%s is valid as it is printed', (_name, document) => {
    expect(errors(JSON.parse(renderJson(document)))).toEqual([])
  })

  test.each([
    ['another version', { ...full, version: 2 }],
    ['a field that it does not name', { ...full, extra: 1 }],
    ['an unknown status', { ...full, tables: [tableReport({ status: 'odd' as 'failed' })] }],
    ['a part that is missing', { ...full, totals: undefined }]
  ])('%s is not', (_name, document) => {
    expect(errors(JSON.parse(JSON.stringify(document)))).not.toEqual([])
  })
})
