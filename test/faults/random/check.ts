/** Runs cases that fast-check makes up, and, where one fails, says what it is as SQL and how to run it again. */
import fc from 'fast-check'
import { runScenario, type Roles } from './run.js'
import { makeScenario, scriptOf, type Server } from './scenario.js'
import { spec } from './spec.js'

export interface Attack {
  seed: number
  /** Cases. */
  runs: number
  /** One case of the seed, as a failure names it. */
  path?: string
  server: Server
  roles: Roles
}

/** Milliseconds for which a smaller case that fails as well is looked for. */
const shrinking = 180_000

/** @throws Error with the failing case, as small as it was found to be. */
export async function attack({ seed, runs, path, server, roles }: Attack): Promise<void> {
  let until = Infinity
  const property = fc.asyncProperty(spec, async one => {
    // The search for a smaller case ends: what is still tried counts as good, unseen.
    if (Date.now() > until) return
    try {
      await runScenario(makeScenario(one, server), roles)
    } catch (error) {
      until = Math.min(until, Date.now() + shrinking)
      throw error
    }
  })
  const single = path !== undefined
  const found = await fc.check(property, {
    seed,
    numRuns: single ? 1 : runs,
    endOnFailure: single,
    ...(single && { path })
  })
  if (!found.failed) return
  const [failing] = found.counterexample!
  const { message } = found.errorInstance as Error
  throw new Error(
    `${message}

Case ${found.numRuns} of seed ${seed}, made smaller ${found.numShrinks} times:

${scriptOf(makeScenario(failing, server))}

Again: FAULTS_SEED=${seed} FAULTS_PATH=${found.counterexamplePath} npm test -- test/faults/random.test.ts`,
    { cause: found.errorInstance }
  )
}
