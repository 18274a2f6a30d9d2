/**
 * What a person sees while a run goes on, always on standard error: bars on a terminal, a plain line now and then
 * elsewhere, or a log for programs. It only listens, and has vanished before the result is printed.
 */
import type { Emit, RunEvent } from '../../core/events.js'
import { redact } from '../../core/redact.js'
import type { Io } from '../io.js'
import type { CliSettings } from '../option.js'
import { Bars } from './bars.js'
import { openLog } from './log.js'
import type { Paint } from './paint.js'
import { phaseText, Tracker } from './tracker.js'
import { shown, time } from './words.js'

export interface Progress {
  emit: Emit
  /** Takes everything off the screen; nothing is shown afterwards. */
  stop(): void
}

export type Wishes = Pick<CliSettings, 'noProgress' | 'quiet' | 'verbose' | 'logFormat'>

/** Milliseconds between two plain lines. */
const interval = 5000

/** The view that the settings and the terminal call for. */
export function showProgress(io: Io, wishes: Wishes, paint: Paint): Progress {
  const tracker = new Tracker()
  if (wishes.quiet) return { emit: () => {}, stop: () => {} }
  const view =
    wishes.logFormat === 'json' ? logView(io, wishes, tracker) : lineView(io, wishes, tracker, paint)
  return {
    emit: event => {
      tracker.add(event)
      view.take(event)
    },
    stop: () => view.stop()
  }
}

interface View {
  take(event: RunEvent): void
  stop(): void
}

function lineView(io: Io, { noProgress, verbose }: Wishes, tracker: Tracker, paint: Paint): View {
  const bars = !noProgress && io.stderr.isTTY ? new Bars(io.stderr, tracker) : undefined
  const say = (text: string) => {
    const line = `${paint.dim(shown(redact(text)))}\n`
    if (bars) bars.log(line)
    else io.stderr.write(line)
  }
  const timer =
    noProgress || bars ? undefined : every(interval, () => tracker.counting && say(tracker.summary()))
  // What is said when a run is stopped is not for the midst of the bars.
  io.signal.addEventListener('abort', () => bars?.stop(), { once: true })
  let said: string | undefined
  return {
    take: event => {
      if (event.type === 'phase' && !noProgress && !bars && said !== phaseText(event.phase))
        say((said = phaseText(event.phase)))
      if (verbose) for (const text of remarks(event)) say(text)
      bars?.take(event)
    },
    stop: () => {
      clearInterval(timer)
      bars?.stop()
    }
  }
}

function logView(io: Io, { noProgress, verbose }: Wishes, tracker: Tracker): View {
  const log = openLog(io.stderr, verbose)
  const report = () =>
    tracker.counting &&
    log.info({ phase: tracker.phase, rows: tracker.rows, tables: tracker.tablesDone }, tracker.summary())
  const timer = noProgress ? undefined : every(interval, report)
  return {
    take: event => {
      const { type, ...rest } = event
      if (type === 'rows') return
      if (type === 'phase') log.info(rest, phaseText(event.phase))
      else if (type === 'note' || type === 'retry')
        log.warn({ ...redactedFields(rest), event: type }, remarks(event)[0] ?? type)
      else log.debug({ ...rest, event: type }, type)
    },
    stop: () => clearInterval(timer)
  }
}

export function redactedFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, text]) => [name, typeof text === 'string' ? redact(text) : text])
  )
}

function remarks(event: RunEvent): string[] {
  if (event.type === 'note') return [event.message]
  if (event.type === 'retry')
    return [`${event.what}: try ${event.attempt} failed, again in ${time(event.delay)}: ${event.reason}`]
  if (event.type === 'table-end') return [`${event.table}: ${event.status}`]
  return []
}

export function every(milliseconds: number, work: () => void): NodeJS.Timeout {
  return setInterval(work, milliseconds).unref()
}
