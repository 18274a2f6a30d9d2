/** The library: what the command line does, as functions that return values and never print or exit. */
export { copyTable } from './copy/copytable.js'
export { AbortError, CallTimeoutError, FullCopyTimeoutError } from './copy/errors.js'
export { postgresPool, type PostgresPoolOptions } from './copy/postgres/pool.js'
export type {
  ConnectionPool,
  CopyConfig,
  CopyProgress,
  CopyResult,
  CopyTableOptions,
  Database,
  Row
} from './copy/types.js'
export type { FollowOptions } from './follow/config.js'
export { apply } from './follow/apply.js'
export { follow } from './follow/follow.js'
export { publish } from './follow/publish.js'
export type { FollowReport } from './follow/report.js'
export type { FollowContext } from './follow/running.js'
export type { SectionsOptions } from './copy/sections/config.js'
export { copySections, type SectionsResult } from './copy/sections/sections.js'
export { check, type CheckReport, type Finding } from './sync/check.js'
export type { SyncConfig, SyncOptions } from './sync/config.js'
export { diff } from './sync/diff.js'
export { applyPlan } from './sync/plan/apply.js'
export type { ApplyPlanOptions } from './sync/plan/config.js'
export type { PlanReport } from './sync/plan/report.js'
export type {
  Report,
  RowSample,
  SchemaChange,
  SequenceResult,
  TableReport,
  TableStatus,
  ViewResult
} from './sync/report.js'
export type { RunContext } from './sync/session.js'
export type { Hazard } from './schema/change.js'
export { sync } from './sync/sync.js'
export type { Emit, EmitFollow, FollowEvent, RunEvent } from './core/events.js'
export {
  ConfigError,
  ConnectionError,
  DataError,
  FollowError,
  GuardError,
  PgsyncerError,
  ProgramError,
  SchemaError
} from './core/errors.js'
