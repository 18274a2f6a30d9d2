/** The HTML report, in a real browser: readable, reachable by everybody, and whatever a database holds stays text in it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { renderHtml } from '../../../src/cli/render/html/page.js'
import type { DriftCell, Report } from '../../../src/sync/report.js'
import { change, full, report, tableReport } from '../reports.js'
import { found, startBrowser, unless } from '../serve/chromium.js'

const pictures = 'test-artifacts'
const axe = createRequire(import.meta.url).resolve('axe-core')

/** A map of so many cells, of which some differ. */
function cells(count: number, differing: Record<number, [number, number, number]>): DriftCell[] {
  return Array.from({ length: count }, (_, at) => [1000, ...(differing[at] ?? [0, 0, 0])] as DriftCell)
}

const drifting = tableReport({
  table: 'payments',
  status: 'differs',
  rows: { main: 128_000, standby: 127_400 },
  insert: 600,
  update: 7,
  delete: 3,
  drift: {
    by: 'key',
    cells: cells(128, { 3: [0, 2, 0], 4: [0, 5, 0], 60: [0, 0, 3], 127: [600, 0, 0] })
  },
  samples: [{ key: { id: '7' }, kind: 'update', columns: { status: { main: 'paid', standby: 'open' } } }]
})

const everything: Report = { ...full, tables: [drifting, ...full.tables] }

/** What would run if it were markup. */
const attacks = [
  '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '"><svg onload=alert(3)>',
  "' onmouseover='alert(4)",
  '<!--',
  '</style><body onload=alert(5)>',
  '</pre></textarea></title><iframe srcdoc="<script>parent.alert(6)</script>">',
  '{{7*7}}${alert(8)}&lt;b&gt;\u2028\u202e'
]

const hostile = report(
  attacks.map((text, at) =>
    tableReport({
      schema: text,
      table: text,
      status: 'differs',
      key: [text],
      update: 1,
      reason: text,
      hint: text,
      drift: { by: 'hash', cells: cells(4, { 1: [0, 1, 0] }) },
      samples: [
        {
          key: { [text]: text },
          kind: (['insert', 'update', 'delete'] as const)[at % 3]!,
          columns: { [`${text}x`]: { main: text, standby: `${text}y` } }
        }
      ]
    })
  ),
  {
    main: { address: attacks[0]!, version: attacks[1]! },
    standby: { address: attacks[2]!, version: attacks[0]! },
    cut: { snapshot: attacks[0]!, lsn: attacks[1]!, time: attacks[2]! },
    schema: {
      identical: false,
      changes: attacks.map(text => change({ name: text, sql: [text], reason: text }))
    },
    sequences: attacks.map(text => ({
      schema: text,
      name: text,
      status: 'differs',
      main: '1',
      standby: '2',
      called: true,
      reason: text
    })),
    views: attacks.map(text => ({
      schema: text,
      name: text,
      status: 'failed',
      populated: true,
      main: 1,
      standby: null,
      reason: text,
      hint: text
    })),
    failures: attacks,
    notes: attacks
  }
)

