#!/usr/bin/env node
/**
 * The program: signals become an AbortSignal, and the one exit is here. The first INT or TERM lets the run stop
 * cleanly, the second ends the process at once.
 */
import './cli/heap.js'
import { exitCodeOfSignal, Stopped } from './cli/exit.js'
import { run } from './cli/run.js'
import { renderError } from './cli/render/errors.js'
import { plain } from './cli/render/paint.js'

// What a library advises its programmers is nothing for who runs this.
process.noDeprecation = true

// A DSN on the command line would stay in `ps` for as long as the run takes.
process.title = 'pgsyncer'

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(exitCodeOfSignal(signal))
    // First progress takes itself away; the ^C that was typed stands there still.
    stopping.abort(new Stopped(signal))
    const line = process.stderr.isTTY ? '\n' : ''
    process.stderr.write(`${line}pgsyncer: stopping; once more to stop at once\n`)
  })
}

// A reader that has gone away (`| head`) is no error; write() goes on without it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, error => {
    process.stderr.write(renderError(error, { paint: plain, verbose: process.argv.includes('--verbose') }))
    process.exit(1)
  })
}

process.exit(
  await run(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: stopping.signal
  })
)
