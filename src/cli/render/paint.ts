/** Colours by meaning, never by name: green is the same, yellow differs, red failed. */
import { Chalk, supportsColor, supportsColorStderr } from 'chalk'
import type { Io, Output } from '../io.js'

type Style = (text: string) => string

export interface Paint {
  good: Style
  differs: Style
  bad: Style
  dim: Style
  bold: Style
}

/** Paints, or with `level` 0 leaves every text as it is. */
export function makePaint(level: 0 | 1 | 2 | 3): Paint {
  const chalk = new Chalk({ level })
  return { good: chalk.green, differs: chalk.yellow, bad: chalk.red, dim: chalk.dim, bold: chalk.bold }
}

export const plain = makePaint(0)

/** What a stream takes: nothing under --no-color or NO_COLOR (which chalk does not know), else what chalk finds. */
export function paintFor(io: Io, stream: Output, noColor: boolean): Paint {
  if (noColor || io.env.NO_COLOR) return plain
  const found =
    stream === process.stdout ? supportsColor : stream === process.stderr ? supportsColorStderr : false
  return makePaint(found ? found.level : 0)
}

const meanings: Record<string, keyof Paint> = {
  identical: 'good',
  synced: 'good',
  applied: 'good',
  ok: 'good',
  differs: 'differs',
  pending: 'differs',
  left: 'differs',
  ahead: 'differs',
  skipped: 'differs',
  warning: 'differs',
  failed: 'bad',
  error: 'bad',
  'deletes-data': 'bad',
  'loses-grants': 'bad',
  'rewrites-table': 'differs',
  'blocks-writes': 'differs',
  'blocks-reads': 'differs',
  'not-transactional': 'differs',
  authorization: 'differs'
}

/** What a status, or a hazard, means: red is lost, yellow is felt, dim is only told. */
export function meaningOf(word: string): keyof Paint {
  return meanings[word] ?? 'dim'
}

/** A status word of a report, or a hazard's name, in its colour. */
export function paintStatus(paint: Paint, word: string): string {
  return paint[meaningOf(word)](word)
}
