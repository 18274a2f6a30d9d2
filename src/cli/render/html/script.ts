/** What the page adds to itself where scripts run: filtering and sorting of the tables. It makes no markup out of anything. */
export const script = `
'use strict'
const table = document.getElementById('tables')
if (table) {
  const bodies = [...table.tBodies]
  const form = document.getElementById('filter')
  const name = document.getElementById('name')
  const show = document.getElementById('show')
  const found = document.getElementById('found')
  const nameOf = body => body.rows[0].cells[0].textContent.toLowerCase()
  const filter = () => {
    const wanted = name.value.trim().toLowerCase()
    let shown = 0
    for (const body of bodies) {
      body.hidden = !nameOf(body).includes(wanted) || (show.value === 'differing' && body.dataset.same === 'yes')
      if (!body.hidden) shown++
    }
    found.textContent = shown === bodies.length ? '' : shown + ' of ' + bodies.length + ' shown'
  }
  form.hidden = false
  form.addEventListener('input', filter)
  form.addEventListener('submit', event => event.preventDefault())
  filter()

  const heads = [...table.tHead.rows[0].cells].filter(head => head.dataset.sort)
  const valueOf = (body, at, kind) => {
    const cell = body.rows[0].cells[at]
    return kind === 'number' ? Number(cell.dataset.value) : cell.textContent
  }
  for (const [at, head] of heads.entries()) {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = head.textContent
    head.replaceChildren(button)
    button.addEventListener('click', () => {
      const kind = head.dataset.sort
      // Names from the first on, numbers from the greatest on; then the other way.
      const before = head.getAttribute('aria-sort')
      const order = before === null ? (kind === 'number' ? 'descending' : 'ascending') : before === 'ascending' ? 'descending' : 'ascending'
      for (const one of heads) one.removeAttribute('aria-sort')
      head.setAttribute('aria-sort', order)
      const sign = order === 'ascending' ? 1 : -1
      const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
      const sorted = bodies
        .map(body => ({ body, value: valueOf(body, at, kind) }))
        .sort((a, b) => sign * compare(a.value, b.value))
      table.append(...sorted.map(({ body }) => body))
    })
  }
}
addEventListener('beforeprint', () => {
  for (const one of document.querySelectorAll('details')) one.open = true
})
`
