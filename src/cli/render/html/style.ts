/** How the report looks: light and dark as the reader's system is, on paper too. Colours are by meaning, and never all that tells. */
export const style = `
:root {
  --ground: #f6f6f3; --card: #ffffff; --ink: #1d1e22; --soft: #5d616b; --line: #e3e3de; --accent: #2b62b8;
  --good: #177245; --differs: #8a5a00; --bad: #b02a20;
  --insert: #1f9d63; --update: #d08700; --delete: #cf3f34; --mixed: #7a55c7; --track: #ecece8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131417; --card: #1b1d21; --ink: #e9e9ec; --soft: #a4a8b2; --line: #2c2f35; --accent: #83aef8;
    --good: #5fcb92; --differs: #e3b45a; --bad: #ff8f85;
    --insert: #3fbf85; --update: #e0a53a; --delete: #f0776c; --mixed: #a98cf0; --track: #26282d;
  }
}
* { box-sizing: border-box; margin: 0; }
[hidden] { display: none !important; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
body {
  background: var(--ground); color: var(--ink); line-height: 1.45; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  font-size: 15px; font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 76rem; margin: 0 auto; padding: 2.25rem 1.25rem 3rem; }
.soft, dt, .name { color: var(--soft); }
.soft, dt, .reason { font-size: .8125rem; font-weight: 400; }
h1 { font-size: 1.5rem; font-weight: 600; letter-spacing: -.01em; line-height: 1.3; max-width: 48em; margin: .15rem 0 .9rem; }
h1::before { content: ""; display: inline-block; width: .65rem; height: .65rem; border-radius: 50%; background: var(--tone); margin-right: .6rem; vertical-align: .08em; }
h1.good { --tone: var(--good); } h1.differs { --tone: var(--differs); } h1.bad { --tone: var(--bad); }
h2 { font-size: 1rem; font-weight: 600; margin: 0 0 .75rem; }
section { margin: 0 0 2.25rem; }
.route { display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
.route div { display: flex; gap: .5rem; align-items: baseline; min-width: 0; }
.route dd { font-size: .8125rem; }
code, pre, .samples, .changes strong { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .8125rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0 2.25rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; padding: .7rem 1rem .8rem; min-width: 0; }
.card dd { display: flex; flex-direction: column; }
.big { font-size: 1.375rem; font-weight: 600; letter-spacing: -.01em; line-height: 1.35; }
.good { color: var(--good); } .differs { color: var(--differs); } .bad { color: var(--bad); }
h1.good, h1.differs, h1.bad { color: var(--ink); }
ul { list-style: none; padding: 0; }
.changes, .sentences, .scroll { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
.changes > li, .sentences > li { padding: .55rem 1rem; }
.changes > li + li, .sentences > li + li { border-top: 1px solid var(--line); }
.sentences.bad > li { color: var(--bad); }
.tag { display: inline-block; min-width: 4.2em; }
.changes .status, .tag { font-size: .8125rem; color: var(--soft); }
.changes .failed { color: var(--bad); } .changes .applied { color: var(--good); }
.changes .pending, .changes .left { color: var(--differs); }
.hazard { font-size: .75rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; color: var(--soft); white-space: nowrap; }
.hazard.bad { border-color: var(--bad); color: var(--bad); }
.reason { margin-top: .15rem; }
details { margin-top: .3rem; }
summary { cursor: pointer; color: var(--accent); font-size: .8125rem; width: fit-content; }
pre { white-space: pre-wrap; padding: .5rem .75rem; margin-top: .3rem; background: var(--ground); border-radius: .4rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: baseline; margin-bottom: .75rem; font-size: .875rem; }
input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; padding: .25rem .5rem; }
input { width: 15rem; max-width: 100%; }
output { color: var(--soft); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem 1rem; text-align: right; vertical-align: baseline; }
thead th { font-size: .8125rem; font-weight: 400; color: var(--soft); white-space: nowrap; }
th:first-child, td:nth-child(2), th:nth-child(2), #tables th:last-child, #tables td:last-child { text-align: left; }
tbody tr:not(.more) > * { border-top: 1px solid var(--line); }
tbody th { font-weight: 500; min-width: 12rem; }
td.none { color: var(--soft); }
#tables td:last-child { width: 22%; min-width: 9rem; vertical-align: middle; }
thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
thead button::after { content: " ↕"; opacity: .35; }
[aria-sort=ascending] button::after { content: " ↑"; opacity: 1; }
[aria-sort=descending] button::after { content: " ↓"; opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
tr.more td { text-align: left; padding: 0 1rem .7rem; }
.map { display: block; width: 100%; height: .8rem; background: var(--track); border-radius: .2rem; }
.map.key { display: inline-block; width: 2.4rem; vertical-align: -.08em; }
rect.insert { fill: var(--insert); } rect.update { fill: var(--update); } rect.delete { fill: var(--delete); } rect.mixed { fill: var(--mixed); }
rect.s1 { opacity: .45; } rect.s2 { opacity: .7; }
.legend { margin: -1.5rem 0 2.25rem; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
.samples li { padding: .2rem 0 .2rem 1.4rem; text-indent: -1.4rem; }
.samples li > * { text-indent: 0; }
.mark { display: inline-block; width: 1.4rem; font-weight: 700; }
li.insert > .mark { color: var(--insert); } li.update > .mark { color: var(--update); } li.delete > .mark { color: var(--delete); }
.pair { margin-right: .9rem; }
.value em { color: var(--soft); }
del { color: var(--bad); } ins { color: var(--good); text-decoration: none; }
@media (max-width: 46rem) { th, td { padding: .4rem .6rem; } main { padding: 1.25rem .75rem 2rem; } }
@media print {
  :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --track: #eee; color-scheme: light; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  form, thead button::after { display: none; }
  .scroll { overflow: visible; border: 0; }
  tbody, .card, .changes > li { break-inside: avoid; }
  .map, rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
