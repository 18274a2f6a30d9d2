/**
 * How a value is written. Each reader takes what a flag, a variable or a config file holds (text, or JSON's own
 * types) and gives the value, or says in a few words what was expected: `must be …`; where it names the faulty part
 * itself, it says so in other words. Ranges are sync/config.ts's.
 */
import { z } from 'zod'
import { hazards, type Hazard } from '../schema/change.js'
import { nearest } from './nearest.js'

const digits = z
  .string()
  .regex(/^[+-]?\d{1,15}$/)
  .transform(Number)
const whole = z.union([z.int(), digits])

/** Also Go's spellings. */
export const flag = z.union(
  [
    z.boolean(),
    z.stringbool({
      truthy: ['true', 't', '1', 'yes', 'on'],
      falsy: ['false', 'f', '0', 'no', 'off']
    })
  ],
  'must be true or false'
)

export const text = z.string('must be text').min(1, 'must not be empty')

export const integer = z.union([z.int(), digits], 'must be a whole number')

/** A whole number of a range that only the command line knows. */
export const integerOf = (low: number, high: number) => {
  const expected = `must be a whole number from ${low} to ${high}`
  return z.union([z.int(), digits], expected).refine(n => n >= low && n <= high, expected)
}

export const choice = <const T extends string>(...words: T[]) => z.enum(words, `must be ${oneOf(words)}`)

function oneOf(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words)
}

/** One or more; what stands alone is a list of one. */
export const list = (item: z.ZodType<string> = text) =>
  z.preprocess(value => (Array.isArray(value) ? value : [value]), z.array(item))

const units: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000
}
const durationShape = /^(?:\d+(?:\.\d+)?(?:ms|min|s|m|h|d))+$/
const expectedDuration = 'must be a duration such as 500ms, 5s or 2m (0: none)'

/** Milliseconds. A bare number is refused: libpq people mean milliseconds by it, everyone else seconds. */
export const duration = z.union(
  [
    z.literal([0, '0']).transform(() => 0),
    z.string().transform((value, context) => {
      const written = value.replaceAll(' ', '')
      if (!durationShape.test(written)) {
        context.addIssue({ code: 'custom', message: expectedDuration })
        return z.NEVER
      }
      const parts = written.matchAll(/([\d.]+)([a-z]+)/g)
      return Math.round([...parts].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit!] ?? 0), 0))
    })
  ],
  expectedDuration
)

const sizes: Record<string, number> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
const expectedRate = 'must be bytes a second such as 500kB, 20MB or 1GB (0: no limit)'

/** Bytes. A bare number is refused: to pg_basebackup it would be kilobytes. */
export const byteRate = z.union(
  [
    z.literal([0, '0']).transform(() => 0),
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,3})?\s*[kmg]b?$/i)
      .transform(value =>
        Math.round(Number.parseFloat(value) * sizes[/[kmg]/i.exec(value)![0].toLowerCase()]!)
      )
  ],
  expectedRate
)

/** `--clean-extra`, `--clean-extra=rows`, `--clean-extra=objects`. */
export const cleanExtra = z.union(
  [
    flag.transform(on => ({ rows: on, objects: on })),
    z.literal('rows').transform(() => ({ rows: true, objects: false })),
    z.literal('objects').transform(() => ({ rows: false, objects: true }))
  ],
  'must be true, false, rows or objects'
)

const allowable = [...hazards, 'all'] as const

/** `deletes-data`, `deletes-data,loses-grants`, `all`; or a list of such. */
export const hazardNames = z.unknown().transform((value, context): (Hazard | 'all')[] => {
  const words = [value].flat().flatMap(item => (typeof item === 'string' ? item.split(',') : [item]))
  const names = words.map(word => (typeof word === 'string' ? word.trim() : word)).filter(name => name !== '')
  const unknown = names.find(name => !allowable.some(known => known === name))
  if (unknown === undefined && names.length > 0) return names as (Hazard | 'all')[]
  const message =
    typeof unknown === 'string' ? unknownHazard(unknown) : `must be names of hazards, of ${oneOf(allowable)}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

function unknownHazard(name: string): string {
  return `knows no hazard ${JSON.stringify(name)}${nearest(name, allowable) || `: it takes ${oneOf(allowable)}`}`
}

/** Rows, or a share of the table. */
export const deleteGuard = z.union(
  [
    whole.transform(rows => ({ rows })),
    z
      .string()
      .regex(/^\d{1,3}(\.\d+)?%$/)
      .transform(share => ({ percent: Number.parseFloat(share) }))
  ],
  'must be a number of rows or a percentage such as 20%'
)

/** `table: rest`, the table as a psql pattern, in which a colon may stand only within double quotes. */
const named = /^\s*((?:"(?:[^"]|"")*"|[^":])+?)\s*:(?!:)\s*(\S.*?)\s*$/s

const split = <T>(expected: string, merge: (into: Map<string, T>, table: string, rest: string) => boolean) =>
  z.unknown().transform((value, context): Record<string, T> => {
    const result = new Map<string, T>()
    for (const [table, rest] of entries(value)) {
      if (table === undefined || rest === undefined || !merge(result, table, rest)) {
        context.addIssue({ code: 'custom', message: expected })
        return z.NEVER
      }
    }
    return Object.fromEntries(result)
  })

/** From `table: rest` texts, or from a config file's object of table → rest. */
function entries(value: unknown): (readonly [string | undefined, string | undefined])[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).map(([table, rest]) => [
      table,
      Array.isArray(rest) ? rest.join(',') : String(rest)
    ])
  }
  return [value].flat().map(item => {
    const found = named.exec(String(item))
    return [found?.[1], found?.[2]]
  })
}

/** `orders: created_at > now()`: each table once. */
export const rowFilters = split<string>(
  "must be written 'table: condition', each table once",
  (into, table, rest) => {
    if (into.has(table)) return false
    into.set(table, rest)
    return true
  }
)

/** `orders: note, "Shown At"`: as in SQL, a name without quotes is lower case. */
export const columnNames = split<string[]>("must be written 'table: column, column'", (into, table, rest) => {
  const found = [...rest.matchAll(/\s*("(?:[^"]|"")+"|[^",]+?)\s*(?:,|$)/gy)]
  if (found.map(([all]) => all).join('') !== rest) return false
  into.set(table, [...(into.get(table) ?? []), ...found.map(([, name]) => unquote(name!))])
  return true
})

function unquote(name: string): string {
  if (name.startsWith('"')) return name.slice(1, -1).replaceAll('""', '"')
  return name.replace(/[A-Z]/g, letter => letter.toLowerCase())
}

const endings = ['.html', '.json', '.sql', '.txt'] as const

/** A report's file, of a kind that its ending names. */
export const reportFile = text.refine(
  path => endings.some(ending => path.toLowerCase().endsWith(ending)),
  `must end in ${oneOf(endings)}`
)
