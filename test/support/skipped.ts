/**
 * Says at the end which tests were skipped, by the name of their suite: where a server is missing, that holds the reason, and is a failure
 * where everything is to be tried (TEST_WHOLE=1).
 */
import type { Reporter, TestModule, TestSuite } from 'vitest/node'

export default class Skipped implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    // What -t leaves out is no news.
    if (modules[0]?.project.globalConfig.testNamePattern) return
    const counts = new Map<string, number>()
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const suite: TestSuite | TestModule = test.parent
        const name = suite.type === 'suite' ? suite.fullName : test.name
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
    }
    if (counts.size === 0) return
    const lines = [...counts].map(([name, count]) => `  ${String(count).padStart(4)}  ${name}`)
    process.stdout.write(`Skipped:\n${lines.join('\n')}\n\n`)
    if (process.env.TEST_WHOLE && [...counts.keys()].some(name => name.includes('(skipped: ')))
      process.exitCode = 1
  }
}
