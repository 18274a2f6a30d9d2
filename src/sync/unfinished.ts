/**
 * A mark on the standby while its structure is being changed, so that a run that was stopped in between is told by the
 * next one. It is a help and no condition: without the right to make it, nothing is marked.
 */
import type { Server } from '../postgres/server.js'
import { unheard } from '../postgres/unheard.js'

/** When a run began whose structure is not whole yet; undefined: none did. */
export async function unfinishedStructure(standby: Server): Promise<string | undefined> {
  if (!(await isMarked(standby))) return undefined
  const [row] = await standby.sql<
    { began: string }[]
  >`SELECT began::text AS began FROM pgsyncer.structure_run`
  return row?.began
}

async function isMarked({ sql }: Server): Promise<boolean> {
  const [there] = await sql<{ found: boolean }[]>`
    SELECT pg_catalog.to_regclass('pgsyncer.structure_run') IS NOT NULL AS found`
  return there!.found
}

/** @param replica the role may set session_replication_role. */
export async function beginStructure(standby: Server, replica: boolean): Promise<void> {
  try {
    const [there] = await standby.sql<{ absent: boolean }[]>`
      SELECT pg_catalog.to_regnamespace('pgsyncer') IS NULL AS absent`
    await unheard(
      standby,
      replica,
      'CREATE SCHEMA IF NOT EXISTS pgsyncer',
      'CREATE TABLE IF NOT EXISTS pgsyncer.structure_run (began timestamptz NOT NULL, made_schema boolean NOT NULL)',
      `INSERT INTO pgsyncer.structure_run SELECT pg_catalog.now(), ${there!.absent}
       WHERE NOT EXISTS (SELECT 1 FROM pgsyncer.structure_run)`
    )
  } catch {
    // Nothing is marked.
  }
}

/** Takes the mark away, and the schema where it was made for it and nothing else is in it. */
export async function endStructure(standby: Server, replica: boolean): Promise<void> {
  const drop = (what: string) => unheard(standby, replica, `DROP ${what}`)
  try {
    if (!(await isMarked(standby))) return
    const [mark] = await standby.sql<
      { made: boolean }[]
    >`SELECT pg_catalog.to_json(r)->>'made_schema' IS DISTINCT FROM 'false' AS made FROM pgsyncer.structure_run r`
    await drop('TABLE pgsyncer.structure_run')
    if (mark?.made) await drop('SCHEMA pgsyncer RESTRICT')
  } catch {
    // It stays, or something else is in the schema.
  }
}
