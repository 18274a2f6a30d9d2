/**
 * From everything that was set anywhere to one checked config. Precedence: flag, environment, `.env`, config file,
 * default. Every fault of every source is collected before any is reported, and none ever shows a secret's value.
 */
import { ConfigError } from '../core/errors.js'
import { completeCopy, type CopyRunOptions } from '../copy/runconfig.js'
import { completeSections, type SectionsOptions } from '../copy/sections/config.js'
import {
  completeApply,
  completeClickHouseDdl,
  completeFollow,
  completePublish,
  type FollowConfig,
  type FollowOptions
} from '../follow/config.js'
import { completeConfig, type SyncOptions } from '../sync/config.js'
import { completeApplyPlan } from '../sync/plan/config.js'
import { nearest } from './nearest.js'
import {
  cliDefaults,
  connecting,
  runs,
  streams,
  type CliSettings,
  type CommandName,
  type Option
} from './option.js'
import { options } from './options.js'
import { fromEnvironment, fromFile, readDotenv, type Environment, type Raw, type Source } from './sources.js'

export interface Settings {
  sync: SyncOptions
  copy: CopyRunOptions
  sections: SectionsOptions
  follow: FollowOptions
  cli: CliSettings
}

export interface Gathered extends Settings {
  /** One sentence each, in the words of the command line. */
  faults: string[]
}

export interface Surroundings {
  env: Environment
  cwd: string
}

/** What yargs made of the command line: option names to text, a list of texts, or `true` where a value is missing. */
export type Flags = Readonly<Record<string, unknown>>

/**
 * Reads every source and checks every value.
 * @throws ConfigError with all faults, one a line.
 */
export function readSettings(command: CommandName, flags: Flags, around: Surroundings): Settings {
  const { faults, ...settings } = gather(command, flags, around)
  failOn(faults, command)
  return settings
}

/** Throws all faults at once, if there are any, naming the help of the command that they are about. */
export function failOn(faults: readonly string[], command: CommandName = 'sync'): void {
  if (faults.length === 0) return
  throw new ConfigError(faults.join('\n'), {
    hint: command === 'sync' ? 'See pgsyncer --help.' : `See pgsyncer ${command} --help.`
  })
}

/** Like `readSettings`, for a caller who wants what could be understood (such as --verbose) even where there are faults. */
export function gather(command: CommandName, flags: Flags, { env, cwd }: Surroundings): Gathered {
  const faults: string[] = []
  const given = fromFlags(command, flags, faults)
  const dotenv = readDotenv(cwd, faults)
  const sources = [given, fromEnvironment(env, '', faults), fromEnvironment(dotenv, ' in .env', faults)]
  const path = sources.map(source => source.get('config')?.value).find(value => typeof value === 'string')
  if (path !== undefined) sources.push(fromFile(path, cwd, faults))

  const find = (name: string) => sources.map(source => source.get(name)).find(found => found !== undefined)
  const faulty = new Set<string>()
  const parts: Record<Option['part'], Record<string, unknown>> = {
    sync: {},
    copy: {},
    sections: {},
    follow: {},
    cli: {}
  }
  for (const option of options) {
    const raw = find(option.name)
    if (!raw) continue
    const parsed = parseValue(option, raw, faults)
    if (parsed === undefined) faulty.add(option.field)
    else parts[option.part][option.field] = parsed
  }
  const sync = { main: '', standby: '', ...parts.sync, env: { ...dotenv, ...env } } as SyncOptions
  const cli: CliSettings = { ...cliDefaults, ...parts.cli }
  const { main, standby, schemas, tables, chunkSize, lockTimeout, statementTimeout } = sync
  const shared = { main, standby, env: sync.env, lockTimeout, statementTimeout }
  const copy = { ...shared, schemas, tables, ...parts.copy } as CopyRunOptions
  const sections = { ...shared, chunkSize, ...parts.sections } as SectionsOptions
  const follow = followOf(sync, copy, parts.follow)
  const check = () => {
    if (command === 'publish') completePublish(follow)
    else if (command === 'apply') completeApply(follow)
    else if (command === 'clickhouse-ddl') completeClickHouseDdl(follow)
    else if (command === 'apply-plan') completeApplyPlan({ ...sync, plan: '' })
    else if (streams.includes(command)) completeFollow(follow, needs[command])
    else if (command !== 'copy') completeConfig(sync)
    else if (cli.sections) completeSections(sections)
    else completeCopy(copy)
  }
  if (connecting.includes(command)) faults.push(...faultsOfRun(check, command, faulty))
  if (cli.sections && copy.resume) faults.push('--sections goes on by itself: --resume is not for it')
  if (runs.includes(command) && sync.allSchemas && sync.schemas)
    faults.push(
      `${find('all-schemas')!.origin} is every schema: ${find('schema')!.origin} cannot be given with it`
    )
  if (cli.quiet && cli.verbose) faults.push('--quiet and --verbose contradict each other')
  return { sync, copy, sections, follow, cli, faults }
}

