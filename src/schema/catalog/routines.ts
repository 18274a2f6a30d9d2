/** Functions, procedures and aggregates. */
import { type Acl, addAcl } from './acl.js'
import { classes, free, type Reading } from './items.js'
import { dollars, setting, text } from './text.js'

interface Aggregate {
  kind: string
  sfunc: string
  stype: string
  sspace: number
  init: string | null
  final: string | null
  finalExtra: boolean
  finalModify: string
  combine: string | null
  serial: string | null
  deserial: string | null
  msfunc: string | null
  minv: string | null
  mstype: string | null
  msspace: number
  minit: string | null
  mfinal: string | null
  mfinalExtra: boolean
  mfinalModify: string
  sort: string | null
}

interface RoutineRow extends Acl {
  oid: number
  schema: string
  name: string
  owner: string
  kind: 'f' | 'p' | 'w' | 'a'
  args: string
  identity: string
  types: string
  result: string | null
  language: string
  transforms: string[] | null
  volatile: string
  strict: boolean
  definer: boolean
  leakproof: boolean
  parallel: string
  cost: number
  rows: number
  set: boolean
  support: string | null
  config: string[] | null
  source: string
  binary: string | null
  body: string | null
  aggregate: Aggregate | null
}

export async function readRoutines(reading: Reading): Promise<void> {
  const { quote, items } = reading
  const rows = await reading.query<RoutineRow>(routinesQuery(reading), [reading.schemas])
  for (const row of rows) {
    const path = reading.path(row.schema, row.name)
    const aggregate = row.kind === 'a'
    const kind = aggregate ? 'AGGREGATE' : row.kind === 'p' ? 'PROCEDURE' : 'FUNCTION'
    const star = (list: string) => (aggregate && list === '' ? '*' : list)
    const full = `${path}(${star(row.identity)})`
    const item = items.add({
      kind,
      catalog: classes.proc,
      oid: row.oid,
      schema: row.schema,
      name: `${row.name}(${star(row.types)})`,
      owner: row.owner,
      definition: aggregate
        ? aggregateText(row, `${path}(${star(row.args)})`)
        : routineText(reading, row, `CREATE ${kind} ${path}(${row.args})`),
      drop: `DROP ${kind} ${full};\n`,
      label: { kind, tag: `${quote(row.name)}(${star(row.identity)})`, sql: full }
    })
    addAcl(reading, item, kind === 'PROCEDURE' ? kind : 'FUNCTION', row, `${path}(${row.identity})`)
  }
}

function routineText({ quote }: Reading, row: RoutineRow, head: string): string {
  const usualCost = row.language === 'internal' || row.language === 'c' ? 1 : 100
  const words = [
    `LANGUAGE ${quote(row.language)}`,
    row.transforms && `TRANSFORM ${row.transforms.map(type => `FOR TYPE ${type}`).join(', ')}`,
    row.kind === 'w' && 'WINDOW',
    row.volatile === 'i' ? 'IMMUTABLE' : row.volatile === 's' && 'STABLE',
    row.strict && 'STRICT',
    row.definer && 'SECURITY DEFINER',
    row.leakproof && 'LEAKPROOF',
    row.cost !== usualCost && `COST ${row.cost}`,
    row.set && row.rows > 0 && row.rows !== 1000 && `ROWS ${row.rows}`,
    row.support && `SUPPORT ${row.support}`,
    row.parallel === 's' ? 'PARALLEL SAFE' : row.parallel === 'r' && 'PARALLEL RESTRICTED'
  ].filter(Boolean)
  return [
    head,
    row.result === null ? '' : ` RETURNS ${row.result}`,
    `\n    ${words.join(' ')}`,
    ...(row.config ?? []).map(assignment => `\n    SET ${setting(quote, assignment)}`),
    `\n    ${bodyOf(row)};\n`
  ].join('')
}

function bodyOf({ body, binary, source }: RoutineRow): string {
  if (body !== null) return body
  if (binary !== null) return `AS ${text(binary)}${source === '-' ? '' : `, ${text(source)}`}`
  return `AS ${dollars(source)}`
}

const modes: Record<string, string> = { r: 'READ_ONLY', s: 'SHAREABLE', w: 'READ_WRITE' }

