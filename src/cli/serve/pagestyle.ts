/** How the live page looks: light and dark as the reader's system is, one column, and a table that becomes a list on a phone. */
export const style = `
:root {
  --ground: #f6f6f3; --card: #ffffff; --ink: #1d1e22; --soft: #5d616b; --line: #e3e3de; --accent: #2b62b8;
  --shade: #2b62b81f; --good: #177245; --wait: #8a5a00; --bad: #b02a20; --still: #6b6f78;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131417; --card: #1b1d21; --ink: #e9e9ec; --soft: #a4a8b2; --line: #2c2f35; --accent: #83aef8;
    --shade: #83aef829; --good: #5fcb92; --wait: #e3b45a; --bad: #ff8f85; --still: #9a9ea8;
  }
}
* { box-sizing: border-box; margin: 0; }
[hidden] { display: none !important; }
body {
  background: var(--ground); color: var(--ink); line-height: 1.45; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  font-size: 15px; font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 64rem; margin: 0 auto; padding: 2.25rem 1.25rem 3rem; }
.soft, dt, .sub { color: var(--soft); }
.soft, .sub, dt { font-size: .8125rem; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: end; gap: .75rem 1.5rem; }
h1 { font-size: 1.75rem; font-weight: 600; letter-spacing: -.015em; line-height: 1.2; }
h2 { font-size: .9375rem; font-weight: 600; margin: 0 0 .75rem; }
#state { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .55rem; --tone: var(--still); }
#state strong { font-weight: 600; color: var(--tone); }
.dot { width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone); }
#state[data-state=following] { --tone: var(--good); }
#state[data-state=copying] { --tone: var(--accent); }
#state[data-state=connecting], #state[data-state=waiting] { --tone: var(--wait); }
#state[data-state=trouble] { --tone: var(--bad); }
#route { flex-basis: 100%; display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
#route div { display: flex; gap: .5rem; align-items: baseline; min-width: 0; }
#route dd, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .8125rem; }
.trouble { margin-top: 1.25rem; padding: .75rem 1rem; border-radius: .6rem; border: 1px solid var(--bad); color: var(--bad); background: var(--card); }
#trouble::first-letter { text-transform: uppercase; }
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; margin: 1.5rem 0 2.25rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; padding: .8rem 1rem .9rem; min-width: 0; }
.card dd { display: flex; flex-direction: column; }
.big { font-size: 1.5rem; font-weight: 600; letter-spacing: -.01em; line-height: 1.35; }
#rate { grid-column: span 2; grid-row: span 2; display: flex; flex-direction: column; }
#rate dd { flex: 1; }
#progress:has(+ #retained[hidden]) { grid-column: span 2; }
#spark { width: 100%; height: 3.5rem; flex: 1; margin: .5rem 0; border-bottom: 1px solid var(--line); }
#spark polygon { fill: var(--shade); }
#spark polyline { fill: none; stroke: var(--accent); stroke-width: 1.75; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
section { margin-bottom: 2.25rem; }
table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--card); border: 1px solid var(--line); border-radius: .7rem; overflow: hidden; }
th, td { padding: .55rem 1rem; text-align: right; vertical-align: baseline; }
th { font-weight: 400; }
thead th { font-size: .8125rem; color: var(--soft); white-space: nowrap; }
tbody th, tbody td { border-top: 1px solid var(--line); }
th:first-child { text-align: left; }
td.none { color: var(--still); }
#remarks { list-style: none; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
#remarks li { display: flex; align-items: baseline; gap: .15rem 1rem; padding: .55rem 1rem; }
#remarks li + li { border-top: 1px solid var(--line); }
#remarks li > :first-child { flex: 0 0 11rem; }
#remarks li[data-kind=retry] > :first-child { color: var(--wait); }
footer { display: flex; gap: 1.25rem; }
a { color: var(--accent); text-underline-offset: .2em; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
.lost #figures { opacity: .45; }
@media (max-width: 52rem) {
  .cards { grid-template-columns: 1fr 1fr; }
}
@media (max-width: 38rem) {
  main { padding: 1.25rem .9rem 2rem; }
  #route { flex-direction: column; }
  #route dt { flex: 0 0 2.2rem; }
  .cards { margin: 1.1rem 0 1.75rem; gap: .6rem; }
  .card { padding: .65rem .8rem .7rem; }
  .big { font-size: 1.25rem; }
  #tables, #tables tbody, #tables tr, #tables th, #tables td { display: block; }
  #tables thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  #tables tr { padding: .6rem .8rem; }
  #tables tr + tr { border-top: 1px solid var(--line); }
  #tables tbody th, #tables tbody td { padding: 0; border: 0; }
  #tables tbody td { display: flex; justify-content: space-between; gap: 1rem; font-size: .875rem; }
  #tables tbody td::before { content: attr(data-label); color: var(--soft); flex: none; }
  #tables tbody td.none { display: none; }
  #tables tbody th { font-weight: 600; text-align: left; margin-bottom: .15rem; }
  #remarks li { flex-direction: column; padding: .6rem .8rem; }
  #remarks li > :first-child { flex: none; }
}
`
