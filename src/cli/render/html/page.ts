/**
 * A report as one page that needs nobody: no network, no other file, and without its script still all there. What came out of a database is text
 * in it, never markup, and its policy lets nothing run but the one script and the one style whose hashes it names.
 */
import { createHash } from 'node:crypto'
import type { Report } from '../../../sync/report.js'
import { meaningOf } from '../paint.js'
import { verdict } from '../verdict.js'
import { count, some, time } from '../words.js'
import { html, Markup, type Content } from './markup.js'
import { script } from './script.js'
import { structureSection } from './structure.js'
import { style } from './style.js'
import { tableSection } from './tables.js'

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'"
].join('; ')

// To the letter what their hashes are of.
const styleElement = new Markup(`<style>${style}</style>`)
const scriptElement = new Markup(`<script>${script}</script>`)

/** The whole page. */
export function renderHtml(report: Report): string {
  const { text, style: meaning } = verdict(report)
  const { command, main, standby, cut, totals, durationMs } = report
  const server = (role: string, { address, version: of }: Report['main']) =>
    html`<div>
      <dt>${role}</dt>
      <dd><code>${address}</code> <span class="soft">PostgreSQL ${of}</span></dd>
    </div>`
  const moment = [cut.time, cut.lsn && `LSN ${cut.lsn}`, cut.snapshot && `snapshot ${cut.snapshot}`]
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>pgsyncer ${command}: ${standby.address}</title>
        <link rel="icon" href="data:," />
        ${styleElement}
      </head>
      <body>
        <main>
          <header>
            <p class="soft">pgsyncer ${command} · ${cut.time}</p>
            <h1 class="${meaning}">
              ${text.replace(/ \([^()]*\)$/, '').replace('named above', 'named below')}
            </h1>
            <dl class="route">
              ${server('main', main)}${server('standby', standby)}
              <div>
                <dt>cut</dt>
                <dd>${moment.filter(Boolean).join(' · ')}</dd>
              </div>
            </dl>
          </header>
          <dl class="cards" aria-label="Totals">
            ${card('Tables', totals.tables, facts(totals))}
            ${card('Rows on main', totals.rows.main, `${count(totals.rows.standby)} on the standby`)}
            ${card(command === 'diff' ? 'To insert' : 'Inserted', totals.insert)}
            ${card(command === 'diff' ? 'To update' : 'Updated', totals.update)}
            ${card(command === 'diff' ? 'To delete' : 'Deleted', totals.delete)}
            <div class="card">
              <dt>Took</dt>
              <dd><span class="big">${time(durationMs)}</span></dd>
            </div>
          </dl>
          ${list('Failures', report.failures)} ${structureSection(report)} ${tableSection(report)}
          ${report.tables.some(table => table.drift) ? legend : undefined}
          ${smallSection('Sequences', ['sequence', 'main', 'standby'], report.sequences)}
          ${smallSection('Materialized views', ['view', 'rows main', 'rows standby'], report.views)}
          ${list('Notes', report.notes)}
        </main>
        ${scriptElement}
      </body>
    </html> `
  return page.text
}

const card = (label: string, n: number, more = ''): Content =>
  html`<div class="card">
    <dt>${label}</dt>
    <dd><span class="big">${count(n)}</span><span class="soft">${more}</span></dd>
  </div>`

function facts(totals: Report['totals']): string {
  const words = ['identical', 'differs', 'synced', 'failed', 'skipped'] as const
  return words
    .filter(word => totals[word] > 0)
    .map(word => `${count(totals[word])} ${word === 'differs' && totals[word] > 1 ? 'differ' : word}`)
    .join(', ')
}

const legend = html` <p class="legend soft">
  Where: from the lowest key to the highest, the stronger the larger the part of the rows.
  ${(['insert', 'update', 'delete', 'mixed'] as const).map(kind => html`<span><svg class="map key" viewBox="0 0 3 1" aria-hidden="true">${[1, 2, 3].map(n => html`<rect class="${kind} s${n}" x="${n - 1}" width="1" height="1" />`)}</svg> ${kind}</span> `)}
</p>`

function list(title: string, texts: readonly string[]): Content {
  if (texts.length === 0) return undefined
  const id = `${title.toLowerCase()}-title`
  return html` <section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    <ul class="sentences ${id === 'failures-title' ? 'bad' : ''}">
      ${texts.map(text => html`<li>${text}</li>`)}
    </ul>
  </section>`
}

/** Of what has one number on each side. */
function smallSection(
  title: string,
  heads: readonly [string, string, string],
  all: readonly (Report['sequences'][number] | Report['views'][number])[]
): Content {
  const told = all.filter(one => one.status !== 'identical' || one.reason !== undefined)
  if (told.length === 0) return undefined
  const [what, main, standby] = heads
  const id = `${title.toLowerCase().replace(' ', '-')}-title`
  const number = (n: string | number | null) => (typeof n === 'number' ? count(n) : (n ?? '–'))
  const why = (one: (typeof all)[number]) => [one.reason, 'hint' in one && one.hint].filter(Boolean).join(' ')
  return html` <section>
    <h2 id="${id}">${title} <span class="soft">${some(told.length, what)} of ${count(all.length)}</span></h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="${id}">
      <table>
        <thead>
          <tr>
            <th scope="col">${what}</th>
            <th scope="col">status</th>
            <th scope="col">${main}</th>
            <th scope="col">${standby}</th>
          </tr>
        </thead>
        <tbody>
          ${told.map(
            one =>
              html`<tr>
                <th scope="row">
                  ${one.schema}.${one.name}${one.reason === undefined ? undefined : html`<p class="reason">${why(one)}</p>`}
                </th>
                <td class="status ${meaningOf(one.status)}">${one.status}</td>
                <td>${number(one.main)}</td>
                <td>${number(one.standby)}</td>
              </tr>`
          )}
        </tbody>
      </table>
    </div>
  </section>`
}
