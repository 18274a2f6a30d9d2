/** What Prometheus sees of a follower. Counters grow with events; gauges are read from the status when they are asked for. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { FollowEvent, FollowState } from '../../core/events.js'
import { lagSeconds, type Status } from './status.js'

/** What is followed, fit to be shown: no passwords. */
export interface About {
  main: string
  to: string
  stream: string
  source: string
  version: string
}

const states: readonly FollowState[] = ['connecting', 'copying', 'following', 'waiting', 'stopped']
const writeBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

export class Metrics {
  readonly #registry = new Registry()
  readonly #counters: ReturnType<typeof makeCounters>
  readonly #gauges: ReturnType<typeof makeGauges>

  constructor(about: About) {
    const registers = [this.#registry]
    new Gauge({
      name: 'pgsyncer_info',
      help: 'What is followed; always 1.',
      labelNames: Object.keys(about),
      registers
    }).set({ ...about }, 1)
    this.#counters = makeCounters(registers)
    this.#gauges = makeGauges(registers)
    collectDefaultMetrics({ register: this.#registry, prefix: 'pgsyncer_' })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Counts an event that came at `now`, milliseconds since 1970. */
  take(event: FollowEvent, now: number): void {
    const to = this.#counters
    if (event.type === 'batch') this.#written(event, now)
    else if (event.type === 'retry') to.retries.inc()
    else if (event.type === 'copy-bytes') to.copiedBytes.inc({ table: event.table }, event.bytes)
    else if (event.type === 'copy-end') to.copiedRows.inc({ table: event.table }, event.rows)
  }

  /** In Prometheus' text format. */
  async text(status: Status, now: number): Promise<string> {
    const gauges = this.#gauges
    const { lag, progressAt } = status
    for (const state of states) gauges.state.set({ state }, state === status.state ? 1 : 0)
    show(gauges.lagBytes, lag?.bytes)
    show(gauges.lagRows, lag?.rows)
    show(gauges.lagSeconds, lagSeconds(status, now))
    show(gauges.retained, lag?.retainedBytes)
    show(gauges.progress, progressAt === undefined ? undefined : progressAt / 1000)
    return this.#registry.metrics()
  }

  close(): void {
    this.#registry.clear()
  }

  #written(event: Extract<FollowEvent, { type: 'batch' }>, now: number): void {
    // It only moves the position.
    if (event.changes === 0) return
    const to = this.#counters
    to.batches.inc()
    for (const [table, counts] of Object.entries(event.tables))
      for (const [operation, n] of Object.entries(counts)) to.changes.inc({ table, operation }, n)
    to.writing.observe(event.duration / 1000)
    // The two clocks may differ.
    if (event.committedAt !== undefined) to.latency.observe(Math.max(0, now - event.committedAt) / 1000)
  }
}

/** A value that nobody knows is left out: 0 would be a claim. */
function show(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove()
  else gauge.set(value)
}

function makeCounters(registers: Registry[]) {
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name: `pgsyncer_${name}_total`, help, labelNames, registers })
  return {
    changes: counter('changes', 'Changes written to the sink.', ['table', 'operation']),
    batches: counter('batches', 'Batches of changes written to the sink.'),
    retries: counter('retries', 'Failures after which it was tried again.'),
    copiedRows: counter('copied_rows', 'Rows of first copies that are done.', ['table']),
    copiedBytes: counter('copied_bytes', 'Bytes of first copies, as read from main.', ['table']),
    writing: new Histogram({
      name: 'pgsyncer_write_duration_seconds',
      help: 'Time the sink took to make a batch of changes durable.',
      buckets: writeBuckets,
      registers
    }),
    latency: new Histogram({
      name: 'pgsyncer_commit_to_written_seconds',
      help: "Time from the commit on main of a batch's last change until the batch was durable in the sink.",
      buckets: latencyBuckets,
      registers
    })
  }
}

function makeGauges(registers: Registry[]) {
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name: `pgsyncer_${name}`, help, labelNames, registers })
  return {
    lagBytes: gauge('lag_bytes', 'WAL that is not in the sink yet.'),
    lagRows: gauge('lag_rows', 'Changes that are known and not in the sink yet.'),
    lagSeconds: gauge(
      'lag_seconds',
      'How old the oldest change may be that is not in the sink; 0: none is missing.'
    ),
    retained: gauge('slot_retained_bytes', 'WAL that main keeps for the replication slot.'),
    progress: gauge(
      'last_progress_timestamp_seconds',
      'When something was last written or copied, or the position moved.'
    ),
    state: gauge('state', 'What it is doing: 1 for the present state, 0 for the others.', ['state'])
  }
}
