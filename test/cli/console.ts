/** A stand-in for the process: what a command line is given, and what it wrote. */
import { PassThrough } from 'node:stream'
import type { Io } from '../../src/cli/io.js'

export interface FakeIo extends Io {
  out(): string
  err(): string
}

export interface Wishes {
  env?: Record<string, string>
  cwd?: string
  /** Columns of a terminal on all three streams. */
  terminal?: number
  signal?: AbortSignal
  /** What is typed. */
  input?: string
}

export function fakeIo({ env = {}, cwd = '/nonexistent', terminal, signal, input }: Wishes = {}): FakeIo {
  const stream = () =>
    Object.assign(new PassThrough(), terminal === undefined ? {} : { isTTY: true, columns: terminal })
  const [stdin, stdout, stderr] = [stream(), stream(), stream()]
  const [out, err] = [stdout, stderr].map(one => {
    let text = ''
    one.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk))
    return () => text
  })
  if (input !== undefined) stdin.end(input)
  const never = new AbortController().signal
  return { stdin, stdout, stderr, env, cwd, signal: signal ?? never, out: out!, err: err! }
}
