/**
 * Where settings may stand besides the command line: the environment, `.env` in the working folder, a config file.
 * Each is read into the same form, a raw value and what to call it in a fault; none is ever written to.
 */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { parse } from 'dotenv'
import { messageOf } from '../core/errors.js'
import { nearest } from './nearest.js'
import { options } from './options.js'

export interface Raw {
  value: unknown
  /** How a fault names it: `--workers`, `PGSYNCER_WORKERS`, `"workers" in pgsyncer.json`. */
  origin: string
}

export type Source = Map<string, Raw>
export type Environment = Readonly<Record<string, string | undefined>>

/** Option names to values from variables; what begins with PGSYNCER_ and is none of ours is a fault. */
export function fromEnvironment(env: Environment, where: string, faults: string[]): Source {
  const source: Source = new Map()
  const known = options.flatMap(option => option.env)
  for (const option of options) {
    // An empty variable is how scripts and containers write "not set".
    const name = option.env.find(variable => env[variable])
    if (name === undefined) continue
    const text = env[name]!
    const value = option.repeat ? text.split('\n').filter(line => line.trim() !== '') : text
    source.set(option.name, { value, origin: name + where })
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith('PGSYNCER_') || known.includes(name)) continue
    const ours = known.filter(one => one.startsWith('PGSYNCER_'))
    const near = nearest(
      name.slice(9),
      ours.map(one => one.slice(9).toLowerCase()),
      found => `PGSYNCER_${found.toUpperCase()}`
    )
    faults.push(`unknown variable ${name}${where}${near}`)
  }
  return source
}

/** The variables of `.env` that concern a run; without the file, none. */
export function readDotenv(cwd: string, faults: string[]): Environment {
  try {
    const all = parse(readFileSync(resolve(cwd, '.env')))
    return Object.fromEntries(
      Object.entries(all).filter(([name]) => /^(PG|MAIN_DSN$|STANDIN_DSN$)/.test(name))
    )
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EISDIR') {
      faults.push(`.env cannot be read: ${messageOf(error)}`)
    }
    return {}
  }
}

/** Option names to the values of a JSON file; every key must be the name of a flag. */
export function fromFile(path: string, cwd: string, faults: string[]): Source {
  const source: Source = new Map()
  const file = basename(path)
  let content: unknown
  try {
    content = JSON.parse(readFileSync(resolve(cwd, path), 'utf8'))
  } catch (error) {
    faults.push(`the config file ${path} cannot be read: ${reasonOf(error)}`)
    return source
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    faults.push(`the config file ${path} must hold one JSON object`)
    return source
  }
  const names = options.map(option => option.name).filter(name => name !== 'config')
  for (const [name, value] of Object.entries(content)) {
    if (name === '$schema' || value === null) continue
    if (names.includes(name)) source.set(name, { value, origin: `"${name}" in ${file}` })
    else faults.push(`unknown key "${name}" in ${file}${nearest(name, names, found => `"${found}"`)}`)
  }
  return source
}

/** A parser's message quotes the file, in which a password may stand: only the kind of fault is told. */
function reasonOf(error: unknown): string {
  if (!(error instanceof SyntaxError)) return messageOf(error).replace(/, open .*$/, '')
  const at = /at position \d+( \(line \d+ column \d+\))?/.exec(error.message)?.[0]
  return `it is not valid JSON${at ? ` (${at})` : ''}`
}
