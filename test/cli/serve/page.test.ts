import { mkdirSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FollowEvent } from '../../../src/core/events.js'
import { serveFollow, type Served } from '../../../src/cli/serve/server.js'
import { found, startBrowser, unless } from './chromium.js'
import { about, batch } from './events.js'

/** Pictures to be looked at; nothing compares them. */
const pictures = 'test-artifacts'
const hostile = `public.<script>alert(1)</script>`
const quoted = `public."it's" <b>&amp;</b>`

describe.skipIf(!found)(`the live page in a browser${unless}`, () => {
  let browser: Browser
  let served: Served
  const open = new Set<Page>()

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    browser = await startBrowser()
  })
  afterAll(() => browser.close())
  afterEach(async () => {
    vi.useRealTimers()
    for (const page of open) await page.context().close()
    open.clear()
    await served.close()
  })

  interface Look {
    dark?: boolean
    width?: number
  }

  /** The page, with everything that it complained about or asked for. */
  async function look({ dark = false, width = 1100 }: Look = {}) {
    const context = await browser.newContext({
      colorScheme: dark ? 'dark' : 'light',
      viewport: { width, height: 800 },
      deviceScaleFactor: 2
    })
    const page = await context.newPage()
    open.add(page)
    const complaints: string[] = []
    const asked: string[] = []
    page.on('console', message => message.type() !== 'log' && complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(error.message))
    page.on('dialog', dialog => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', request => asked.push(request.url()))
    await page.goto(served.url)
    return { page, complaints, asked }
  }

  const said = (page: Page, selector: string, text: string | RegExp) =>
    expect
      .poll(async () => (await page.locator(selector).innerText()).replaceAll(/\s+/g, ' '), {
        timeout: 10_000
      })
      .toMatch(text)

  async function serve(): Promise<void> {
    served = await serveFollow('127.0.0.1:0', about)
  }

  /** A follower after a minute of work, by a clock that then stands still. */
  function work(more: readonly FollowEvent[] = []): void {
    const later = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)
    const { emit } = served
    emit({ type: 'state', state: 'copying' })
    emit({ type: 'copy-start', table: 'public.orders', rows: 2_000_000 })
    emit({ type: 'copy-bytes', table: 'public.orders', bytes: 312_400_000 })
    later(130)
    emit({ type: 'copy-end', table: 'public.orders', rows: 2_013_377 })
    emit({ type: 'state', state: 'following' })
    emit({ type: 'lag', lag: { bytes: 0 } })
    for (let second = 0; second < 75; second++) {
      later(1)
      const insert = Math.round(400 + 260 * Math.sin(second / 7) + 120 * Math.sin(second * 1.7))
      emit(batch({ 'public.orders': { insert: 17, update: 9, delete: 1 }, 'public.events': { insert } }))
      if (second === 20) emit({ type: 'schema', table: 'public.orders', added: ['colour'] })
    }
    emit(batch({ [hostile]: { insert: 3 }, [quoted]: { update: 4 }, 'public.baskets': { truncate: 1 } }))
    emit({ type: 'retry', what: 'the sink', attempt: 1, delay: 400, reason: 'the connection was lost' })
    emit({ type: 'lag', lag: { bytes: 1_340_000, retainedBytes: 17_000_000 } })
    later(2)
    for (const event of more) emit(event)
  }

  test('shows the state and the counts as they grow', async () => {
    await serve()
    const { page, complaints, asked } = await look()
    await said(page, '#state', /^Connecting/)
    served.emit({ type: 'state', state: 'copying' })
    served.emit({ type: 'copy-start', table: 'public.orders', rows: 50 })
    served.emit({ type: 'copy-bytes', table: 'public.orders', bytes: 1500 })
    await said(page, '#state', /^First copy/)
    await said(page, '#tables tbody', 'public.orders 1.5 kB of about 50 rows …')
    served.emit({ type: 'copy-end', table: 'public.orders', rows: 48 })
    served.emit({ type: 'state', state: 'following' })
    served.emit(batch({ 'public.orders': { insert: 2 } }))
    await said(page, '#state', /^Following/)
    await said(page, '#tables tbody', 'public.orders 48 rows 2 0 0')
    served.emit(batch({ 'public.orders': { insert: 1000, delete: 1 }, 'public.a': { update: 1 } }))
    await said(page, '#tables tbody', 'public.a – 0 1 0 public.orders 48 rows 1,002 0 1')
    await said(page, '#written', 'Written 1,004 changes in 2 batches')
    served.emit(batch({ 'public.a': { update: 1 } }, { committedAt: Date.now() }))
    served.emit({ type: 'lag', lag: { bytes: 2_500_000, rows: 7 } })
    await said(page, '#lag', /^Behind 2.5 MB 7 changes, at most [\d.]+ s$/)
    served.emit({ type: 'lag', lag: { bytes: 0, rows: 0 } })
    await said(page, '#lag', 'Behind Level nothing is missing')
    expect(await page.title()).toBe('shop: following')
    expect(await page.getByRole('columnheader').allInnerTexts()).toEqual([
      'Table', 'First copy', 'Inserted', 'Updated', 'Deleted'
    ]) // prettier-ignore
    expect(complaints).toEqual([])
    expect(new Set(asked.map(url => new URL(url).origin + new URL(url).pathname))).toEqual(
      new Set([served.url, `${served.url}events`])
    )
  })

  test('shows whatever a database holds as text', async () => {
    await serve()
    const { page, complaints } = await look()
    vi.useFakeTimers({ toFake: ['Date'] })
    work()
    served.emit({ type: 'note', message: '<img src=x onerror=alert(2)> postgres://u:geheim@h/d' })
    await said(page, '#remarks', '<img src=x onerror=alert(2)> postgres://u:***@h/d')
    const heads = await page.locator('#tables tbody th').allInnerTexts()
    expect(heads).toEqual([...heads].sort())
    expect(heads).toContain(hostile)
    expect(heads).toContain(quoted)
    expect(await page.locator('main script, main img, main b').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('lets no other script run', async () => {
    await serve()
    const { page } = await look()
    await page.evaluate(`{
      const script = document.createElement('script')
      script.textContent = 'window.stranger = true'
      document.body.append(script)
    }`)
    expect(await page.evaluate('window.stranger')).toBeUndefined()
  })

  test('says so where it does not get on, and where nobody answers', async () => {
    await serve()
    const { page } = await look()
    served.emit({ type: 'state', state: 'following' })
    await said(page, '#state', /^Following/)
    await served.close()
    await said(page, '#state', 'No connection to the follower')
  })

  const copying: FollowEvent[] = [
    { type: 'state', state: 'copying' },
    { type: 'copy-start', table: 'public.a_table_with_a_rather_long_name_for_a_telephone', rows: 41_000_000 },
    {
      type: 'copy-bytes',
      table: 'public.a_table_with_a_rather_long_name_for_a_telephone',
      bytes: 1_234_567_890
    }
  ]
  test.each<Look & { name: string; more?: FollowEvent[]; later?: number }>([
    { name: 'light' },
    { name: 'dark', dark: true },
    { name: 'phone', width: 360 },
    { name: 'phone-dark', width: 360, dark: true },
    { name: 'tablet', width: 720 },
    { name: 'phone-copying', width: 320, more: copying },
    { name: 'copying-dark', dark: true, more: copying },
    { name: 'waiting', more: [{ type: 'state', state: 'waiting' }], later: 5 },
    { name: 'untold', more: [{ type: 'lag', lag: {} }] },
    { name: 'trouble', later: 200 },
    { name: 'phone-trouble-dark', width: 360, dark: true, later: 200 }
  ])('can be read: $name', async ({ name, more, later = 0, ...wishes }) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2025, 10, 21, 9, 30) })
    await serve()
    work(more)
    vi.setSystemTime(Date.now() + later * 1000)
    const { page, complaints } = await look(wishes)
    await said(page, '#lag', name === 'untold' ? 'the source cannot tell' : '1.3 MB')
    expect(await page.locator('#retained').isVisible()).toBe(name !== 'untold')
    await said(
      page,
      '#state',
      /copying|waiting/.test(name)
        ? /First copy|Waiting/
        : later > 60
          ? 'Following, not healthy'
          : /Following for/
    )
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    expect(await page.evaluate(faint)).toEqual([])
    expect(complaints).toEqual([])
    await page.screenshot({ path: `${pictures}/follow-${name}.png`, fullPage: true })
  })
})

/** Texts whose contrast with what lies behind them is less than 4.5 to 1. */
const faint = `(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number)
  const light = colour => {
    const [r, g, b] = parts(colour).map(n => (n / 255 <= 0.03928 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = element => {
    const { backgroundColor } = getComputedStyle(element)
    return parts(backgroundColor)[3] === 0 ? ground(element.parentElement) : backgroundColor
  }
  return [...document.querySelectorAll('main *')]
    .filter(one => one.checkVisibility() && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(one => {
      const [a, b] = [light(getComputedStyle(one).color), light(ground(one))]
      return { text: one.textContent, ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }
    })
    .filter(({ ratio }) => ratio < 4.5)
})()`