describe.skipIf(!found)(`the HTML report in a browser${unless}`, () => {
  let browser: Browser
  const folder = mkdtempSync(join(tmpdir(), 'pgsyncer-html-'))
  const open = new Set<Page>()

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })
  afterEach(async () => {
    for (const page of open) await page.context().close()
    open.clear()
  })

  /** The page as a file, with everything that it complained about or asked for. */
  async function look(of: Report, { dark = false, width = 1200, scripts = true } = {}) {
    const context = await browser.newContext({
      colorScheme: dark ? 'dark' : 'light',
      viewport: { width, height: 900 },
      javaScriptEnabled: scripts
    })
    const page = await context.newPage()
    open.add(page)
    const complaints: string[] = []
    const asked: string[] = []
    page.on('console', message => complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(error.message))
    page.on('dialog', dialog => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', request => asked.push(request.url()))
    const file = join(folder, 'report.html')
    writeFileSync(file, renderHtml(of))
    await page.goto(pathToFileURL(file).href)
    return { page, complaints, asked, url: pathToFileURL(file).href }
  }

  const names = (page: Page) => page.locator('#tables tbody:not([hidden]) tr:first-child th').allInnerTexts()

  test('shows all there is, and asks nobody', async () => {
    const { page, complaints, asked, url } = await look(everything)
    await expect(page.title()).resolves.toContain('pgsyncer diff')
    const text = await page.locator('main').innerText()
    for (const words of [
      'db1:5432/shop',
      'permission denied',
      'GRANT SELECT on it.',
      'CREATE TABLE public.new',
      'only with --clean-extra',
      '9223372036854775807'
    ])
      expect(text).toContain(words)
    expect(await page.locator('svg.map[role=img]').first().getAttribute('aria-label')).toBe(
      'Drift map: 4 of 128 parts differ, between 2% and 100% of the key’s rows'
    )
    expect(asked).toEqual([url])
    expect(complaints).toEqual([])
    await page.locator('summary').first().click()
    for (const [dark, width] of [
      [false, 1200],
      [true, 1200],
      [false, 400]
    ] as const) {
      const { page: shown } = await look(everything, { dark, width })
      await shown
        .locator('.more summary')
        .evaluateAll(all => all.forEach(one => one.parentElement!.setAttribute('open', '')))
      await shown.screenshot({
        path: join(pictures, `report-${dark ? 'dark' : 'light'}-${width}.png`),
        fullPage: true
      })
    }
  })

  test('marks what was and what is', async () => {
    const { page } = await look(everything)
    await page.locator('.more summary').first().click()
    expect(await page.locator('.samples li').first().innerText()).toMatch(/status\s+open\s+→\s+paid/)
    expect(await page.locator('.samples del').first().innerText()).toBe('open')
    expect(await page.locator('.samples ins').first().innerText()).toBe('paid')
  })

  test.each([
    ['light', {}],
    ['dark', { dark: true }],
    ['on a phone', { width: 390 }]
  ])('axe finds nothing: %s', async (_, how) => {
    for (const one of [everything, report([])]) {
      const { page } = await look(one, how)
      await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
      // By the browser's own hand: the page's policy keeps every other script out.
      await page.evaluate(readFileSync(axe, 'utf8'))
      const { violations } = (await page.evaluate('axe.run()')) as AxeResults
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`)).toEqual(
        []
      )
    }
  })

  test('filters by name and by state, and sorts, by the keyboard alone', async () => {
    const { page } = await look(everything)
    // What is the same is left out at first.
    expect(await names(page)).toEqual(['public.payments', 'public.orders', 'public.events', 'public.old'])
    await page.locator('#show').selectOption('all')
    expect(await names(page)).toHaveLength(5)
    await page.locator('#name').focus()
    await page.keyboard.type('ORD')
    expect(await names(page)).toEqual(['public.orders'])
    expect(await page.locator('#found').innerText()).toBe('1 of 5 shown')
    await page.locator('#name').fill('')
    const head = page.locator('thead button', { hasText: 'update' })
    await head.focus()
    await page.keyboard.press('Enter')
    expect((await names(page))[0]).toBe('public.payments')
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending')
    await page.keyboard.press('Enter')
    expect((await names(page)).at(-1)).toBe('public.payments')
    await page.locator('thead button', { hasText: 'table' }).press('Space')
    expect(await names(page)).toEqual([...(await names(page))].sort())
  })

  test('is all there without scripts, and on paper', async () => {
    const { page } = await look(everything, { scripts: false })
    expect(await names(page)).toHaveLength(5)
    expect(await page.locator('#filter').isVisible()).toBe(false)
    const { page: paper } = await look(everything)
    await paper.emulateMedia({ media: 'print' })
    expect(await paper.locator('#filter').isVisible()).toBe(false)
    expect((await paper.pdf({ path: join(pictures, 'report.pdf') })).length).toBeGreaterThan(10_000)
  })

  test('whatever a row, a name or a message holds stays text', async () => {
    const { page, complaints, asked, url } = await look(hostile)
    await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
    for (const one of await page.locator('li, th, td').all()) await one.dispatchEvent('mouseover')
    expect(complaints).toEqual([])
    expect(asked).toEqual([url])
    expect(await page.locator('script').count()).toBe(1)
    expect(await page.locator('img, iframe, [onerror], [onload], [onmouseover]').count()).toBe(0)
    const text = await page.locator('main').innerText()
    for (const attack of attacks.slice(0, 7)) expect(text).toContain(attack)
    expect(text).toContain('\\u{202e}')
    // Even a script that got in would not run.
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = "broken"' }))`
    )
    expect(await page.title()).not.toBe('broken')
  })

  test('2,000 tables are one page that answers', async () => {
    const tables = Array.from({ length: 2000 }, (_, at) =>
      at % 20 === 0 ? { ...drifting, table: `t${at}` } : tableReport({ table: `t${at}` })
    )
    const { page, complaints } = await look(report(tables))
    expect(await names(page)).toHaveLength(100)
    await page.locator('#show').selectOption('all')
    await page.locator('#name').fill('t199')
    expect(await names(page)).toHaveLength(11)
    expect(complaints).toEqual([])
    await page.screenshot({ path: join(pictures, 'report-2000.png') })
  })
})
