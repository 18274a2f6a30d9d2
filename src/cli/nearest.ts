/** A name that does not exist is answered with the one that was probably meant, or with the few that are equally near. */
import { distance } from 'fastest-levenshtein'

/** More that are equally near would be a list, not an answer. */
const most = 3

/** How far a part of a name is from it: nearer than two wrong letters. */
const part = 1.5

/** `; did you mean X?`, or nothing where no name is near. */
export function nearest(
  name: string,
  names: readonly string[],
  show: (name: string) => string = n => n
): string {
  const found = nearestOf(name, names)
  if (found.length === 0) return ''
  return `; did you mean ${new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(found.map(show))}?`
}

/** The names that may be meant: mostly one or none. */
export function nearestOf(name: string, names: readonly string[]): string[] {
  const word = plain(name)
  const ranked = [...new Set(names)].map(one => ({ one, away: away(word, plain(one)) }))
  const least = Math.min(...ranked.map(({ away }) => away))
  const found = ranked.filter(({ away }) => away === least && away < Infinity).map(({ one }) => one)
  const alike = found.filter(one => plain(one)[0] === word[0])
  const meant = alike.length > 0 ? alike : found
  return meant.length <= (word.length === 1 ? 1 : most) ? meant : []
}

const plain = (name: string): string => name.toLowerCase().replaceAll('_', '-').replace(/^-+/, '')

/** Letters that are wrong, letters in the wrong order being one; Infinity where nobody would mistake them. */
function away(word: string, name: string): number {
  // One letter is near to every short name.
  if (word.length < 2) return word !== '' && name.startsWith(word) ? 1 : Infinity
  const steps = sorted(word) === sorted(name) ? Math.min(1, distance(word, name)) : distance(word, name)
  if (steps <= 1) return steps
  if (isPart(word, name)) return part
  const near = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 2))
  if (steps <= near) return steps
  return begins(word, name) >= 5 ? steps : Infinity
}

/** `dry` of `dry-run`, `plan` of `apply-plan`, `exclude` of `exclude-table`, `dsn` of `maindsn`; no `out` of `lock-timeout`. */
function isPart(word: string, name: string): boolean {
  if (word.length < 3) return false
  const parts = name.split('-')
  return (
    parts.includes(word) ||
    name.startsWith(word) ||
    (parts.length === 1 && name.endsWith(word)) ||
    (word.length > 3 && parts.some(one => one.startsWith(word)))
  )
}

const sorted = (text: string): string => [...text].sort().join('')

/** So many letters are the same from the first on. */
function begins(word: string, name: string): number {
  let same = 0
  while (same < word.length && word[same] === name[same]) same++
  return same
}