function aggregateText({ aggregate, parallel }: RoutineRow, path: string): string {
  const a = aggregate!
  const usual = a.kind === 'n' ? 'r' : 'w'
  const lines = [
    `SFUNC = ${a.sfunc}`,
    `STYPE = ${a.stype}`,
    a.sspace && `SSPACE = ${a.sspace}`,
    a.init !== null && `INITCOND = ${text(a.init)}`,
    a.final && `FINALFUNC = ${a.final}`,
    a.final && a.finalExtra && 'FINALFUNC_EXTRA',
    a.final && a.finalModify !== usual && `FINALFUNC_MODIFY = ${modes[a.finalModify]}`,
    a.combine && `COMBINEFUNC = ${a.combine}`,
    a.serial && `SERIALFUNC = ${a.serial}`,
    a.deserial && `DESERIALFUNC = ${a.deserial}`,
    a.msfunc && `MSFUNC = ${a.msfunc}`,
    a.msfunc && `MINVFUNC = ${a.minv}`,
    a.msfunc && `MSTYPE = ${a.mstype}`,
    a.msspace && `MSSPACE = ${a.msspace}`,
    a.minit !== null && `MINITCOND = ${text(a.minit)}`,
    a.mfinal && `MFINALFUNC = ${a.mfinal}`,
    a.mfinal && a.mfinalExtra && 'MFINALFUNC_EXTRA',
    a.mfinal && a.mfinalModify !== usual && `MFINALFUNC_MODIFY = ${modes[a.mfinalModify]}`,
    a.sort && `SORTOP = ${a.sort}`,
    a.kind === 'h' && 'HYPOTHETICAL',
    parallel === 's' ? 'PARALLEL = safe' : parallel === 'r' && 'PARALLEL = restricted'
  ].filter(Boolean)
  return `CREATE AGGREGATE ${path} (\n    ${lines.join(',\n    ')}\n);\n`
}

const routinesQuery = ({ can }: Reading) => {
  const name = (column: string) => `CASE WHEN ${column} <> 0 THEN ${column}::regproc::text END`
  const modify = (column: string) =>
    can.procedures ? column : `CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END`
  const kind = can.procedures
    ? 'p.prokind'
    : `CASE WHEN p.proisagg THEN 'a' WHEN p.proiswindow THEN 'w' ELSE 'f' END`
  return `
SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, pg_get_userbyid(p.proowner) AS owner,
  ${kind}::text AS kind, pg_get_function_arguments(p.oid) AS args, pg_get_function_identity_arguments(p.oid) AS identity,
  coalesce((SELECT string_agg(format_type(u.type, NULL), ', ' ORDER BY u.at)
    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (type, at)), '') AS types,
  CASE WHEN ${kind} NOT IN ('p', 'a') THEN pg_get_function_result(p.oid) END AS result,
  l.lanname::text AS language, p.provolatile::text AS volatile, p.proisstrict AS strict, p.prosecdef AS definer,
  p.proleakproof AS leakproof, p.proparallel::text AS parallel, p.procost AS cost, p.prorows AS rows, p.proretset AS set,
  ${can.supportFunctions ? name('p.prosupport') : 'NULL'} AS support, p.proconfig AS config, p.prosrc AS source, p.probin::text AS binary,
  (SELECT json_agg(format_type(u.type, NULL) ORDER BY u.at) FROM unnest(p.protrftypes) WITH ORDINALITY AS u (type, at)) AS transforms,
  ${can.sqlBodies ? 'pg_get_function_sqlbody(p.oid)' : 'NULL::text'} AS body,
  p.proacl::text[] AS acl, acldefault('f', p.proowner)::text[] AS base,
  CASE WHEN a.aggfnoid IS NOT NULL THEN json_build_object('kind', a.aggkind, 'sfunc', a.aggtransfn::text, 'stype', format_type(a.aggtranstype, NULL),
    'sspace', a.aggtransspace, 'init', a.agginitval, 'final', ${name('a.aggfinalfn::oid')}, 'finalExtra', a.aggfinalextra,
    'finalModify', ${modify('a.aggfinalmodify')}, 'combine', ${name('a.aggcombinefn::oid')}, 'serial', ${name('a.aggserialfn::oid')},
    'deserial', ${name('a.aggdeserialfn::oid')}, 'msfunc', ${name('a.aggmtransfn::oid')}, 'minv', ${name('a.aggminvtransfn::oid')},
    'mstype', format_type(a.aggmtranstype, NULL), 'msspace', a.aggmtransspace, 'minit', a.aggminitval, 'mfinal', ${name('a.aggmfinalfn::oid')},
    'mfinalExtra', a.aggmfinalextra, 'mfinalModify', ${modify('a.aggmfinalmodify')},
    'sort', (SELECT 'OPERATOR(' || quote_ident(sn.nspname) || '.' || o.oprname || ')' FROM pg_operator o
      JOIN pg_namespace sn ON sn.oid = o.oprnamespace WHERE o.oid = a.aggsortop)) END AS aggregate
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE p.pronamespace = ANY ($1::oid[]) AND ${free('proc', 'p.oid')}
  AND NOT EXISTS (SELECT 1 FROM pg_depend i WHERE i.classid = ${classes.proc} AND i.objid = p.oid AND i.deptype = 'i')`
}
