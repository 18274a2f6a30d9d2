/**
 * A report as it may leave the process. Sentences (reasons, hints, notes) may quote a server and pass through
 * `redact`; names, keys and values are data, and a password that happens to be the word `orders` must not blank them.
 */
import { redact } from '../../core/redact.js'
import type { Report } from '../../sync/report.js'

/** The same report with every sentence redacted. */
export function redacted(report: Report): Report {
  return {
    ...report,
    schema: { ...report.schema, changes: report.schema.changes.map(sentences) },
    tables: report.tables.map(sentences),
    sequences: report.sequences.map(sentences),
    failures: report.failures.map(redact),
    notes: report.notes.map(redact)
  }
}

function sentences<T extends { reason?: string; hint?: string }>(part: T): T {
  return {
    ...part,
    ...(part.reason !== undefined && { reason: redact(part.reason) }),
    ...(part.hint !== undefined && { hint: redact(part.hint) })
  }
}

/** With at most so many samples of each table: a .sql report asks the run for more than the others show. */
export function withSamples(report: Report, limit: number): Report {
  return {
    ...report,
    tables: report.tables.map(table => ({ ...table, samples: table.samples.slice(0, limit) }))
  }
}
