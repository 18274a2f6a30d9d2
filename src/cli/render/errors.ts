/** An error as a person sees it: what failed, then what to do. A stack only with --verbose, a secret never. */
import { inspect } from 'node:util'
import { messageOf, PgsyncerError } from '../../core/errors.js'
import { redact } from '../../core/redact.js'
import type { Paint } from './paint.js'
import { count, shown } from './words.js'

export interface ErrorStyle {
  paint: Paint
  verbose: boolean
}

/** `password 'x'` of a statement that an error holds, to the end of the line: how a stack quotes quotes is not known. */
const optionInSql = /(password\\*"?\s+E?\\*').*/gi

/** Said only with --verbose: whoever asks for more is told where there is more. */
const everyError = 'docs/errors.md tells of every error its cause and its cure.'

/** So many of what one fault lists are shown. */
const longList = 50

/** The lines of an error, each fault on a line of its own; those after a colon are what that fault lists. */
export function renderError(error: unknown, { paint, verbose }: ErrorStyle): string {
  const label = paint.bad('pgsyncer:')
  const { messages, hint } = wordsOf(error)
  const colon = messages.findIndex(message => message.endsWith(':'))
  const faults = colon < 0 ? messages : messages.slice(0, colon + 1)
  const items = messages.slice(faults.length)
  const listed = verbose || items.length <= longList ? items : items.slice(0, longList)
  const lines = [
    ...faults.map(message => `${label} ${shown(message)}`),
    ...listed.map(item => `  ${shown(item)}`)
  ]
  if (listed.length < items.length)
    lines.push(`  … and ${count(items.length - listed.length)} more (--verbose names them all)`)
  if (hint !== undefined) lines.push(`  ${paint.dim(shown(hint))}`)
  if (verbose) {
    if (error instanceof PgsyncerError) lines.push(`  ${paint.dim(everyError)}`)
    lines.push(redact(inspect(error)).replace(optionInSql, '$1***'))
  }
  return `${lines.join('\n')}\n`
}

/** The redacted sentences of an error; what is none of our classes is a fault of this program, and says so. */
export function wordsOf(error: unknown): { messages: string[]; hint: string | undefined } {
  if (error instanceof AggregateError && error.errors.length > 0) {
    const all = error.errors.map(wordsOf)
    return {
      messages: [...new Set(all.flatMap(one => one.messages))],
      hint: all.find(one => one.hint !== undefined)?.hint
    }
  }
  if (!(error instanceof PgsyncerError)) {
    const what = redact(messageOf(error)).replaceAll('\n', ' ')
    return {
      messages: [`this is a bug, please report it: ${what} (--verbose shows the stack)`],
      hint: undefined
    }
  }
  const at = error.table !== undefined && !error.message.includes(error.table) ? `${error.table}: ` : ''
  const messages = error.message.split('\n').map(line => redact(at + line))
  return { messages, hint: error.hint === undefined ? undefined : redact(error.hint) }
}
