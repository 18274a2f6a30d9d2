/**
 * PostgreSQL's arrays as ClickHouse's: one dimension, `['a','b']`. Within the quotes nothing but the quote is written otherwise (twice);
 * what COPY's text form does to backslashes and line ends is what ClickHouse undoes within them.
 */

/** The elements, as texts; undefined: it has more than one dimension. A lower bound other than 1 is not kept. */
export function elementsOf(text: string): (string | null)[] | undefined {
  const begin = text.indexOf('{')
  if (text[begin + 1] === '{') return undefined
  const elements: (string | null)[] = []
  let at = begin + 1
  while (at < text.length && text[at] !== '}') {
    let value = ''
    const quoted = text[at] === '"'
    if (quoted) at++
    while (at < text.length && (quoted ? text[at] !== '"' : text[at] !== ',' && text[at] !== '}')) {
      if (text[at] === '\\') at++
      value += text[at++]
    }
    if (quoted) at++
    elements.push(!quoted && value === 'NULL' ? null : value)
    if (text[at] === ',') at++
  }
  return elements
}

export const arrayOf = (elements: readonly string[]): string => `[${elements.join(',')}]`

export const quotedElement = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** SQL of the same, over an expression for one element `u.e`, which may be NULL. */
export const arraySql = (value: string, element: string): string =>
  `'[' || array_to_string(ARRAY(SELECT coalesce(${element}, 'NULL') FROM unnest(${value}) WITH ORDINALITY AS u(e, n) ORDER BY u.n), ',') || ']'`

export const quotedElementSql = (text: string): string => `'''' || replace(${text}, '''', '''''') || ''''`