/** What each command about changes cannot do without. */
const needs: Partial<Record<CommandName, readonly (keyof FollowConfig)[]>> = {
  follow: ['main', 'to', 'source', 'tables'],
  capture: ['main', 'source'],
  'dead-letters': ['via'],
  status: ['to']
}

function followOf(sync: SyncOptions, copy: CopyRunOptions, own: Record<string, unknown>): FollowOptions {
  const { main, env, schemas, tables, excludeTables, lockTimeout, statementTimeout, cleanExtra } = sync
  const { idColumn, batchSize } = copy
  return {
    main,
    env,
    schemas,
    tables,
    excludeTables,
    lockTimeout,
    statementTimeout,
    idColumn,
    batchSize,
    cleanExtra: cleanExtra?.rows,
    ...own
  } as FollowOptions
}

function fromFlags(command: CommandName, flags: Flags, faults: string[]): Source {
  const source: Source = new Map()
  const usable = options.filter(option => option.commands.includes(command))
  const names = usable.map(option => option.name)
  for (const [name, value] of Object.entries(flags)) {
    if (name === '_' || name === '$0') continue
    const option = options.find(one => one.name === name)
    if (option?.commands.includes(command)) {
      const last = Array.isArray(value) && !option.repeat ? value.at(-1) : value
      source.set(name, { value: last, origin: `--${name}` })
    } else if (name === 'help' || name === 'version') {
      faults.push(`--${name} takes no value`)
    } else if (option) {
      faults.push(`--${name} is a flag of ${option.commands.join(', ')}, not of ${command}`)
    } else {
      // Only where it is said: else each would stand beside its opposite.
      const off = name.startsWith('no-') ? usable.filter(one => one.value === undefined) : []
      const known = [...names, ...off.map(one => `no-${one.name}`), 'help', 'version']
      const near = nearest(name, known, found => `--${found}`)
      faults.push(
        name.length === 1
          ? `unknown flag -${name}${otherCase(name, usable) || near}`
          : `unknown flag --${name}${near}`
      )
    }
  }
  return source
}

/** `-Q` for `-q`. */
function otherCase(letter: string, usable: readonly Option[]): string {
  const short = [...usable.flatMap(({ alias }) => alias ?? []), 'h', 'V']
  const found = short.find(one => one.toLowerCase() === letter.toLowerCase())
  return found === undefined ? '' : `; did you mean -${found}?`
}

function parseValue(option: Option, { value, origin }: Raw, faults: string[]): unknown {
  if (option.value !== undefined && origin.startsWith('--') && [value].flat().includes(true)) {
    faults.push(`${origin} needs a value: ${origin} ${option.value}`)
    return undefined
  }
  const parsed = option.schema.safeParse(value)
  if (parsed.success) return parsed.data
  const expected = parsed.error.issues[0]?.message ?? 'cannot be used'
  const silent = option.secret || value === '' || !expected.startsWith('must ')
  const near = typeof value === 'string' ? nearest(value, choicesOf(option)) : ''
  faults.push(`${origin} ${expected}${silent ? '' : `, not ${JSON.stringify(value)}${near}`}`)
  return undefined
}

/** The words that it takes, as help shows them: `text|json`. */
function choicesOf({ value }: Option): string[] {
  return value?.includes('|') ? value.split('|').filter(word => /^[a-z]+$/.test(word)) : []
}

/** What a config's own check finds, with the flags' names for the fields' names; `told` are fields whose fault is known. */
function faultsOfRun(check: () => void, command: CommandName, told: ReadonlySet<string>): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n').flatMap(fault => inFlags(fault, command, told))
  }
}

function inFlags(fault: string, command: CommandName, told: ReadonlySet<string>): string[] {
  const missing = /^no DSN for (main|standby)/.exec(fault)?.[1]
  const dsn = options.find(option => option.field === missing)
  if (dsn) return told.has(dsn.field) ? [] : [`${fault}: use --${dsn.name} or ${dsn.env[0]}`]
  const fields = options.filter(option => option.part !== 'cli' && option.commands.includes(command))
  // The first word is a field, and elsewhere only what no English word looks like.
  const inWords = fault.replace(/^\w+|\b[a-z]+[A-Z]\w*/g, word => {
    const option = fields.find(one => one.field === word)
    return option ? `--${option.name}` : word
  })
  return [inWords]
}
