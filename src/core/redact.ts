/**
 * Passwords never leave the process in words. Whoever learns a secret adds it here at once; whatever becomes
 * text for a person (errors, logs, reports) passes through `redact` once, at the edge.
 */

const secrets = new Set<string>()

/** Remembers a secret for the life of the process; text shorter than 3 characters would blank ordinary words and is not kept. */
export function addSecret(secret: string | undefined): void {
  if (secret === undefined || secret.length < 3) return
  secrets.add(secret)
  secrets.add(encodeURIComponent(secret))
}

/** The text with every known secret, and every password in something that looks like a DSN, replaced by `***`. */
export function redact(text: string): string {
  let result = text
    .replace(/(\w+:\/\/[^\s:/@]*):\S*@/g, '$1:***@')
    .replace(/(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'"]+)/gi, '$1***')
  // The longest first: one may be a part of another.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    result = result.replaceAll(secret, '***')
  }
  return result
}
