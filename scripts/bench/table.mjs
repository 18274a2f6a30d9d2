/** Results as lines of a Markdown table. */

export function heading(title) {
  return `${title}\n\n| | ours | theirs | ratio | goal | |\n|---|--:|--:|--:|--:|---|`
}

/** A result: pairs of runs and a goal (or none) for their ratio, or peaks of memory and their limit, or a figure and what it should be, or why it was left out. */
export function line(result) {
  return `| ${[result.what, ...cells(result)].join(' | ')} |`
}

function cells({ pairs, goal, peaks, limit, skipped, figure, met }) {
  if (figure) return [figure, '', '', limit, met ? 'ok' : 'MISSED']
  if (skipped) return ['', '', '', `≤ ${goal}`, skipped]
  if (peaks) {
    const shown = Object.entries(peaks).map(([kind, bytes]) => `${kind} ${megabytes(bytes)}`)
    const most = Math.max(...Object.values(peaks))
    return [shown.join(', '), '', '', `≤ ${megabytes(limit)}`, most <= limit ? 'ok' : 'MISSED']
  }
  const [a, b] = [0, 1].map(side => median(pairs.map(pair => pair[side].seconds)))
  const ratio = median(pairs.map(([one, other]) => one.seconds / other.seconds))
  const judged = goal === undefined ? ['', ''] : [`≤ ${goal}`, ratio <= goal ? 'ok' : 'MISSED']
  return [seconds(a), seconds(b), ratio.toFixed(2), ...judged]
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const seconds = value => `${value.toFixed(2)} s`
const megabytes = bytes => `${Math.round(bytes / 1e6)} MB`
