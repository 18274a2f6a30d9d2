/**
 * Where a table's differences lie: its chunks in their order, drawn together into so few cells that they fit on a page, however many chunks there are.
 */
import { keyCount, type ChunkDiff } from './vector.js'

/** Cells at most; two of them become one where there would be more. */
const most = 128

/** What the chunks of a cell hold: rows of the larger side, and how many of them differ. */
export type DriftCell = [rows: number, insert: number, update: number, remove: number]

export class Drift {
  #cells: DriftCell[] = []
  /** Chunks of a cell. */
  #chunks = 1

  /** In the order of the chunks; one without chunks holds no rows. */
  get cells(): readonly DriftCell[] {
    return Array.from(this.#cells, cell => cell ?? [0, 0, 0, 0])
  }

  /** @param chunk its number, from 0 on; the numbers may come in any order. */
  add(chunk: number, rows: number, diff?: Pick<ChunkDiff, 'insert' | 'update' | 'delete'>): void {
    while (chunk >= most * this.#chunks) this.#join()
    const cell = (this.#cells[Math.floor(chunk / this.#chunks)] ??= [0, 0, 0, 0])
    cell[0] += rows
    if (!diff) return
    cell[1] += keyCount(diff.insert)
    cell[2] += keyCount(diff.update)
    cell[3] += keyCount(diff.delete)
  }

  #join(): void {
    const { cells } = this
    this.#chunks *= 2
    this.#cells = []
    for (const [at, cell] of cells.entries()) {
      const joined = (this.#cells[at >> 1] ??= [0, 0, 0, 0])
      for (const i of [0, 1, 2, 3] as const) joined[i] += cell[i]
    }
  }
}
