/** A unified diff of two texts, short enough for a test's message. */
export function unifiedDiff(left: string, right: string, context = 2, most = 60): string {
  const a = left.split('\n')
  const b = right.split('\n')
  const common = commonLengths(a, b)
  const lines: { mark: ' ' | '-' | '+'; text: string }[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i]! })
      i++
      j++
    } else if (j >= b.length || (i < a.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      lines.push({ mark: '-', text: a[i++]! })
    } else lines.push({ mark: '+', text: b[j++]! })
  }
  const shown = new Set<number>()
  for (const [at, { mark }] of lines.entries()) {
    if (mark === ' ') continue
    for (let near = at - context; near <= at + context; near++) if (lines[near]) shown.add(near)
  }
  const numbers = [...shown].sort((one, other) => one - other)
  const text = numbers.slice(0, most).flatMap((at, index) => {
    const gap = index > 0 && numbers[index - 1] !== at - 1 ? ['…'] : []
    return [...gap, `${lines[at]!.mark}${lines[at]!.text}`]
  })
  return [...text, ...(numbers.length > most ? [`… ${numbers.length - most} more`] : [])].join('\n')
}

/** `[i][j]`: the longest common subsequence of a from i and b from j. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  return lengths
}
