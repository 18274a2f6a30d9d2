/**
 * What a person sees of following, on standard error: on a terminal one line that tells how it stands, elsewhere one now and then,
 * and between them what has happened. It only listens. At the end of `--once`, what was written.
 */
import type { EmitFollow, FollowEvent, FollowState } from '../../core/events.js'
import { redact } from '../../core/redact.js'
import type { FollowReport } from '../../follow/report.js'
import { widthOf, type Io, type Output } from '../io.js'
import { begin, fold, lagSeconds, rates, remarkOf, type Status } from '../serve/status.js'
import { openLog } from './log.js'
import type { Paint } from './paint.js'
import { every, redactedFields, type Wishes } from './progress.js'
import type { TextStyle } from './style.js'
import { table, type Column } from './table.js'
import { bytes, count, fit, listed, shown, some, time, wrap } from './words.js'

/** Milliseconds between two summaries, and between two looks of the line. */
const interval = 30_000
const redraw = 200

const states: Record<FollowState, string> = {
  connecting: 'connecting',
  copying: 'first copy',
  following: 'following',
  waiting: 'waiting to try again',
  stopped: 'stopped'
}

export interface ShownFollow {
  emit: EmitFollow
  /** Takes everything off the screen; nothing is shown afterwards. */
  stop(): void
}

interface View {
  take(event: FollowEvent, turned: boolean): void
  stop(): void
}

/** The view that the settings and the terminal call for. */
export function showFollow(io: Io, wishes: Wishes, paint: Paint): ShownFollow {
  if (wishes.quiet) return { emit: () => {}, stop: () => {} }
  let status = begin(Date.now())
  const view =
    wishes.logFormat === 'json'
      ? logView(io, wishes, () => status)
      : lineView(io, wishes, () => status, paint)
  let stopped = false
  return {
    emit: event => {
      if (stopped) return
      const before = status.state
      status = fold(status, event, Date.now())
      view.take(event, status.state !== before)
    },
    stop: () => {
      if (!stopped) view.stop()
      stopped = true
    }
  }
}

function lineView(io: Io, { noProgress, verbose }: Wishes, status: () => Status, paint: Paint): View {
  const line = !noProgress && io.stderr.isTTY ? new StatusLine(io.stderr) : undefined
  const say = (text: string, style = paint.dim) => {
    const words = style(shown(redact(text)))
    if (line) line.log(words)
    else io.stderr.write(`${words}\n`)
  }
  const timer = line
    ? every(redraw, () => line.draw(summary(status(), Date.now())))
    : noProgress
      ? undefined
      : news(status, () => say(summary(status(), Date.now())))
  return {
    take: (event, turned) => {
      if (event.type === 'retry' || event.type === 'note' || event.type === 'schema')
        say(remarkOf(event), event.type === 'retry' ? paint.differs : paint.dim)
      else if (event.type === 'quiet') {
        if (verbose) say(silence(event.after))
      } else if (event.type === 'copy-end' && !noProgress)
        say(`${event.table}: ${some(event.rows, 'row')} copied`)
      else if (turned && !noProgress) say(states[status().state])
    },
    stop: () => {
      clearInterval(timer)
      line?.clear()
    }
  }
}

function logView(io: Io, { noProgress, verbose }: Wishes, status: () => Status): View {
  const log = openLog(io.stderr, verbose)
  const report = () => {
    const { state, changes, batches, retries, position, lag } = status()
    const seconds = lagSeconds(status(), Date.now())
    const fields = { event: 'summary', state, changes, batches, retries, position, lag: { ...lag, seconds } }
    log.info(fields, redact(summary(status(), Date.now())))
  }
  const timer = noProgress ? undefined : news(status, report)
  return {
    take: (event, turned) => {
      const { type, ...rest } = event
      if (type === 'copy-bytes') return
      const fields = { ...redactedFields(rest), event: type }
      if (event.type === 'retry' || event.type === 'note') log.warn(fields, redact(remarkOf(event)))
      else if (event.type === 'schema') log.info(fields, remarkOf(event))
      else if (event.type === 'state') {
        if (turned) log.info(fields, states[event.state])
      } else if (event.type === 'copy-start' || event.type === 'copy-end') log.info(fields, type)
      else log.debug(fields, event.type === 'quiet' ? silence(event.after) : type)
    },
    stop: () => clearInterval(timer)
  }
}

