/** Which settings copyTable takes. Every fault is found before any is reported, and before anything is contacted. */
import { ConfigError } from '../core/errors.js'
import type { CopyConfig } from './types.js'

/** What is wrong, a sentence each, which begins with the name of the setting. */
export function faultsOf(config: CopyConfig): string[] {
  const faults: string[] = []
  const { batchSize, maxRetries } = config
  const whole = typeof batchSize === 'bigint' || Number.isInteger(batchSize)
  if (!whole || batchSize < 1) {
    faults.push(`batchSize must be a whole number of rows, 1 or more, not ${String(batchSize)}`)
  }
  if (!(Number.isInteger(maxRetries) || maxRetries === Infinity) || maxRetries < 0) {
    faults.push(`maxRetries must be a whole number, 0 or more, not ${String(maxRetries)}`)
  }
  if (!isTime(config.retriesDelay) || config.retriesDelay < 0 || config.retriesDelay === Infinity) {
    faults.push(`retriesDelay must be a time of 0 ms or more, not ${String(config.retriesDelay)}`)
  }
  for (const name of ['callTimeout', 'fullCopyTimeout'] as const) {
    if (!isTime(config[name]) || config[name] <= 0) {
      faults.push(`${name} must be a time of more than 0 ms, not ${String(config[name])}`)
    }
  }
  return faults
}

const isTime = (value: unknown): boolean => typeof value === 'number' && !Number.isNaN(value)

/** @throws ConfigError that lists all faults, one a line. */
export function checkConfig(config: CopyConfig): void {
  const faults = faultsOf(config)
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
}
