/** Before its sync, a case's standby becomes main by a plan, and by the undo what it was: the same judge, by another way. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { applyPlan, diff, type SyncOptions } from '../../../src/index.js'
import type { Pair } from '../../support/databases.js'
import { databaseDigest } from '../../support/digest.js'
import { schemas } from './model.js'

/** @throws Error where the plan, or the way back, does not end where it must. */
export async function expectPlan({ main, standby }: Pair, config: SyncOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'plan-'))
  try {
    const [plan, undo] = [join(folder, 'plan.json'), join(folder, 'undo.json')]
    const digest = () => databaseDigest(standby.url, schemas)
    const before = await digest()
    await diff({ ...config, plan })
    const options = {
      standby: standby.url,
      maxDelete: { percent: 100 },
      ...(config.env && { env: config.env })
    }
    await applyPlan({ ...options, plan, undo })
    if (!isDeepStrictEqual(await digest(), await databaseDigest(main.url, schemas)))
      throw new Error('the plan did not make the standby main')
    await applyPlan({ ...options, plan: undo })
    if (!isDeepStrictEqual(await digest(), before)) throw new Error('the undo did not bring back what was')
  } finally {
    await rm(folder, { recursive: true })
  }
}
