/**
 * Says in words how two definitions of a table differ. It reads pg_dump's own layout of CREATE TABLE, one column
 * or constraint a line; what it does not find there it does not claim.
 */

/** Such as `column note is missing on the standby; column n is bigint on main and integer on the standby`. */
export function describeTableDifference(main: string, standby: string): string | undefined {
  const here = linesOf(main)
  const there = linesOf(standby)
  if (!here || !there) return undefined
  const words: string[] = []
  for (const [name, type] of here) {
    const other = there.get(name)
    if (other === undefined) words.push(`${name} is missing on the standby`)
    else if (other !== type) words.push(`${name} is ${type} on main and ${other} on the standby`)
  }
  for (const name of there.keys()) if (!here.has(name)) words.push(`${name} is only on the standby`)
  if (words.length === 0 && [...here.keys()].join('\n') !== [...there.keys()].join('\n')) {
    words.push('the columns are in another order')
  }
  return words.length > 0 ? words.join('; ') : undefined
}

/** What the line is about (`column x`, `constraint y`) → the rest of the line. */
function linesOf(definition: string): Map<string, string> | undefined {
  const body = /\(\n([\s\S]*?)\n\)/.exec(definition)?.[1]
  if (!/^CREATE [A-Z ]*TABLE /.test(definition) || body === undefined) return undefined
  const lines = new Map<string, string>()
  for (const match of body.matchAll(/^ {4}(CONSTRAINT )?("(?:[^"]|"")+"|[^\s"]+) ?(.*?),?$/gm)) {
    lines.set(`${match[1] ? 'constraint' : 'column'} ${match[2]}`, match[3]!)
  }
  return lines
}
