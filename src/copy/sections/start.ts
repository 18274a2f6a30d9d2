/**
 * Where a run begins: without sections, by making them; with a record, where it says; with sections that have no
 * record (another program filled them), after the greatest cursor that is found in them.
 */
import type pg from 'pg'
import { beginRecord, readRecord, type SectionsRecord } from './record.js'
import { transaction, type Run } from './run.js'
import { greatest } from './source.js'
import { matchingTables, type SectionTable } from './tables.js'

export interface Start {
  mode: 'bootstrap' | 'increment'
  /** Where the increment begins. */
  cursor: string | null
  note?: string
}

/** Counts the sections, and decides. What it decides for an increment is in the record when it returns. */
export async function findStart(run: Run): Promise<Start> {
  const { standby, standbyServer, config, subject } = run
  const tables = await matchingTables(standby, standbyServer, config)
  const record = await readRecord(standby, subject)
  const sections = sectionsAmong(tables, record)
  if (record && sections.length > 0) return { mode: 'increment', cursor: record.cursor }
  if (sections.length === 0) {
    const sent = record !== undefined && record.cursor !== null
    return {
      mode: 'bootstrap',
      cursor: null,
      ...(sent && {
        note: `the sections of ${subject.sourceTable} are gone: they are made anew, and all rows sent again`
      })
    }
  }
  const found: SectionsRecord = {
    cursor: await greatestCursor(run, sections),
    others: tables.filter(table => !table.hasCursor).map(table => table.name)
  }
  await transaction(run, 'READ COMMITTED', () => beginRecord(standby, subject, found))
  const where = found.cursor === null ? 'from the start' : `after ${config.cursorColumn} = ${found.cursor}`
  return {
    mode: 'increment',
    cursor: found.cursor,
    note: `the standby has sections and no record of them: going on ${where}, as found in them`
  }
}

/** Of the tables that fit, those that are sections: not there before the others, or, without a record, with a cursor. */
export function sectionsAmong(
  tables: readonly SectionTable[],
  record: SectionsRecord | undefined
): SectionTable[] {
  if (!record) return tables.filter(table => table.hasCursor)
  return tables.filter(table => !record.others.includes(table.name))
}

/** Cursors that are compared by one statement of main. */
const batch = 10_000

/**
 * The greatest cursor in the sections, as main orders them. Where the standby would order them otherwise (text, an
 * extension's type, a column of another type), it reads all of them out, and main compares.
 */
async function greatestCursor(run: Run, sections: readonly SectionTable[]): Promise<string | null> {
  const { main, standby, source } = run
  const column = source.cursor
  const candidates: string[] = []
  const add = async (found: readonly string[]) => {
    candidates.push(...found)
    if (candidates.length >= batch)
      candidates.splice(0, candidates.length, (await greatest(main, source, candidates))!)
  }
  for (const section of sections) {
    run.signal.throwIfAborted()
    if (source.ordersAlike && (await typeOf(standby, section, run)) === source.type) {
      await add(
        await texts(
          standby,
          `SELECT ${column}::text FROM ${section.name} t WHERE ${column} IS NOT NULL ORDER BY ${column} DESC LIMIT 1`
        )
      )
    } else
      await readAll(
        run,
        `SELECT DISTINCT ${column}::text FROM ${section.name} t WHERE ${column} IS NOT NULL`,
        add
      )
  }
  return greatest(main, source, candidates)
}

async function typeOf(
  standby: pg.Client,
  section: SectionTable,
  { config }: Run
): Promise<string | undefined> {
  const { rows } = await standby.query<{ type: string }>(
    `SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) AS type FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attname = $2`,
    [section.oid, config.cursorColumn]
  )
  return rows[0]?.type
}

async function texts(client: pg.Client, query: string): Promise<string[]> {
  const { rows } = await client.query<[string]>({ text: query, rowMode: 'array' })
  return rows.map(([text]) => text)
}

async function readAll(run: Run, query: string, take: (found: string[]) => Promise<void>): Promise<void> {
  await transaction(run, 'READ COMMITTED', async () => {
    await run.standby.query(`DECLARE pgsyncer_cursors NO SCROLL CURSOR FOR ${query}`)
    for (;;) {
      run.signal.throwIfAborted()
      const found = await texts(run.standby, `FETCH ${batch} FROM pgsyncer_cursors`)
      if (found.length === 0) break
      await take(found)
    }
    await run.standby.query('CLOSE pgsyncer_cursors')
  })
}
