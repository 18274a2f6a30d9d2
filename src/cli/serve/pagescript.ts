/** What the live page does: takes a snapshot (snapshot.ts) a second and writes it as text. No markup is ever made of data. */
export const script = String.raw`'use strict'
const at = id => document.getElementById(id)
const number = new Intl.NumberFormat('en-US')
const count = n => number.format(n)
const some = (n, one) => count(n) + ' ' + one + (n === 1 ? '' : 's')
const columns = { copy: 'First copy', insert: 'Inserted', update: 'Updated', delete: 'Deleted', truncate: 'Truncated' }
const words = { connecting: 'Connecting', copying: 'First copy', following: 'Following', waiting: 'Waiting to try again', stopped: 'Stopped' }
const sources = { poll: 'polling', notify: 'notify', outbox: 'the outbox', wal: 'the WAL' }
const kinds = { retry: 'tried again', note: 'note', schema: 'new columns' }

/** What is selected stays so where nothing has changed. */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}
function card(id, big, sub) {
  put(at(id).querySelector('.big'), big)
  put(at(id).querySelector('.sub'), sub)
}
function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  while (bytes >= 999.5 && at < units.length - 1) {
    bytes /= 1000
    at++
  }
  return (at === 0 || bytes >= 99.5 ? Math.round(bytes) : bytes.toFixed(1)) + ' ' + units[at]
}
function time(seconds) {
  if (seconds < 10) return (Number.isInteger(seconds) ? seconds : seconds.toFixed(1)) + ' s'
  if (seconds < 60) return Math.floor(seconds) + ' s'
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return minutes + ' min'
  if (minutes < 1440) return Math.floor(minutes / 60) + ' h ' + (minutes % 60) + ' min'
  return Math.floor(minutes / 1440) + ' d ' + Math.floor((minutes % 1440) / 60) + ' h'
}

function show(now) {
  const { about, lag, trouble } = now
  document.body.classList.remove('lost')
  document.title = about.stream + ': ' + words[now.state].toLowerCase() + (trouble ? ' (not healthy)' : '')
  put(at('version'), about.version)
  put(at('stream'), about.stream)
  put(at('main'), about.main)
  put(at('to'), about.to)
  put(at('source'), sources[about.source] || about.source)
  at('state').dataset.state = trouble ? 'trouble' : now.state
  put(at('state').querySelector('strong'), words[now.state] + (trouble ? ', not healthy' : ''))
  put(at('since'), 'for ' + time(now.stateAge))
  at('trouble').hidden = !trouble
  put(at('trouble'), trouble || '')
  const behind = [lag.bytes && size(lag.bytes), lag.rows && some(lag.rows, 'change')].filter(Boolean)
  const known = lag.bytes !== null || lag.rows !== null
  const age = lag.seconds === null ? '' : 'at most ' + time(lag.seconds)
  if (behind.length === 0) card('lag', known ? 'Level' : '–', known ? 'nothing is missing' : 'the source cannot tell')
  else card('lag', behind[0], [behind[1], age].filter(Boolean).join(', ') || 'of WAL not written yet')
  card('written', count(now.changes), now.changes === 1 ? 'change in ' + some(now.batches, 'batch') : 'changes in ' + count(now.batches) + (now.batches === 1 ? ' batch' : ' batches'))
  card('progress', now.progressAge === null ? '–' : now.progressAge === 0 ? 'Now' : time(now.progressAge) + ' ago',
    'up for ' + time(now.upAge) + (now.retries > 0 ? ', ' + count(now.retries) + (now.retries === 1 ? ' retry' : ' retries') : ''))
  at('retained').hidden = lag.retainedBytes === null
  if (lag.retainedBytes !== null) card('retained', size(lag.retainedBytes), 'WAL for the slot')
  showRate(now.rates)
  showTables(now.tables)
  at('position-section').hidden = now.position === null
  put(at('position'), now.position || '')
  showRemarks(now.remarks)
}

function showRate(rates) {
  const last = rates.slice(-5)
  const rate = last.reduce((sum, n) => sum + n, 0) / last.length
  const most = Math.max(...rates)
  card('rate', rate > 0 && rate < 10 ? rate.toFixed(1) : count(Math.round(rate)), 'at most ' + count(most) + ' in the last minute')
  const points = rates.map((n, i) => ((i * 240) / (rates.length - 1)).toFixed(1) + ',' + (43 - (41 * n) / Math.max(most, 1)).toFixed(1))
  at('spark').setAttribute('aria-label', 'Changes a second over the last minute: at most ' + count(most) + ', now ' + count(Math.round(rate)))
  at('spark').querySelector('polyline').setAttribute('points', points.join(' '))
  at('spark').querySelector('polygon').setAttribute('points', '0,44 ' + points.join(' ') + ' 240,44')
}

const rows = new Map()
function rowOf(name) {
  let row = rows.get(name)
  if (row) return row
  row = document.createElement('tr')
  row.setAttribute('role', 'row')
  const head = document.createElement('th')
  head.scope = 'row'
  head.setAttribute('role', 'rowheader')
  head.textContent = name
  row.append(head)
  for (const [column, label] of Object.entries(columns)) {
    const cell = document.createElement('td')
    cell.setAttribute('role', 'cell')
    cell.dataset.column = column
    cell.dataset.label = label
    row.append(cell)
  }
  rows.set(name, row)
  return row
}
function copyText(copy) {
  if (!copy) return '–'
  if (copy.rows !== null) return some(copy.rows, 'row').replace(' ', '\u00a0')
  return size(copy.bytes) + (copy.estimate > 0 ? ' of about ' + some(copy.estimate, 'row') : '') + ' …'
}
function showTables(tables) {
  at('tables').hidden = tables.length === 0
  at('no-tables').hidden = tables.length > 0
  const body = at('tables').tBodies[0]
  let next = body.firstChild
  for (const one of tables) {
    const row = rowOf(one.table)
    if (row === next) next = next.nextSibling
    else body.insertBefore(row, next)
    for (const cell of row.querySelectorAll('td')) {
      const column = cell.dataset.column
      put(cell, column === 'copy' ? copyText(one.copy) : count(one[column]))
      cell.classList.toggle('none', !one[column])
    }
  }
  for (const column of ['copy', 'truncate']) {
    const empty = !tables.some(one => one[column])
    for (const cell of at('tables').querySelectorAll('[data-column=' + column + ']')) cell.hidden = empty
  }
}

function showRemarks(remarks) {
  const list = at('remarks')
  at('remarks-section').hidden = remarks.length === 0
  while (list.children.length > remarks.length) list.lastChild.remove()
  while (list.children.length < remarks.length) {
    const item = document.createElement('li')
    item.append(document.createElement('span'), document.createElement('span'))
    item.firstChild.className = 'soft'
    list.append(item)
  }
  remarks.forEach((one, i) => {
    const item = list.children[i]
    item.dataset.kind = one.kind
    put(item.firstChild, kinds[one.kind] + ', ' + time(one.age) + ' ago')
    put(item.lastChild, one.text)
  })
}

const events = new EventSource('events')
events.onmessage = message => show(JSON.parse(message.data))
events.onerror = () => {
  document.body.classList.add('lost')
  at('state').dataset.state = 'waiting'
  put(at('state').querySelector('strong'), 'No connection to the follower')
  put(at('since'), 'it may have been stopped')
}
`
