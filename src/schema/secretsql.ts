/**
 * SQL is data and stays as it is: to blank a word in a function's body would make another function of it. Only where
 * the language itself has a place for passwords (user mappings, servers, subscriptions) are they taken out.
 */

const mask = '***'

const holders =
  /^\s*(?:CREATE|ALTER)\s+(?:SERVER|USER\s+MAPPING|SUBSCRIPTION|FOREIGN\s+TABLE|FOREIGN\s+DATA\s+WRAPPER)\b/i
const literals = /\b(E)'((?:[^'\\]|''|\\[\s\S])*)'|'((?:[^']|'')*)'/gi
const secretName =
  /(?:^|[\s(,"])\w*(?:password|passwd|passphrase|secret|token|credentials?|api_?key|access_?key)"?\s*$/i

/** The statement without passwords. */
export function withoutPasswords(statement: string): string {
  if (!holders.test(statement)) return statement
  return statement.replace(
    literals,
    (all: string, escaped: string | undefined, e = '', plain = '', at: number) => {
      if (secretName.test(statement.slice(0, at))) return `'${mask}'`
      const text: string = escaped === undefined ? plain : e
      const masked = maskedConnection(text)
      return masked === text ? all : `${escaped ?? ''}'${masked}'`
    }
  )
}

/** From a password to the end: where it ends depends on how it is quoted, and nothing of it may stay. */
function maskedConnection(text: string): string {
  return text
    .replace(/(:\/\/[^\s:/@]*):[\s\S]*@/g, `$1:${mask}@`)
    .replace(/(\b\w*password\s*=)[\s\S]*$/i, `$1${mask}`)
}

/** Whether a password was taken out of a statement, so that it cannot be run as it is. */
export function lacksPassword(statement: string): boolean {
  return holders.test(statement) && statement.includes(mask)
}
