/** What the command line is given of the process: its streams, environment, folder and end. Nothing else here reads them. */
import type { Readable, Writable } from 'node:stream'

export type Output = Writable & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** The result, and nothing else. */
  readonly stdout: Output
  /** Everything else. */
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Aborted with a `Stopped` as its reason by the first INT or TERM. */
  readonly signal: AbortSignal
}

/** Writes all of it; a reader that has gone away (`| head`) is no error. */
export async function write(stream: Output, text: string): Promise<void> {
  if (text === '' || stream.destroyed || stream.writableEnded) return
  await new Promise<void>((resolve, reject) => {
    stream.write(text, error => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error)
      else resolve()
    })
  })
}

/** Columns of a terminal, 80 where it says none, or 0; 100 for what is not one. */
export function widthOf(stream: Output): number {
  return stream.isTTY ? Math.max(40, stream.columns || 80) : 100
}
