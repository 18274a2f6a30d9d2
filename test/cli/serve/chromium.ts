/** A real browser for the live page: Debian's Chromium, driven over its own protocol. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

/** Where it is; undefined where there is none. */
export const found = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap(folder => names.map(name => join(folder, name)))
  .find(existsSync)

/** For the name of what cannot run without it. */
export const unless = found ? '' : ' (skipped: there is no Chromium; sudo apt-get install chromium brings it)'

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: found!, args: flags, chromiumSandbox: false })
}
