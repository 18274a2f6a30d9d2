/** What an option is: everything that can be said about one, and what is derived from it (its variable, its default). */
import type { z } from 'zod'
import { copyDefaults, type CopyRunConfig } from '../copy/runconfig.js'
import { sectionsDefaults, type SectionsConfig } from '../copy/sections/config.js'
import { followDefaults, type FollowConfig } from '../follow/config.js'
import { defaults, type SyncConfig } from '../sync/config.js'

export const commandNames = [
  'sync',
  'diff',
  'apply-plan',
  'copy',
  'follow',
  'publish',
  'apply',
  'dead-letters',
  'clickhouse-ddl',
  'capture',
  'status',
  'check',
  'demo',
  'completion'
] as const
export type CommandName = (typeof commandNames)[number]

export const groups = [
  'Databases',
  'What',
  'Structure',
  'Rows',
  'Foreign data wrapper',
  'Copy',
  'Sections',
  'Follow',
  'Broker',
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
  sections: boolean
  http: string | undefined
  undo: string | undefined
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
  keep: false,
  sections: false,
  http: undefined,
  undo: undefined
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
  /** The default is so many milliseconds. */
  time?: boolean
}

export interface Option extends Omit<Required<Spec<unknown>>, 'alias' | 'value' | 'time'> {
  /** As on the command line, without dashes; the config file's key. */
  name: string
  alias: string | undefined
  value: string | undefined
  /** Which config's field it sets; the other commands' configs take over the fields of `sync` and `copy` that they have too. */
  part: 'sync' | 'copy' | 'sections' | 'follow' | 'cli'
  field: string
  /** The default as help shows it. */
  default: string | undefined
}

export const runs: readonly CommandName[] = ['sync', 'diff', 'check']
/** All commands that go from one of the two servers to the other, once. */
export const moving: readonly CommandName[] = [...runs, 'copy']
/** All about changes in a broker. */
export const brokers: readonly CommandName[] = ['publish', 'apply', 'dead-letters', 'clickhouse-ddl']
/** All about changes as they come. */
export const streams: readonly CommandName[] = ['follow', ...brokers, 'capture', 'status']
/** All commands that connect to servers of the user's. */
export const connecting: readonly CommandName[] = [...moving, 'apply-plan', ...streams]
export const comparisons: readonly CommandName[] = ['sync', 'diff']
/** All that write what was decided by a comparison. */
export const planned: readonly CommandName[] = [...runs, 'apply-plan']

/** An option that sets a field of the run's config. */
export function run<F extends keyof SyncConfig>(
  name: string,
  field: F,
  spec: Spec<NonNullable<SyncConfig[F]>>
): Option {
  const standard = (defaults as Partial<SyncConfig>)[field]
  return option(name, field, 'sync', runs, standard, spec as Spec<unknown>)
}

/** An option that sets a field of a copy's config. */
export function copying<F extends keyof CopyRunConfig>(
  name: string,
  field: F,
  spec: Spec<NonNullable<CopyRunConfig[F]>>
): Option {
  const standard = (copyDefaults as Partial<CopyRunConfig>)[field]
  return option(name, field, 'copy', ['copy'], standard, spec as Spec<unknown>)
}

/** An option that sets a field of a copy into sections. */
export function sectioning<F extends keyof SectionsConfig>(
  name: string,
  field: F,
  spec: Spec<NonNullable<SectionsConfig[F]>>
): Option {
  const standard = (sectionsDefaults as Partial<SectionsConfig>)[field]
  return option(name, field, 'sections', ['copy'], standard, spec as Spec<unknown>)
}

/** An option that sets a field of what follows changes. */
export function following<F extends keyof FollowConfig>(
  name: string,
  field: F,
  spec: Spec<NonNullable<FollowConfig[F]>>
): Option {
  const standard = (followDefaults as Partial<FollowConfig>)[field]
  return option(name, field, 'follow', ['follow'], standard, spec as Spec<unknown>)
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
  { time, ...spec }: Spec<unknown>
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
    default: time ? shownTime(standard as number) : shownDefault(field, standard)
  }
}

function shownDefault(field: string, value: unknown): string | undefined {
  if (field === 'cleanExtra') return 'false'
  if (field === 'maxDelete') return `${defaults.maxDelete.percent}%`
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : undefined
  return value === undefined || typeof value === 'object' ? undefined : String(value)
}

/** `500ms`, `30s`, `1h`: as it would be written. */
function shownTime(milliseconds: number): string {
  const units = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000]
  ] as const
  const [unit, size] = units.find(([, size]) => milliseconds >= size && milliseconds % size === 0) ?? [
    'ms',
    1
  ]
  return `${milliseconds / size}${unit}`
}
