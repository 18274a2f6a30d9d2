/**
 * The live page: one document that asks nobody but this server, and only for `/events`. What it shows comes as JSON and becomes
 * text, never markup; its policy lets nothing run but the one script and the one style whose hashes it names.
 */
import { createHash } from 'node:crypto'
import { script } from './pagescript.js'
import { style } from './pagestyle.js'

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Content-Security-Policy of the page. */
export const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

const card = (id: string, label: string, more = ''): string => `
      <div class="card" id="${id}"><dt>${label}</dt><dd><span class="big"></span>${more}<span class="sub"></span></dd></div>`

const spark = `<svg id="spark" viewBox="0 0 240 44" preserveAspectRatio="none" role="img" aria-label="Changes a second">
        <polygon/><polyline/></svg>`

export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>pgsyncer</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
  <header>
    <div>
      <p class="soft">pgsyncer follow <span id="version"></span></p>
      <h1 id="stream">…</h1>
    </div>
    <p id="state" data-state="connecting"><span class="dot" aria-hidden="true"></span><strong role="status"></strong>
      <span class="soft" id="since"></span></p>
    <dl id="route">
      <div><dt>from</dt><dd id="main"></dd></div>
      <div><dt>to</dt><dd id="to"></dd></div>
      <div><dt>by</dt><dd id="source"></dd></div>
    </dl>
  </header>
  <noscript><p class="trouble">This page needs JavaScript. The same figures are at <a href="metrics">/metrics</a>.</p></noscript>
  <p id="trouble" class="trouble" hidden></p>
  <div id="figures">
    <dl class="cards" aria-label="Figures">${card('rate', 'Changes a second', spark)}${card('lag', 'Behind')}${card('written', 'Written')}${card('progress', 'Last progress')}${card('retained', 'Kept on main')}
    </dl>
    <section aria-labelledby="tables-title">
      <h2 id="tables-title">Tables</h2>
      <p id="no-tables" class="soft">Nothing was copied or written yet.</p>
      <table id="tables" role="table" hidden>
        <thead role="rowgroup"><tr role="row">
          <th scope="col" role="columnheader">Table</th>
          <th scope="col" role="columnheader" data-column="copy">First copy</th>
          <th scope="col" role="columnheader" data-column="insert">Inserted</th>
          <th scope="col" role="columnheader" data-column="update">Updated</th>
          <th scope="col" role="columnheader" data-column="delete">Deleted</th>
          <th scope="col" role="columnheader" data-column="truncate">Truncated</th>
        </tr></thead>
        <tbody role="rowgroup"></tbody>
      </table>
    </section>
    <section id="position-section" aria-labelledby="position-title" hidden>
      <h2 id="position-title">Position</h2>
      <p><code id="position"></code></p>
    </section>
    <section id="remarks-section" aria-labelledby="remarks-title" hidden>
      <h2 id="remarks-title">Lately</h2>
      <ul id="remarks"></ul>
    </section>
  </div>
  <footer class="soft"><a href="metrics">Metrics</a> <a href="healthz">Health</a></footer>
</main>
<script>${script}</script>
</body>
</html>
`
