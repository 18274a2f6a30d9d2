/** Names that a person may have given: the plain one first, to which a failing case shrinks. */

/** 63 bytes, the longest that PostgreSQL keeps. */
const longest = (letter: string) => letter.repeat(63 - letter.length)

/** What quoting, COPY, format(), patterns, and aliases in somebody's SQL may trip over. */
const hostile: readonly string[] = [
  'we"ird',
  "it's",
  'back\\slash',
  'two  words',
  'UPPER',
  'select',
  'Täble',
  '日本語',
  '$1',
  '%s %I %L',
  'a.b',
  'x;drop--',
  '/* c */',
  'new\nline',
  'tab\t',
  '"',
  "'",
  't',
  's',
  'c',
  'p',
  'n',
  'k0',
  'h0',
  'b0',
  'excluded',
  'row',
  '😀',
  longest('x'),
  '{a,b}',
  ':a',
  '?',
  '\\.',
  'pgsyncer_stage_1',
  ' edges ',
  'null',
  'user',
  '$$',
  '-'
]

/**
 * Gives each thing of a case a name of its own: `choice` 0 is `label` and a number, another is one of the hostile ones
 * as long as nobody has it.
 */
export class Names {
  readonly #taken = new Set<string>()

  take(choice: number, label: string): string {
    const wanted = choice === 0 ? label : hostile[(choice - 1) % hostile.length]!
    let name = wanted
    for (let i = 1; this.#taken.has(name); i++) name = `${label}${i}`
    this.#taken.add(name)
    return name
  }
}

/** How many choices `take` tells apart. */
export const nameChoices = hostile.length + 1
