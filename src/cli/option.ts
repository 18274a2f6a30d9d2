/** What an option is: everything that can be said about one, and what is derived from it (its variable, its default). */
import type { z } from 'zod'
import { defaults, type SyncConfig } from '../sync/config.js'

export const commandNames = ['sync', 'diff', 'check', 'demo'] as const
export type CommandName = (typeof commandNames)[number]

export const groups = [
  'Databases',
  'What',
  'Structure',
  'Rows',
  'Foreign data wrapper',
  'Safety',
  'Output',
  'General'
] as const

/** What only the command line knows. */
export interface CliSettings {
  dryRun: boolean
  sqlRows: number
  format: 'text' | 'json'
  report: readonly string[]
  noProgress: boolean
  quiet: boolean
  verbose: boolean
  logFormat: 'text' | 'json'
  noColor: boolean
  yes: boolean
  config: string | undefined
  keep: boolean
}

export const cliDefaults: CliSettings = {
  dryRun: false,
  sqlRows: 1000,
  format: 'text',
  report: [],
  noProgress: false,
  quiet: false,
  verbose: false,
  logFormat: 'text',
  noColor: false,
  yes: false,
  config: undefined,
  keep: false
}

interface Spec<T> {
  describe: string
  group: (typeof groups)[number]
  schema: z.ZodType<T>
  alias?: string
  /** What stands for its value in help. Without one it is a yes-or-no flag. */
  value?: string
  /** May be given more than once. */
  repeat?: boolean
  /** Its value may be left out on the command line, and is `true` then. */
  bare?: boolean
  /** Environment variables before `PGSYNCER_…`. */
  env?: string[]
  secret?: boolean
  commands?: readonly CommandName[]
}

export interface Option extends Omit<Required<Spec<unknown>>, 'alias' | 'value'> {
  /** As on the command line, without dashes; the config file's key. */
  name: string
  alias: string | undefined
  value: string | undefined
  /** Whether a field of SyncConfig or of CliSettings is set by it. */
  part: 'sync' | 'cli'
  field: string
  /** The default as help shows it. */
  default: string | undefined
}

export const runs: readonly CommandName[] = ['sync', 'diff', 'check']
export const comparisons: readonly CommandName[] = ['sync', 'diff']

/** An option that sets a field of the run's config. */
export function run<F extends keyof SyncConfig>(
  name: string,
  field: F,
  spec: Spec<NonNullable<SyncConfig[F]>>
): Option {
  const standard = (defaults as Partial<SyncConfig>)[field]
  return option(name, field, 'sync', runs, standard, spec as Spec<unknown>)
}

/** An option of the command line itself. */
export function cli<F extends keyof CliSettings>(
  name: string,
  field: F,
  spec: Spec<NonNullable<CliSettings[F]>>
): Option {
  return option(name, field, 'cli', comparisons, cliDefaults[field], spec as Spec<unknown>)
}

function option(
  name: string,
  field: string,
  part: Option['part'],
  commands: readonly CommandName[],
  standard: unknown,
  spec: Spec<unknown>
): Option {
  const variable = `PGSYNCER_${name.toUpperCase().replaceAll('-', '_')}`
  return {
    repeat: false,
    bare: false,
    secret: false,
    commands,
    ...spec,
    name,
    field,
    part,
    alias: spec.alias,
    value: spec.value,
    env: [...(spec.env ?? []), variable],
    default: shownDefault(field, standard)
  }
}

function shownDefault(field: string, value: unknown): string | undefined {
  if (field === 'cleanExtra') return 'false'
  if (field === 'maxDelete') return `${defaults.maxDelete.percent}%`
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : undefined
  return value === undefined || typeof value === 'object' ? undefined : String(value)
}
