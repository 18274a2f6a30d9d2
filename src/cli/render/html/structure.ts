/** What differs in the structure: each change with what it may do to those who use the standby, and its SQL. */
import { labelOf, type SchemaChange } from '../../../schema/change.js'
import type { Report } from '../../../sync/report.js'
import { meaningOf } from '../paint.js'
import { some } from '../words.js'
import { html, lines, type Content } from './markup.js'

export function structureSection({ schema: { changes } }: Report): Content {
  if (changes.length === 0) return undefined
  return html` <section aria-labelledby="structure-title">
    <h2 id="structure-title">Structure <span class="soft">${some(changes.length, 'change')}</span></h2>
    <ul class="changes">
      ${changes.map(changeItem)}
    </ul>
  </section>`
}

function changeItem(change: SchemaChange): Content {
  const { action, status, hazards, reason, sql } = change
  return html` <li>
    <span class="tag">${action}</span> <span class="status ${status}">${status}</span>
    <strong>${labelOf(change)}</strong>
    ${hazards.map(name => html`<span class="hazard ${meaningOf(name) === 'bad' ? 'bad' : ''}">${name}</span> `)}${
      reason === undefined ? undefined : html`<p class="reason">${reason}</p>`
    }${
      sql.length === 0
        ? undefined
        : html`<details ${isShort(sql) ? html`open` : undefined}>
            <summary>SQL</summary>
            <pre>${lines(sql.map(one => one.trim()).join('\n'))}</pre>
          </details>`
    }
  </li>`
}

/** It is shown without being asked for. */
const isShort = (sql: readonly string[]): boolean => sql.join('\n').split('\n').length <= 6
