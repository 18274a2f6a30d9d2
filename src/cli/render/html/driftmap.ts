/** A table's drift map: its cells from left to right, each coloured by what differs in it, the stronger the more of its rows do. */
import type { DriftCell, DriftMap } from '../../../sync/report.js'
import { some } from '../words.js'
import { html, Markup, type Content } from './markup.js'

/** From which share of a cell's rows on its colour is of the second, and of the third strength. */
const strong = [0.01, 0.25] as const
const kinds = ['insert', 'update', 'delete'] as const

/** Undefined where there is nothing to show. */
export function driftMap(drift: DriftMap | undefined): Content {
  if (!drift || drift.cells.length === 0) return undefined
  const { cells, by } = drift
  // Cells that follow each other and look alike are one.
  const runs: { look: string; from: number; to: number }[] = []
  for (const [at, cell] of cells.entries()) {
    const look = lookOf(cell)
    const last = runs.at(-1)
    if (last?.look === look) last.to = at + 1
    else runs.push({ look, from: at, to: at + 1 })
  }
  const rects = runs
    .filter(run => run.look !== '')
    .map(({ look, from, to }) => `<rect class="${look}" x="${from}" width="${to - from}" height="1"/>`)
  return html`<svg
    class="map"
    viewBox="0 0 ${cells.length} 1"
    preserveAspectRatio="none"
    role="img"
    aria-label="${told(cells, by)}"
  >
    ${new Markup(rects.join(''))}
  </svg>`
}

/** Its kind (or `mixed`), and how strong. */
function lookOf([rows, ...counts]: DriftCell): string {
  const differing = counts.reduce((sum, n) => sum + n)
  if (differing === 0) return ''
  const found = kinds.filter((_, i) => counts[i]! > 0)
  const share = differing / Math.max(rows, differing)
  return `${found.length === 1 ? found[0] : 'mixed'} s${1 + strong.filter(least => share >= least).length}`
}

/** The map in words. */
function told(cells: readonly DriftCell[], by: DriftMap['by']): string {
  const counts = cells.map(([, ...three]) => three.reduce((sum, n) => sum + n))
  const differing = counts.filter(n => n > 0).length
  const first = counts.findIndex(n => n > 0)
  const last = counts.findLastIndex(n => n > 0)
  const percent = (n: number) => `${Math.round((100 * n) / cells.length)}%`
  const where =
    by === 'key' && cells.length > 1
      ? `, between ${percent(first)} and ${percent(last + 1)} of the key’s rows`
      : ''
  return `Drift map: ${differing} of ${some(cells.length, 'part')} differ${differing === 1 ? 's' : ''}${where}`
}
