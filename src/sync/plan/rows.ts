/** The rows of a plan: what a comparison has found to differ is read again, whole, from both sides, and written as it comes. */
import { revisitUnit } from '../../data/compare.js'
import type { DataContext } from '../../data/context.js'
import { rowDigestText, type LastingForm } from '../../data/hash.js'
import { allImages, keyName, readImages, type Image } from '../../data/images.js'
import type { KeyTexts } from '../../data/key.js'
import { byPlace, visitCopies } from '../../data/multiset.js'
import type { Pair } from '../../data/pairs.js'
import type { UnitResult } from '../../data/rows.js'
import { differs } from '../../data/tally.js'
import type { Unit } from '../../data/unit.js'
import { keyCount, type ChunkDiff } from '../../data/vector.js'
import { retrying } from '../../core/retry.js'
import { planName, type PlanRow, type PlanTable } from './document.js'
import type { PlanWriter } from './writer.js'

export interface Digests {
  form: LastingForm
  exactFloats: boolean
}

type Put = (row: PlanRow) => Promise<void>

/** Characters of rows that are in memory at a time, as far as it is not one row; and rows at most. */
const [enough, most] = [4 * 1024 * 1024, 100]

/** The rows of all units that differ, unit by unit, and what the head says of each. */
export async function writeRows(
  context: DataContext,
  compared: readonly UnitResult[],
  missing: readonly Unit[],
  digests: Digests,
  out: PlanWriter
): Promise<PlanTable[]> {
  const tables: PlanTable[] = []
  for (const { unit, tally, status } of compared) {
    if (status !== 'differs' || !differs(tally)) continue
    const table = headOf(unit)
    const write = (put: Put, pair: Pair, by: Unit, diff: ChunkDiff) =>
      writeDiff(context, pair, by, diff, digests, table.name, put)
    if (unit.strategy === 'multiset') {
      const places = byPlace(unit)
      await retrying(unit.name, context.retry, () =>
        out.together(async put => {
          const found = { insert: 0, update: 0, delete: 0 }
          await visitCopies(context, unit, tally, async (pair, diff) =>
            add(found, await write(put, pair, places, diff))
          )
          add(table, found)
        })
      )
    } else {
      await revisitUnit(context, unit, tally, async (pair, { diff }) =>
        add(table, await out.together(put => write(put, pair, unit, diff)))
      )
    }
    if (table.insert + table.update + table.delete > 0) tables.push(table)
  }
  for (const unit of missing) {
    const table = headOf(unit)
    const rows = await retrying(unit.name, context.retry, () => writeAll(context, unit, digests, table, out))
    if (rows > 0) tables.push({ ...table, insert: rows })
  }
  return tables
}

function headOf(unit: Unit): PlanTable {
  const written = new Set(unit.written)
  return {
    name: planName(unit.main.schema, unit.main.name),
    schema: unit.main.schema,
    table: unit.main.name,
    key: unit.key.map(({ name }) => name),
    columns: Object.fromEntries(unit.written.map(({ name, type }) => [name, type])),
    generated: unit.compared.filter(column => !written.has(column)).map(({ name }) => name),
    insert: 0,
    update: 0,
    delete: 0
  }
}

type Counts = Pick<PlanTable, 'insert' | 'update' | 'delete'>

function add(sum: Counts, { insert, update, delete: remove }: Counts): void {
  sum.insert += insert
  sum.update += update
  sum.delete += remove
}

async function writeAll(
  { pool }: DataContext,
  unit: Unit,
  { form, exactFloats }: Digests,
  { name }: PlanTable,
  out: PlanWriter
): Promise<number> {
  const digest = rowDigestText(form, unit.compared, exactFloats)
  return out.together(put =>
    pool.run(async ({ main }) => {
      let rows = 0
      for await (const image of allImages(main, unit, digest)) {
        rows++
        await put({ table: name, op: 'insert', row: rowOf(unit, image), after: image.digest })
      }
      return rows
    })
  )
}

/** One chunk's differences as they are now: a row that is the same by now is left out. */
async function writeDiff(
  { deletes }: DataContext,
  pair: Pair,
  unit: Unit,
  diff: ChunkDiff,
  { form, exactFloats }: Digests,
  table: string,
  put: Put
): Promise<Counts> {
  const digest = rowDigestText(form, unit.compared, exactFloats)
  const counts = { insert: 0, update: 0, delete: 0 }
  const write = async (keys: KeyTexts, main: boolean, standby: boolean) => {
    // A few at a time: so many that their rows, by the size of those before, are no more than is good for memory.
    let length = 16
    for (let at = 0; at < keyCount(keys);) {
      const some = keys.map(column => column.slice(at, at + length))
      at += length
      const [ours, theirs] = await Promise.all([
        main ? readImages(pair.main, unit, digest, some) : undefined,
        standby ? readImages(pair.standby, unit, digest, some) : undefined
      ])
      let size = 1
      for (let row = 0; row < keyCount(some); row++) {
        const key = keyName(some, row)
        const [a, b] = [ours?.get(key), theirs?.get(key)]
        size += sizeOf(a) + sizeOf(b)
        const found = onePair(table, unit, a, b)
        if (!found) continue
        counts[found.op]++
        await put(found)
      }
      length = Math.max(1, Math.min(2 * length, most, Math.floor((enough * length) / size)))
    }
  }
  if (deletes) await write(diff.delete, false, true)
  await write(diff.update, true, true)
  await write(diff.insert, true, false)
  return counts
}

function onePair(
  table: string,
  unit: Unit,
  main: Image | undefined,
  standby: Image | undefined
): PlanRow | undefined {
  if (main && !standby) return { table, op: 'insert', row: rowOf(unit, main), after: main.digest }
  if (standby && !main) return { table, op: 'delete', was: rowOf(unit, standby), before: standby.digest }
  if (!main || !standby || main.digest === standby.digest) return undefined
  return {
    table,
    op: 'update',
    row: rowOf(unit, main),
    was: rowOf(unit, standby, changed(unit, main, standby)),
    before: standby.digest,
    after: main.digest
  }
}

/** Names of the columns that print another value. */
export function changed(
  unit: Unit,
  one: Pick<Image, 'values'>,
  other: Pick<Image, 'values'>
): ReadonlySet<string> {
  const differing = unit.written.filter((_, i) => one.values[i] !== other.values[i])
  return new Set(differing.map(({ name }) => name))
}

/** By name, those alone that `only` has. */
export function rowOf(
  unit: Unit,
  { values }: Pick<Image, 'values'>,
  only?: ReadonlySet<string>
): Record<string, string | null> {
  const entries = unit.written.map(({ name }, i) => [name, values[i]!] as const)
  return Object.fromEntries(only ? entries.filter(([name]) => only.has(name)) : entries)
}

const sizeOf = (image: Image | undefined): number =>
  image ? image.values.reduce((sum, value) => sum + (value?.length ?? 0), 0) : 0
