/** ClickHouse's quoting, which is not PostgreSQL's: backslashes count in names and in texts. */

/** a`b → `a\`b`, always quoted. */
export const ident = (name: string): string => `\`${name.replace(/[\\`]/g, '\\$&')}\``

/** it's → 'it\'s' */
export const literal = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`

export const identList = (names: readonly string[]): string => names.map(ident).join(', ')
