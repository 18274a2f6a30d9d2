/** The settings of `applyPlan`: those of a sync, as far as they are about the standby alone. */
import { completeConfig, type SyncConfig } from '../config.js'

export interface ApplyPlanConfig extends Pick<
  SyncConfig,
  'standby' | 'env' | 'allow' | 'maxDelete' | 'lockTimeout' | 'statementTimeout'
> {
  /** Path of the plan. */
  plan: string
  /** Path of the undo that is written first; there must be no such file. */
  undo: string | undefined
  /** Look whether the plan can be applied, and roll back. */
  dryRun: boolean
}

export type ApplyPlanOptions = Partial<ApplyPlanConfig> & Pick<ApplyPlanConfig, 'plan' | 'standby'>

/**
 * Fills in the defaults and checks every value.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completeApplyPlan({
  plan,
  undo,
  dryRun = false,
  ...options
}: ApplyPlanOptions): ApplyPlanConfig {
  // The plan says all of main that is needed.
  const { standby, env, allow, maxDelete, lockTimeout, statementTimeout } = completeConfig({
    ...options,
    main: 'the plan'
  })
  return { plan, undo, dryRun, standby, env, allow, maxDelete, lockTimeout, statementTimeout }
}
