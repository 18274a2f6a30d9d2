/** Sequences, set after the rows: `last_value` and `is_called`, and never backwards unless that was asked for. */
import { messageOf } from '../core/errors.js'
import { retrying, type RetryPolicy } from '../core/retry.js'
import { literal, qualified } from '../postgres/quote.js'
import type { Sequence } from '../postgres/relations.js'
import type { Server } from '../postgres/server.js'

export interface SequenceResult {
  schema: string
  name: string
  status: 'identical' | 'differs' | 'ahead' | 'synced' | 'failed' | 'skipped'
  main: string
  standby: string | null
  /** Main's next value is after `main`, not `main` itself. */
  called?: boolean
  reason?: string
}

/** Each of main's sequences against the standby's of the same name. */
export function compareSequences(main: readonly Sequence[], standby: readonly Sequence[]): SequenceResult[] {
  const theirs = new Map(standby.map(one => [qualified(one.schema, one.name), one]))
  return main.map(ours => {
    const other = theirs.get(qualified(ours.schema, ours.name))
    const closed = [
      ...(ours.lastValue === undefined ? ['main'] : []),
      ...(other && other.lastValue === undefined ? ['the standby'] : [])
    ]
    const reason = !other
      ? 'missing on the standby'
      : closed.length > 0
        ? `the role may not read it on ${closed.join(' and ')}: GRANT SELECT ON SEQUENCE ${qualified(ours.schema, ours.name)}`
        : undefined
    return {
      schema: ours.schema,
      name: ours.name,
      status: closed.length > 0 ? 'failed' : !other ? 'differs' : position(ours, other),
      main: ours.lastValue ?? '',
      standby: other?.lastValue ?? null,
      called: ours.called,
      ...(reason !== undefined && { reason })
    }
  })
}

function position(main: Sequence, standby: Sequence): SequenceResult['status'] {
  const next = (one: Sequence) => BigInt(one.lastValue!) + (one.called ? BigInt(one.increment) : 0n)
  const [a, b] = [next(main), next(standby)]
  if (a === b) return 'identical'
  const forward = BigInt(main.increment) > 0n
  return b > a === forward ? 'ahead' : 'differs'
}

/** Sets what differs; what is ahead only where `backwards` allows it. */
export async function setSequences(
  standby: Server,
  results: readonly SequenceResult[],
  main: readonly Sequence[],
  backwards: boolean,
  retry: RetryPolicy
): Promise<void> {
  const ours = new Map(main.map(one => [qualified(one.schema, one.name), one]))
  for (const result of results) {
    if (result.standby === null || !(result.status === 'differs' || (result.status === 'ahead' && backwards)))
      continue
    const name = qualified(result.schema, result.name)
    const { lastValue, called } = ours.get(name)!
    try {
      const set = `SELECT pg_catalog.setval(${literal(name)}::regclass, ${literal(lastValue!)}::bigint, ${called})`
      await retrying(name, retry, async () => standby.sql.unsafe(set))
      result.status = 'synced'
    } catch (error) {
      retry.signal.throwIfAborted()
      result.status = 'failed'
      result.reason = messageOf(error)
    }
  }
}