const silence = (after: number): string => `no signal for ${time(after)}: looked without one`

/** Calls back now and then where something was written since it did so the last time, or waits and does not move. */
function news(status: () => Status, tell: () => void): NodeJS.Timeout {
  let told = status()
  return every(interval, () => {
    const now = status()
    const stuck = now.behindSince !== undefined && now.progressAt === told.progressAt
    const worth = stuck || now.changes !== told.changes || now.state === 'copying'
    told = now
    if (worth) tell()
  })
}

/** `following, 1,204 changes written, 820/s, 1.3 MB behind` */
function summary(status: Status, now: number): string {
  const { state, changes, lag, tables } = status
  const parts = [states[state]]
  if (state === 'copying') {
    const copies = [...tables].flatMap(([name, { copy }]) => (copy ? [{ name, ...copy }] : []))
    const done = copies.filter(copy => copy.rows !== undefined).length
    if (done > 0) parts.push(`${some(done, 'table')} done`)
    for (const copy of copies.filter(copy => copy.rows === undefined))
      parts.push(
        `${copy.name} ${bytes(copy.bytes)}${copy.estimate > 0 ? ` of about ${some(copy.estimate, 'row')}` : ''}`
      )
    return parts.join(', ')
  }
  parts.push(`${some(changes, 'change')} written`)
  const last = rates(status, now).slice(-5)
  const rate = last.reduce((sum, n) => sum + n, 0) / last.length
  if (rate > 0) parts.push(`${count(Math.ceil(rate))}/s`)
  if (lag?.rows) parts.push(`${some(lag.rows, 'change')} behind`)
  if (lag?.bytes) parts.push(`${bytes(lag.bytes)} behind`)
  return parts.join(', ')
}

/** The last line of a terminal, written anew in its place. */
class StatusLine {
  #text = ''

  constructor(private readonly stream: Output) {}

  draw(text: string): void {
    const line = fit(shown(redact(text)), widthOf(this.stream) - 1)
    if (line === this.#text) return
    this.#text = line
    this.stream.write(`\r\u001b[K${line}`)
  }

  /** A line above it. */
  log(line: string): void {
    this.stream.write(`\r\u001b[K${line}\n${this.#text}`)
  }

  clear(): void {
    if (this.#text !== '') this.stream.write('\r\u001b[K')
    this.#text = ''
  }
}

/** What was written, table by table, and in one sentence. */
export function renderFollow(report: FollowReport, { paint, width }: TextStyle): string {
  const { command, stream, source, tables, position } = report
  const facts = [
    ['stream', stream],
    ...(source === null ? [] : [['source', source]]),
    ...(position === null ? [] : [['position', position]])
  ]
  const head = facts.map(([name = '', value = '']) => `  ${name.padEnd(10)}${shown(value)}`)
  const parts = [[paint.bold(`pgsyncer ${command}`), ...head].join('\n')]
  if (tables.length > 0) parts.push(`${paint.bold('Tables')}\n${tableOf(report, width, paint)}`)
  const last = wrap(verdict(report), width).map(line => paint.good(paint.bold(line)))
  return `${[...parts, last.join('\n')].join('\n\n')}\n`
}

const numbers = ['copied', 'insert', 'update', 'delete', 'truncate'] as const

function tableOf({ tables }: FollowReport, width: number, paint: Paint): string {
  const columns: Column[] = [
    { heading: 'table' },
    ...numbers.map(name => ({ heading: name as string, right: true }))
  ]
  const rows = tables.map(one => [shown(one.table), ...numbers.map(name => count(one[name]))])
  return table(columns, rows, width, paint)
}

function verdict({ tables, batches, retries, durationMs }: FollowReport): string {
  const sum = (names: readonly (typeof numbers)[number][]) =>
    tables.reduce((sum, one) => sum + names.reduce((sum, name) => sum + one[name], 0), 0)
  const copied = sum(['copied'])
  const changes = sum(['insert', 'update', 'delete', 'truncate'])
  const parts: string[] = []
  if (copied > 0) parts.push(`${some(copied, 'row')} copied`)
  if (changes > 0) parts.push(`${some(changes, 'change')} written in ${some(batches, 'batch', 'batches')}`)
  if (parts.length === 0) parts.push('nothing had to be written')
  if (retries > 0) parts.push(some(retries, 'retry', 'retries'))
  return `Done: ${listed(parts)} (${time(durationMs)})`
}
