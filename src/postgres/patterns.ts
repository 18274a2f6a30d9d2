/**
 * psql's patterns for names (`\d` and `pg_dump -t`): `*` any text, `?` any character, a dot between schema and
 * name, double quotes around what is meant letter by letter; what is not quoted is folded to lower case.
 */

export interface Named {
  schema: string
  name: string
}

/** A test for one pattern. A pattern without a schema means the name in every schema of the scope. */
export function namePattern(pattern: string): (table: Named) => boolean {
  const parts = ['']
  let quoted = false
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!
    const last = parts.length - 1
    if (char === '"' && quoted && pattern[i + 1] === '"') {
      parts[last] += '"'
      i++
    } else if (char === '"') quoted = !quoted
    else if (quoted) parts[last] += escape(char)
    else if (char === '*') parts[last] += '.*'
    else if (char === '?') parts[last] += '.'
    else if (char === '.') parts.push('')
    else parts[last] += escape(char.toLowerCase())
  }
  const [name, schema] = parts.map(part => new RegExp(`^(?:${part})$`, 'su')).reverse()
  return table => name!.test(table.name) && (schema === undefined || schema.test(table.schema))
}

const escape = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&')

/** The value of the first pattern that fits. */
export function firstMatch<T>(values: Readonly<Record<string, T>>, table: Named): T | undefined {
  return Object.entries(values).find(([pattern]) => namePattern(pattern)(table))?.[1]
}
