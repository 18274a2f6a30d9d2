/** Prints as pg_dump does, so that both readers' definitions look alike to everything that looks into them. */

export type Quote = (name: string) => string

/** @param keywords the server's words that are no plain names: pg_dump quotes what needs it, and nothing else. */
export function quoteWith(keywords: readonly string[]): Quote {
  const words = new Set(keywords)
  return name =>
    /^[a-z_][a-z0-9_]*$/.test(name) && !words.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** Backslashes stay as they are: the reading session has standard_conforming_strings on, and says so. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** In dollars, with the first tag of pg_dump's own series that the text does not hold. */
export function dollars(body: string): string {
  const suffixes = '_XXXXXXX'
  let tag = '$'
  for (let next = 0; body.includes(tag); next = (next + 1) % suffixes.length) tag += suffixes[next]
  return `${tag}$${body}${tag}$`
}

/** `fillfactor='70', toast.autovacuum_enabled='false'` */
export function storageOptions(quote: Quote, options: readonly string[] | null, prefix = ''): string[] {
  return (options ?? []).map(option => {
    const [, name = '', value = ''] = /^([^=]*)=?([\s\S]*)$/.exec(option)!
    return `${prefix}${quote(name)}=${quote(value) === value ? value : text(value)}`
  })
}

/** The options of a foreign table or column, one a line. */
export function foreignOptions(quote: Quote, options: readonly string[]): string {
  const lines = options
    .map(option => {
      const at = option.indexOf('=')
      return `    ${quote(option.slice(0, at))} ${text(option.slice(at + 1))}`
    })
    .toSorted()
  return `OPTIONS (\n${lines.join(',\n')}\n)`
}

/** Settings that are lists of names: each name is a string of its own. */
const nameLists = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories'
])

/** `search_path TO 'a', 'b'` of `search_path=a, b` */
export function setting(quote: Quote, assignment: string): string {
  const at = assignment.indexOf('=')
  const [name, value] = [assignment.slice(0, at), assignment.slice(at + 1)]
  const printed = quote(name)
  if (!nameLists.has(name.toLowerCase())) return `${printed} TO ${text(value)}`
  const items = [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,\s]+))\s*(?:,|$)/g)]
  return `${printed} TO ${items.map(([, quoted, plain]) => text(quoted?.replaceAll('""', '"') ?? plain ?? '')).join(', ')}`
}
