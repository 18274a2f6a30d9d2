/** `--log-format json`: one object a line on standard error, by pino. */
import pino from 'pino'
import type { Output } from '../io.js'

/** A log whose lines are written at once, so that none is lost when the process ends. */
export function openLog(stream: Output, verbose: boolean): pino.Logger {
  return pino(
    {
      base: { name: 'pgsyncer' },
      level: verbose ? 'debug' : 'info',
      timestamp: pino.stdTimeFunctions.isoTime
    },
    stream
  )
}
