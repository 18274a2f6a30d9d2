import { describe, expect, it } from 'vitest'
import { madeEntry } from '../../src/schema/entry.js'
import type { PlannedStep } from '../../src/schema/step.js'
import { type Runner, StepFailure } from '../../src/schema/runner.js'
import { runUnits } from '../../src/schema/schedule.js'
import { unitsOf } from '../../src/schema/units.js'

let nextId = 100
function step(
  kind: string,
  name: string,
  locks: number[] = [],
  dependencies: number[] = [],
  size = ''
): PlannedStep {
  const parent = size ? madeEntry('TABLE', 's', size, '') : undefined
  const entry = { ...madeEntry(kind, 's', name, ''), dumpId: nextId++, dependencies, parent }
  const change = {
    kind,
    schema: 's',
    name,
    action: 'create' as const,
    status: 'pending' as const,
    sql: [],
    hazards: []
  }
  return { entry, change, statements: [], hazards: [], locks: new Set(locks) }
}

/** Takes a moment for each step, and remembers which ran beside which, and in which order they began. */
function recorder(refuse: (step: PlannedStep) => Error | undefined = () => undefined) {
  const began: string[] = []
  const together = new Set<string>()
  const running = new Set<string>()
  const runner: Runner = {
    async run(steps) {
      const name = steps[0]!.entry.name
      for (const other of running) together.add([name, other].toSorted().join('+'))
      running.add(name)
      began.push(name)
      await new Promise(resolve => setTimeout(resolve, 20))
      running.delete(name)
      const refusal = refuse(steps[0] as PlannedStep)
      if (refusal) throw refusal
    },
    close: async () => {}
  }
  return { began, together, runners: [runner, runner, runner] }
}

async function run(steps: PlannedStep[], sizes: Record<string, number>, record: ReturnType<typeof recorder>) {
  const failed = new Map<number, string>()
  const failures: string[] = []
  const stages = unitsOf(steps, new Map(Object.entries(sizes).map(([table, size]) => [`s\0${table}`, size])))
  for (const units of stages) {
    await runUnits(units, record.runners, failed, unit => {
      if (unit.failure) failures.push(`${unit.steps[0]!.entry.name}: ${unit.failure}`)
    })
  }
  return failures
}

describe('runUnits', () => {
  it('builds indexes of one table side by side, and a key of it with none of them', async () => {
    const record = recorder()
    await run([step('CONSTRAINT', 'key', [1]), step('INDEX', 'a', [1]), step('INDEX', 'b', [1])], {}, record)
    expect([...record.together]).toEqual(['a+b'])
  })

  it('begins with what lasts longest, or what that waits for', async () => {
    const record = recorder()
    record.runners.length = 1
    const parent = step('INDEX', 'parent', [9])
    const steps = [
      step('INDEX', 'small', [1], [], 'small'),
      parent,
      step('INDEX', 'middle', [2], [], 'middle'),
      step('INDEX', 'big', [3], [parent.entry.dumpId], 'big')
    ]
    await run(steps, { small: 1, middle: 50, big: 1000 }, record)
    expect(record.began).toEqual(['parent', 'big', 'middle', 'small'])
  })

  it('keeps foreign keys for when all keys are there, and the rest in order after them', async () => {
    const record = recorder()
    const key = step('CONSTRAINT', 'key', [1])
    const view = step('MATERIALIZED VIEW', 'view', [], [key.entry.dumpId])
    const steps = [
      step('FK CONSTRAINT', 'fk', [1, 2]),
      view,
      step('INDEX', 'on view', [8], [view.entry.dumpId]),
      step('TRIGGER', 'trigger', [1]),
      key,
      step('INDEX', 'index', [2])
    ]
    // In a dump the view stands after the key that it needs.
    await run([key, ...steps.filter(each => each !== key)], {}, record)
    expect(record.began.slice(0, 2).toSorted()).toEqual(['index', 'key'])
    expect(record.began.slice(2)).toEqual(['fk', 'view', 'on view', 'trigger'])
    expect([...record.together]).toEqual(['index+key'])
  })

  it('goes on after a failure, but not with what rests on it', async () => {
    const bad = step('CONSTRAINT', 'bad', [1])
    const fk = step('FK CONSTRAINT', 'fk', [1, 2], [bad.entry.dumpId])
    const comment = { ...step('COMMENT', 'on fk', [], [fk.entry.dumpId]) }
    Object.assign(comment.entry, { parent: fk.entry })
    const record = recorder(each => (each.entry.name === 'bad' ? new StepFailure(each, 'no', {}) : undefined))
    const failures = await run([bad, fk, comment, step('INDEX', 'good', [2])], {}, record)
    expect(failures).toEqual(['bad: no', 'fk: it needs CONSTRAINT s.bad, which failed'])
    expect(record.began.toSorted()).toEqual(['bad', 'good'])
  })

  it('tries again what a deadlock ended', async () => {
    let count = 0
    const record = recorder(each =>
      ++count < 3 ? new StepFailure(each, 'deadlock', { sqlstate: '40P01' }) : undefined
    )
    expect(await run([step('INDEX', 'a', [1])], {}, record)).toEqual([])
    expect(record.began).toEqual(['a', 'a', 'a'])
  })

  it('ends at once when stopped, whoever waits', async () => {
    const record = recorder(() => new Error('stopped'))
    const steps = [step('CONSTRAINT', 'a', [1]), step('CONSTRAINT', 'b', [1]), step('CONSTRAINT', 'c', [1])]
    await expect(run(steps, {}, record)).rejects.toThrow('stopped')
    expect(record.began).toEqual(['a'])
  })
})
