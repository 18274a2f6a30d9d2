/** Markup and text are two things: what is not markup is text, and is escaped where it is put into markup. */
import { htmlEscape } from 'escape-goat'
import { shown } from '../words.js'

export class Markup {
  constructor(readonly text: string) {}
}

export type Content = Markup | string | number | undefined | readonly Content[]

/** A template: values that are no markup become text, on one line, which no browser obeys. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(strings.reduce((all, part, i) => all + textOf(values[i - 1]) + part))
}

/** Text whose lines stay as they are, for `<pre>`. */
export function lines(text: string): Markup {
  return new Markup(
    text
      .split(/\r\n|\r|\n/)
      .map(line => htmlEscape(shown(line.replaceAll('\t', '  '))))
      .join('\n')
  )
}

function textOf(content: Content): string {
  if (content === undefined) return ''
  if (content instanceof Markup) return content.text
  if (Array.isArray(content)) return content.map(textOf).join('')
  return htmlEscape(shown(String(content)))
}
