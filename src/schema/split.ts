/**
 * Cuts SQL text into statements where PostgreSQL would. Tokens come from PostgreSQL's own lexer (compiled to
 * wasm), so that quotes, dollar quotes and comments are its business; what is left to know here is what psql
 * knows: parentheses, `BEGIN ATOMIC … END` bodies, and lines that are commands of psql itself.
 *
 * The lexer costs 30 MB and more with the text's length. It is loaded only for a text that may hold more than one
 * statement, and what needs no cutting never meets it.
 */
import { messageOf, SchemaError } from '../core/errors.js'

interface Token {
  /** Offsets in bytes of the text's UTF-8. */
  start: number
  end: number
  text: string
  tokenName: string
}

/** Longer text is left whole: the server cuts it as well, and the lexer would take more memory than it is worth. */
const longest = 256 * 1024

/**
 * The statements of the text in order, each ended by a semicolon, comments between them left out.
 * @param what named in the error
 * @throws SchemaError where the lexer refuses the text, such as one whose quote is never closed.
 */
export async function splitStatements(text: string, what = 'the text'): Promise<string[]> {
  const single = singleStatement(text)
  if (single !== undefined) return single === '' ? [] : [single]
  const lexer = await import('@libpg-query/parser')
  await lexer.loadModule()
  let tokens: Token[]
  try {
    tokens = lexer.scanSync(text).tokens
  } catch (error) {
    // The lexer's complaint arrives cut off, inside a complaint about JSON.
    const said = /"(unterminat)"/.test(messageOf(error))
      ? 'a quote or comment in it is never closed'
      : messageOf(error)
    throw new SchemaError(`${what} cannot be cut into statements: ${said}`, {
      hint: 'Read the structure the other way: --schema-method catalog, or pgdump.',
      cause: error
    })
  }
  return cut(Buffer.from(text), tokens)
}

/** As splitStatements, but what cannot or should not be cut is one piece: the server, the final judge, cuts it then. */
export async function piecesOf(text: string): Promise<string[]> {
  if (text.length > longest) return [text]
  return splitStatements(text).catch(() => [text])
}

/**
 * The statement, where the text plainly is no more than one; undefined where that takes a lexer to see. Either
 * there is no comment and no semicolon but at the end, or all others are within one dollar-quoted body before
 * which no other quote and no comment begins.
 */
function singleStatement(text: string): string | undefined {
  const whole = text.trim()
  if (whole === '') return ''
  if (/^\\|\n\\/.test(whole)) return undefined
  const semicolon = whole.indexOf(';')
  if (!/--|\/\*/.test(whole)) {
    if (semicolon < 0) return `${whole};`
    if (semicolon === whole.length - 1) return whole
  }
  if (!whole.endsWith(';')) return undefined
  const body = /^[^;'"$\-/]*\n? +AS (\$\w*\$)/.exec(whole)
  if (!body) return undefined
  const close = whole.indexOf(body[1]!, body[0].length)
  return close === whole.length - body[1]!.length - 1 ? whole : undefined
}

function cut(bytes: Buffer, tokens: readonly Token[]): string[] {
  const statements: string[] = []
  let start = -1
  let end = -1
  let skipTo = -1
  let nesting = new Nesting()
  for (const token of tokens) {
    if (token.start < skipTo || token.tokenName === 'SQL_COMMENT' || token.tokenName === 'C_COMMENT') continue
    if (start < 0 && token.text === '\\') {
      const newline = bytes.indexOf(10, token.start)
      skipTo = newline < 0 ? bytes.length : newline
      continue
    }
    if (token.text === ';' && nesting.isOutside) {
      if (start >= 0) statements.push(`${bytes.toString('utf8', start, end)};`)
      start = -1
      nesting = new Nesting()
      continue
    }
    if (start < 0) start = token.start
    end = token.end
    nesting.meet(token.text)
  }
  if (start >= 0) statements.push(`${bytes.toString('utf8', start, end)};`)
  return statements
}

/** Whether a semicolon would end the statement; BEGIN opens a body only where a routine is created, as in psql. */
class Nesting {
  #words: string[] = []
  #parentheses = 0
  #blocks = 0

  get isOutside(): boolean {
    return this.#parentheses === 0 && this.#blocks === 0
  }

  meet(text: string): void {
    const word = text.toUpperCase()
    if (this.#words.length < 4) this.#words.push(word)
    if (word === '(') this.#parentheses++
    else if (word === ')') this.#parentheses = Math.max(0, this.#parentheses - 1)
    else if (word === 'BEGIN' && this.#createsRoutine()) this.#blocks++
    else if (word === 'CASE' && this.#blocks > 0) this.#blocks++
    else if (word === 'END' && this.#blocks > 0) this.#blocks--
  }

  #createsRoutine(): boolean {
    const [first, second, third, fourth] = this.#words
    const kind = second === 'OR' && third === 'REPLACE' ? fourth : second
    return first === 'CREATE' && (kind === 'FUNCTION' || kind === 'PROCEDURE')
  }
}
