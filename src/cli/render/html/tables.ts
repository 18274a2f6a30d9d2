/** The tables: a line each with its counts and drift map, and below the line of one that differs why, and sample rows. */
import type { Report, RowSample, TableReport } from '../../../sync/report.js'
import { meaningOf } from '../paint.js'
import { count, some } from '../words.js'
import { driftMap } from './driftmap.js'
import { html, Markup, type Content } from './markup.js'

const columns = ['table', 'status', 'rows main', 'rows standby', 'insert', 'update', 'delete'] as const

export function tableSection({ tables, totals }: Report): Content {
  if (tables.length === 0) return undefined
  const differing = tables.length - totals.identical
  return html` <section>
    <h2 id="tables-title">Tables <span class="soft">${some(tables.length, 'table')}</span></h2>
    <form id="filter" role="search" aria-label="Tables" hidden>
      <label
        >Name
        <input id="name" type="search" autocomplete="off" spellcheck="false" placeholder="public.orders"
      /></label>
      <label
        >Show
        <select id="show">
          <option value="all">all ${count(tables.length)}</option>
          <option value="differing" ${differing > 0 ? html` selected` : undefined}>
            what differs or failed: ${count(differing)}
          </option>
        </select></label
      >
      <output id="found" for="name show"></output>
    </form>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="tables-title">
      <table id="tables">
        <caption class="hidden">
          Counts of each table, and where its differences lie
        </caption>
        <thead>
          <tr>
            ${columns.map((name, i) => html`<th scope="col" data-sort="${i < 2 ? 'text' : 'number'}">${name}</th>`)}
            <th scope="col">where</th>
          </tr>
        </thead>
        ${tables.map(tableBody)}
      </table>
    </div>
  </section>`
}

function tableBody(table: TableReport): Content {
  const { schema, table: name, status, rows, insert, update, left } = table
  const cell = (n: number) => html`<td class="${n === 0 ? 'none' : ''}" data-value="${n}">${count(n)}</td>`
  const same = status === 'identical' && left === undefined && table.reason === undefined
  return html`<tbody data-same="${same ? 'yes' : 'no'}">
    <tr>
      <th scope="row">${schema}.${name}</th>
      <td class="status ${status} ${meaningOf(status)}">${status}</td>
      ${[rows.main, rows.standby, insert, update, table.delete].map(cell)}
      <td>${driftMap(table.drift)}</td>
    </tr>
    ${details(table)}
  </tbody> `
}

function details({
  reason,
  hint,
  samples,
  key,
  insert,
  update,
  delete: gone,
  left = 0
}: TableReport): Content {
  if (reason === undefined && samples.length === 0) return undefined
  const all = insert + update + gone + left
  return html`<tr class="more">
    <td colspan="8">
      ${reason === undefined ? undefined : html`<p class="reason">${reason}</p>`}${
        hint === undefined ? undefined : html`<p class="soft">${hint}</p>`
      }${
        samples.length === 0
          ? undefined
          : html`<details>
              <summary>
                ${samples.length < all ? `${some(samples.length, 'row')} of ${count(all)} that differ` : `${some(all, 'row')} that differ${all === 1 ? 's' : ''}`}
              </summary>
              <ul class="samples">
                ${samples.map(sample => sampleItem(sample, key))}
              </ul>
            </details>`
      }
    </td>
  </tr>`
}

const marks = { insert: '+', update: '~', delete: '−' } as const

function sampleItem({ kind, key, columns: values }: RowSample, names: readonly string[]): Content {
  const keys = Object.entries(key).filter(([name]) => names.includes(name))
  const rest = Object.entries(values).filter(([name]) => !(name in key) || !names.includes(name))
  return html` <li class="${kind}">
    <span class="mark" aria-hidden="true">${marks[kind]}</span><span class="hidden">${kind}</span>${[
      ...keys.map(([name, text]) => pair(name, value(text))),
      ...rest.map(([name, { main, standby }]) =>
        pair(
          name,
          kind === 'update'
            ? html`<del>${value(standby)}</del> <span aria-hidden="true">→</span> <ins>${value(main)}</ins>`
            : value(kind === 'insert' ? main : standby)
        )
      )
    ]}
  </li>`
}

const pair = (name: string, content: Content): Content =>
  html` <span class="pair"><span class="name">${name}</span> <span class="value">${content}</span></span>`

const nothing = new Markup('<em>NULL</em>')
const empty = new Markup('<em>empty</em>')

const value = (text: string | null | undefined): Content =>
  text === null || text === undefined ? nothing : text === '' ? empty : text
