/**
 * Makes the empty sections: one row of each key goes to the procedure, the tables that it made are counted against the
 * rows, and emptied again. All in one transaction, of which either everything remains or nothing.
 *
 * The transaction is REPEATABLE READ, so that a table is new in it only if the procedure made it: what another
 * session makes meanwhile is not seen, not counted and not emptied.
 */
import { DataError } from '../../core/errors.js'
import { literal } from '../../postgres/quote.js'
import { beginRecord } from './record.js'
import { fetchRows, storeRows, transaction, type Run } from './run.js'
import { onePerKey } from './source.js'
import { matchCondition, matchingTables, type SectionTable } from './tables.js'

/** Missing sections that an error names. */
const shown = 20

/** Makes and records the sections; returns how many. */
export async function bootstrap(run: Run): Promise<number> {
  const { standby, standbyServer, config, source, emit } = run
  const label = `sections of ${source.name}`
  emit({ type: 'phase', phase: 'copy' })
  emit({ type: 'table-start', table: label, rows: -1 })
  const made = await transaction(run, 'REPEATABLE READ', async () => {
    const before = await matchingTables(standby, standbyServer, config)
    const sent = await fetchRows(run, onePerKey(source))
    await standby.query('SAVEPOINT sent')
    await storeRows(run)
    const sections = newTables(before, await matchingTables(standby, standbyServer, config))
    if (sections.length !== sent) throw await mismatch(run, sent, sections)
    if (sent > 0) {
      await standby.query(`TRUNCATE TABLE ${sections.map(table => table.name).join(', ')} RESTART IDENTITY`)
    }
    await beginRecord(standby, run.subject, { cursor: null, others: before.map(table => table.name) })
    return sent
  })
  emit({ type: 'rows', table: label, rows: made })
  emit({ type: 'table-end', table: label, status: 'synced' })
  return made
}

function newTables(before: readonly SectionTable[], after: readonly SectionTable[]): SectionTable[] {
  const known = new Set(before.map(table => table.oid))
  return after.filter(table => !known.has(table.oid))
}

/** What the counts do not show: which keys have no section. Each row is sent once more, the tables counted after it. */
async function mismatch(run: Run, sent: number, sections: readonly SectionTable[]): Promise<DataError> {
  const { standby, standbyServer, config, procedure, source } = run
  await standby.query('ROLLBACK TO SAVEPOINT sent')
  const count = `SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${matchCondition(standbyServer, config)}`
  const key = `coalesce(v OPERATOR(pg_catalog.->>) ${literal(config.keyColumn)}, 'null')`
  // One more than is shown, to know whether there are more.
  const each = `after := (${count});
    IF after <= last THEN
      missing := missing || ${key};
      PERFORM pg_catalog.set_config('pgsyncer.missing', pg_catalog.to_json(missing)::text, true);
      EXIT WHEN pg_catalog.array_length(missing, 1) > ${shown};
    END IF;
    last := after;`
  await standby.query(`SELECT pg_catalog.set_config('pgsyncer.missing', '[]', true)`)
  await storeRows(run, each, `last bigint := (${count}); after bigint; missing text[] := '{}';`)
  const { rows } = await standby.query<{ missing: string }>(
    `SELECT pg_catalog.current_setting('pgsyncer.missing') AS missing`
  )
  const missing = JSON.parse(rows[0]!.missing) as string[]
  const names =
    missing.length > 0
      ? `none for ${config.keyColumn} = ${list(missing)}`
      : `among them ${list(sections.map(table => table.name))}`
  return new DataError(
    `${procedure.name} made ${sections.length} tables like ${config.sectionTables} for ${sent} values of ${config.keyColumn}: ${names}`,
    {
      table: source.name,
      hint: 'Nothing was kept. Every value must get one new table of its own whose name fits the pattern.'
    }
  )
}

function list(names: readonly string[]): string {
  return names.slice(0, shown).join(', ') + (names.length > shown ? ' and more' : '')
}
