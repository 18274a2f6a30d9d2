/**
 * A report as it may leave the process. Sentences (reasons, hints, notes) may quote a server and pass through
 * `redact`; names, keys and values are data, and a password that happens to be the word `orders` must not blank them.
 * Of SQL, see schema/secretsql.ts.
 */
import { redact } from '../../core/redact.js'
import type { SchemaStatement } from '../../schema/change.js'
import type { Report, SchemaChange, SchemaReport } from '../../sync/report.js'
import { withoutPasswords } from '../../schema/secretsql.js'

/** The same report with every sentence redacted, and no password in its SQL. */
export function redacted(report: Report): Report {
  return {
    ...report,
    schema: redactedSchema(report.schema),
    tables: report.tables.map(sentences),
    sequences: report.sequences.map(sentences),
    views: report.views.map(sentences),
    failures: report.failures.map(redact),
    notes: report.notes.map(redact)
  }
}

function redactedSchema({ script, ...schema }: SchemaReport): SchemaReport {
  const statement = (one: SchemaStatement) => ({ ...one, sql: withoutPasswords(one.sql) })
  return {
    ...schema,
    changes: schema.changes.map(redactedChange),
    ...(script && {
      script: {
        ...script,
        outside: script.outside.map(statement),
        structure: script.structure.map(statement),
        constraints: script.constraints.map(statement)
      }
    })
  }
}

function redactedChange(change: SchemaChange): SchemaChange {
  return { ...sentences(change), sql: change.sql.map(withoutPasswords) }
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
