/** How a command sets its result: as the terminal and the flags want it. */
import { widthOf, type Io } from '../io.js'
import type { CliSettings } from '../option.js'
import { paintFor } from '../render/paint.js'
import type { TextStyle } from '../render/style.js'

export const styleOf = (io: Io, { noColor, verbose }: CliSettings): TextStyle => ({
  paint: paintFor(io, io.stdout, noColor),
  width: widthOf(io.stdout),
  verbose
})
