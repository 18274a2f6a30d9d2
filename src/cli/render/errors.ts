/** An error as a person sees it: what failed, then what to do. A stack only with --verbose, a secret never. */
import { inspect } from 'node:util'
import { messageOf, PgsyncerError } from '../../core/errors.js'
import { redact } from '../../core/redact.js'
import type { Paint } from './paint.js'
import { shown } from './words.js'

export interface ErrorStyle {
  paint: Paint
  verbose: boolean
}

/** The lines of an error, each fault on a line of its own. */
export function renderError(error: unknown, { paint, verbose }: ErrorStyle): string {
  const label = paint.bad('pgsyncer:')
  const { messages, hint } = wordsOf(error)
  const lines = messages.map(message => `${label} ${shown(message)}`)
  if (hint !== undefined) lines.push(`  ${paint.dim(shown(hint))}`)
  if (verbose) lines.push(redact(inspect(error)))
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
