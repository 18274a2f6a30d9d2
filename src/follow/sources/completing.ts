/** A source whose changes are made whole on their way. */
import type { Lag } from '../../core/events.js'
import type { ChangeBatch, Position, Snapshot, Source, Start } from '../ports.js'
import type { FollowedTable } from '../table.js'
import type { Completer } from './complete.js'

export class Completing implements Source {
  constructor(
    private readonly source: Source,
    private readonly completer: Completer
  ) {}

  get capabilities(): Source['capabilities'] {
    return this.source.capabilities
  }

  get origin(): string {
    return this.source.origin
  }

  get tables(): readonly FollowedTable[] {
    return this.source.tables
  }

  snapshot(tables: readonly FollowedTable[], signal: AbortSignal): Promise<Snapshot> {
    return this.source.snapshot(tables, signal)
  }

  async *stream(start: Start, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    for await (const batch of this.source.stream(start, signal))
      yield await this.completer.complete(batch, signal)
  }

  ack(position: Position): Promise<void> {
    return this.source.ack(position)
  }

  lag(): Promise<Lag> {
    return this.source.lag()
  }

  async close(): Promise<void> {
    await this.completer.close()
    await this.source.close()
  }
}
