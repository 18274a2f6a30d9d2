/** Names as a person writes them in SQL: without quotes they are lower case, within double quotes letter by letter. */

const part = String.raw`"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*`
const whole = new RegExp(String.raw`^\s*(?:${part})(?:\s*\.\s*(?:${part}))*\s*$`, 'u')
const each = new RegExp(part, 'gu')

/**
 * The parts of a name that may be qualified: `orders`, `shop.orders`, `"My Shop"."Orders"`. Undefined for what is no name, such as
 * a pattern.
 */
export function parseName(text: string): string[] | undefined {
  return whole.test(text) ? text.match(each)!.map(fold) : undefined
}

function fold(name: string): string {
  if (name.startsWith('"')) return name.slice(1, -1).replaceAll('""', '"')
  return name.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
