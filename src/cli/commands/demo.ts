/** `pgsyncer demo`: two throw-away servers, a drift, a diff, a sync and a proof. */
import type { Run } from './command.js'

export const run: Run = async ({ cli }, io, main) => {
  const { runDemo } = await import('../demo/demo.js')
  const look = [cli.noColor && '--no-color', cli.verbose && '--verbose'].filter(
    flag => typeof flag === 'string'
  )
  // The person's own settings must not reach the demo's runs.
  const env = Object.fromEntries(
    Object.entries(io.env).filter(([name]) => !/^(PG|MAIN_DSN$|STANDIN_DSN$)/.test(name))
  )
  return runDemo({
    write: line => void io.stdout.write(`${line}\n`),
    run: args => main([...args, ...look], { ...io, env, cwd: '/' }),
    keep: cli.keep,
    signal: io.signal
  })
}
