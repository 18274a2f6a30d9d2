/**
 * Reads test/schema/cases/*.sql. A file is a kind of object; a case is what stands under `-- case: NAME`:
 *
 *   -- both       run on both servers
 *   -- main       … then on main only
 *   -- standby    … and on the standby only: its own DDL, and the rows that the sync must not lose
 *   -- keeps      queries on the standby, each with the same result before and after; with `--> (1,a) (2,b)` behind the
 *                 semicolon, with that result after
 *
 * Above the first section may stand `-- pgdump only: WHY` (above the first case: of the whole file), which the catalog
 * reader does not read; `-- equal: WHY`, where both dumps are the same beforehand; `-- clean rows`, where the rows that
 * main does not have must go for its constraints to hold; `-- unstable: WHY`, where main's own dump changes when it
 * is restored, so that the dumps of both, restored, are compared. `corpus_alice`, `corpus_bob`, `corpus_carol` are roles, and
 * `corpus_space` is a tablespace, made for the run.
 */
import { readdirSync, readFileSync } from 'node:fs'

export interface Keep {
  query: string
  gives?: string
}

export interface Case {
  /** `kind: name` */
  title: string
  both: string
  main: string
  standby: string
  keeps: Keep[]
  pgdumpOnly?: string
  equal?: string
  unstable?: string
  cleanRows: boolean
}

const folder = new URL('./cases/', import.meta.url)

export function readCases(): Case[] {
  const files = readdirSync(folder)
    .filter(name => name.endsWith('.sql'))
    .sort()
  const cases = files.flatMap(name =>
    parseCases(name.slice(0, -'.sql'.length), readFileSync(new URL(name, folder), 'utf8'))
  )
  const titles = new Set<string>()
  for (const { title } of cases) {
    if (titles.has(title)) throw new Error(`two cases are called ${title}`)
    titles.add(title)
  }
  return cases
}

export function parseCases(kind: string, text: string): Case[] {
  const [head, ...parts] = text.split(/^-- case: /m)
  return parts.map(part => {
    const end = part.indexOf('\n')
    return parseCase(`${kind}: ${part.slice(0, end)}`, `${head}\n${part.slice(end + 1)}`)
  })
}

function parseCase(title: string, text: string): Case {
  const [head, ...parts] = text.split(/^-- (?=(?:both|main|standby|keeps)$)/m)
  const made: Case = { title, both: '', main: '', standby: '', keeps: [], cleanRows: false }
  for (const line of head!.split('\n')) {
    const [, name, why] = /^-- (pgdump only|equal|unstable|clean rows)(?:: (.+))?$/.exec(line) ?? []
    if (name === 'clean rows') made.cleanRows = true
    else if (name === 'equal' && why) made.equal = why
    else if (name === 'unstable' && why) made.unstable = why
    else if (name === 'pgdump only' && why) made.pgdumpOnly = why
    else if (line.trim() && !line.startsWith('--')) throw new Error(`${title}: in no section: ${line}`)
  }
  for (const part of parts) {
    const name = part.slice(0, part.indexOf('\n')) as 'both' | 'main' | 'standby' | 'keeps'
    const body = part.slice(name.length + 1)
    if (name === 'keeps') made.keeps = parseKeeps(body)
    else made[name] = body
  }
  return made
}

function parseKeeps(text: string): Keep[] {
  return [...text.matchAll(/^(\S[\s\S]*?);(?: *--> ?(.*))?$/gm)].map(([, query, gives]) => {
    return gives === undefined ? { query: query! } : { query: query!, gives }
  })
}
