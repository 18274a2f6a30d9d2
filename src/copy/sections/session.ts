/** Opens what a run needs on both servers, holds it for this run alone, and closes it again whatever happens. */
import type { Emit } from '../../core/events.js'
import { stopOnAbort } from '../../postgres/backend.js'
import { openServer } from '../../postgres/connect.js'
import { refuseReadOnly, refuseSameDatabase } from '../../postgres/guards.js'
import { holdPart } from '../../postgres/locks.js'
import type { Role, Server } from '../../postgres/server.js'
import type { Sections } from './config.js'
import { findProcedure } from './procedure.js'
import { makeStage, type Run } from './run.js'
import { readSource } from './source.js'

export async function withRun<T>(
  config: Sections,
  emit: Emit,
  signal: AbortSignal,
  work: (run: Run) => Promise<T>
): Promise<T> {
  const closers: (() => Promise<void>)[] = []
  const open = async (role: Role) => {
    const server = await openServer(role, config[role], config.env, config)
    closers.push(() => server.close())
    return server
  }
  const session = async (server: Server) => {
    const client = await server.connect()
    const release = stopOnAbort(signal, server, client)
    closers.push(async () => {
      release()
      await client.end().catch(() => {})
    })
    return client
  }
  emit({ type: 'phase', phase: 'connect' })
  try {
    const mainServer = await open('main')
    const standbyServer = await open('standby')
    await refuseSameDatabase(mainServer, standbyServer)
    await refuseReadOnly(standbyServer)
    const main = await session(mainServer)
    await main.query('SET default_transaction_read_only = on')
    const source = await readSource(main, config)
    const standby = await session(standbyServer)
    // The procedure means by its names and times what it means elsewhere; how values are printed stays pinned.
    await standby.query('RESET search_path; RESET TimeZone; RESET row_security')
    const procedure = await findProcedure(standby, standbyServer, config)
    const subject = {
      sourceTable: source.name,
      procedure: procedure.name,
      cursorColumn: config.cursorColumn,
      source: mainServer.address
    }
    // By the session that writes, so that the lock and the means to write end together.
    await holdPart(standby, standbyServer, {
      name: `sections ${subject.sourceTable} ${subject.procedure}`,
      words: `${subject.sourceTable} into sections`
    })
    await makeStage(standby, procedure.takes)
    return await work({ config, main, standby, standbyServer, source, procedure, subject, emit, signal })
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
