/** How a report for people is set, and what its sections share. */
import type { Paint } from './paint.js'
import { shown, wrap } from './words.js'

export interface TextStyle {
  paint: Paint
  /** Columns of the terminal. */
  width: number
  /** Name what is identical too. */
  verbose: boolean
  /** What the command line accepts of changes to the structure. */
  accepted?: { allow: readonly string[]; cleanExtra: boolean }
}

/** The sentence below the line that it explains, and what can be done about it. */
export function because(reason: string, hint: string | undefined, { paint, width }: TextStyle): string[] {
  return [
    ...wrap(shown(reason), width, '    '),
    ...wrap(shown(hint ?? ''), width, '    ')
      .filter(line => line.trim())
      .map(line => paint.dim(line))
  ]
}
