/**
 * What npm packs of dist is what runs: everything that neither the program nor the library reaches is removed (after `npm run build`): what an
 * earlier build left, modules of types alone, and the declarations of what is internal.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

/** The files that one reaches by relative imports, also those on demand; a declaration reaches declarations. */
function reach(file, found) {
  if (found.has(file)) return
  found.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, path] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
    const target = resolve(dirname(file), path)
    reach(file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target, found)
  }
}

const reached = new Set()
for (const entry of ['main.js', 'index.js', 'index.d.ts']) reach(join(dist, entry), reached)
for (const file of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(file.parentPath, file.name)
  if (file.isFile() && !reached.has(path)) rmSync(path)
}
