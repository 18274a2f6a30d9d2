/**
 * The user's procedure or function that stores one row, and the one statement that calls it for every row of the
 * stage. Rule: one call a row, in the rows' order, with the search_path that the role has elsewhere; the row is the first
 * argument, NULL each further one, and what has a default keeps it.
 */
import type pg from 'pg'
import { ConfigError, DataError, messageOf } from '../../core/errors.js'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import type { Sections } from './config.js'

export interface Procedure {
  /** Quoted where it needs quotes: for people and for the record. */
  name: string
  /** The type of its first argument. */
  takes: 'json' | 'jsonb'
  /** PL/pgSQL that calls it for the variable `v`. */
  call: string
  /** PL/pgSQL declarations of the variables that take what it gives back. */
  variables: string
}

interface Argument {
  name: string
  type: string
  /** i in, o out, b both, v variadic. */
  mode: string
  optional: boolean
}

interface Candidate {
  schema: string
  routine: string
  name: string
  procedure: boolean
  takes: 'json' | 'jsonb'
  /** All but the first. */
  rest: Argument[]
}

/** Rows of the stage table, in the order in which COPY wrote them: a temporary table is read from its start. */
export const stage = 'pg_temp.pgsyncer_rows'

/**
 * Finds it as a call in `client` would.
 * @throws ConfigError where there is none that takes json or jsonb first, or more than one as good as the other.
 */
export async function findProcedure(
  client: pg.Client,
  standby: Server,
  config: Sections
): Promise<Procedure> {
  const { rows } = await client.query<Candidate>(candidates(standby, config))
  const [best, next] = rows
  const hint = 'It takes the row as json or jsonb first; what follows is given NULL, or its own default.'
  if (!best) throw new ConfigError(`the standby has no procedure ${config.procedure}(json, …)`, { hint })
  if (next && next.takes === best.takes && next.rest.length === best.rest.length) {
    throw new ConfigError(
      `the standby has more than one procedure ${config.procedure}(${best.takes}, …) with as many arguments`,
      { hint: 'Name it with its schema, or drop the one that is not meant.' }
    )
  }
  return { name: best.name, takes: best.takes, ...callOf(best) }
}

/** json before jsonb, few arguments before many. */
function candidates(standby: Server, { routine }: Sections): string {
  const kind = standby.can.procedures ? `p.prokind IN ('f', 'p')` : 'NOT p.proisagg AND NOT p.proiswindow'
  const place =
    routine.schema === undefined
      ? 'pg_catalog.pg_function_is_visible(p.oid)'
      : `n.nspname = ${literal(routine.schema)}`
  return `
    SELECT n.nspname AS schema, p.proname AS routine, pg_catalog.format('%I.%I', n.nspname, p.proname) AS name,
      ${standby.can.procedures ? `p.prokind = 'p'` : 'false'} AS procedure, p.proargtypes[0]::regtype::text AS takes,
      pg_catalog.to_json(ARRAY(
        SELECT pg_catalog.json_build_object('name', coalesce(a.name, ''), 'type', pg_catalog.format_type(a.type, NULL),
          'mode', a.mode, 'optional', a.place > p.pronargs - p.pronargdefaults)
        FROM (SELECT u.type, coalesce(p.proargmodes[u.i]::text, 'i') AS mode, p.proargnames[u.i] AS name, u.i,
            pg_catalog.count(*) FILTER (WHERE coalesce(p.proargmodes[u.i]::text, 'i') IN ('i', 'b', 'v')) OVER (ORDER BY u.i) AS place
          FROM pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u(type, i)) a
        WHERE a.i > 1 AND a.mode <> 't' ORDER BY a.i)) AS rest
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proname = ${literal(routine.name)} AND ${kind} AND ${place}
      AND p.proargtypes[0] IN ('json'::regtype, 'jsonb'::regtype)
    ORDER BY p.proargtypes[0], p.pronargs, 3`
}

function callOf({ schema, routine, procedure, rest }: Candidate): Pick<Procedure, 'call' | 'variables'> {
  const values = ['v']
  const variables: string[] = []
  let named = false
  rest.forEach(({ name, type, mode, optional }, i) => {
    const out = mode === 'o' || mode === 'b'
    // A function's OUT arguments are no part of its call; a procedure's must be given a place to go to.
    if (mode === 'o' && !procedure) return
    if (optional && mode !== 'o' && !(procedure && out)) {
      named = true
      return
    }
    if (procedure && out) variables.push(`o${i} ${type};`)
    const value = procedure && out ? `o${i}` : `${mode === 'v' ? 'VARIADIC ' : ''}NULL::${type}`
    // What follows an argument that was left out is found by its name alone.
    values.push(named ? `${ident(name)} => ${value}` : value)
  })
  // What a call gave back is not the next one's argument.
  const clear = variables.map(variable => `${variable.split(' ')[0]} := NULL; `).join('')
  return {
    call: `${clear}${procedure ? 'CALL' : 'PERFORM'} ${qualified(schema, routine)}(${values.join(', ')});`,
    variables: variables.join(' ')
  }
}

/** A failure of the procedure is raised again with the row's key and cursor, under this name. */
const mark = 'pgsyncer.row'

/**
 * Calls it for each row of the stage. Where it fails, PostgreSQL's own error comes back with the row that it was for.
 * @param each PL/pgSQL after each call, with the row in `v`, and `declare` for its variables.
 */
export function callForEach(procedure: Procedure, config: Sections, each = '', declare = ''): string {
  const field = (name: string) => `coalesce(v OPERATOR(pg_catalog.->>) ${literal(name)}, 'null')`
  return `DO ${literal(`
DECLARE v ${procedure.takes}; detail text; hint text; context text; ${procedure.variables} ${declare}
BEGIN
  FOR v IN SELECT s.v FROM ${stage} s LOOP
    ${procedure.call} ${each}
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
  RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM, HINT = hint,
    DETAIL = detail || E'\\n' || context, SCHEMA = ${literal(mark)}, TABLE = ${field(config.keyColumn)}, COLUMN = ${field(config.cursorColumn)};
END`)}`
}

/** The same error in words that name the row; any other error as it is. */
export function explainCall(error: unknown, procedure: Procedure, config: Sections): unknown {
  const said = error as { schema?: string; table?: string; column?: string; code?: string; hint?: string }
  if (said.schema !== mark) return error
  const row = `${config.keyColumn} = ${said.table}, ${config.cursorColumn} = ${said.column}`
  return new DataError(`${procedure.name} failed for the row ${row}: ${messageOf(error)}`, {
    cause: error,
    ...(said.code && { sqlstate: said.code }),
    hint:
      hintOf(said.code) ??
      (said.hint || 'Nothing of its chunk was stored. Mend the procedure or the row, and run again.')
  })
}

function hintOf(code: string | undefined): string | undefined {
  if (code === '2D000')
    return 'The procedure must leave COMMIT and ROLLBACK to the caller: rows and cursor are one transaction.'
  if (code === '53200')
    return 'A transaction locks every section that it makes or writes: raise max_locks_per_transaction on the standby, or lower the chunk size.'
  return undefined
}
