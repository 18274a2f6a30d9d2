/** A name that does not exist is answered with the one that was probably meant. */
import { closest, distance } from 'fastest-levenshtein'

/** `; did you mean X?`, or nothing where no name is near. */
export function nearest(
  name: string,
  names: readonly string[],
  show: (name: string) => string = n => n
): string {
  if (names.length === 0) return ''
  const found = closest(name.toLowerCase(), names)
  const near = distance(name.toLowerCase(), found) <= Math.max(2, Math.floor(name.length / 2))
  return near ? `; did you mean ${show(found)}?` : ''
}
