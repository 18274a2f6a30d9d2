/** Every stream that a ClickHouse database, or a state file, remembers, for whoever asks from outside. */
import type { FollowConfig } from '../../config.js'
import type { StoredStream } from '../../ports.js'
import { readStateFile } from '../../statefile.js'
import { openLink } from './link.js'
import { ident } from './names.js'
import { stateTable } from './state.js'

/** @throws ConfigError for a URL that cannot be used; ConnectionError; FollowError for a file that is none of ours. */
export async function readClickHouseStreams({ to, env, stateFile }: FollowConfig): Promise<StoredStream[]> {
  if (stateFile !== undefined) {
    const stored = await readStateFile(stateFile)
    if (!stored) return []
    const { stream, ...state } = stored
    return [{ name: stream, ...state, updated: null }]
  }
  const link = await openLink(to, env)
  try {
    const relation = `${ident(link.database)}.${ident(stateTable)}`
    const [[there] = []] = await link.rows(`EXISTS TABLE ${relation}`)
    if (there !== '1') return []
    const rows = await link.rows(
      `SELECT name, origin, position, tables FROM ${relation} ORDER BY name, version DESC LIMIT 1 BY name`
    )
    return rows.map(([name, origin, position, tables]) => ({
      name: name!,
      origin: origin!,
      position: position ?? null,
      tables: JSON.parse(tables!) as StoredStream['tables'],
      updated: null
    }))
  } finally {
    await link.close()
  }
}
