/** Every link of the documents to another one, or to a heading, leads there. */
import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const project = fileURLToPath(new URL('../..', import.meta.url))
const names = (await readdir(join(project, 'docs'))).filter(name => name.endsWith('.md'))
const files = ['README.md', 'CONTRIBUTING.md', ...names.map(name => `docs/${name}`)]

const textOf = (file: string) => readFile(join(project, file), 'utf8')
const withoutCode = (text: string) => text.replaceAll(/^( *)```.*?^\1```$/gms, '')

/** The anchors that GitHub gives the headings. */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>()
  return new Set(
    [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
      const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
      const anchor = plain.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-')
      const times = seen.get(anchor) ?? 0
      seen.set(anchor, times + 1)
      return times === 0 ? anchor : `${anchor}-${times}`
    })
  )
}

async function isThere(from: string, link: string): Promise<boolean> {
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? from : normalize(join(dirname(from), path))
  const found = await access(join(project, file)).then(
    () => true,
    () => false
  )
  return found && (anchor === undefined || anchorsOf(await textOf(file)).has(anchor))
}

test.each(files)('%s', async file => {
  const links = [...withoutCode(await textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  const local = links.filter(link => !/^[a-z]+:/.test(link))
  const there = await Promise.all(local.map(link => isThere(file, link)))
  expect(local.filter((_, i) => !there[i])).toEqual([])
})
