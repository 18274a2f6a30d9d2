/**
 * What is remembered of one stream, in a file. It is replaced as a whole, and only after the changes that it speaks of are safe; whoever
 * reads it finds the last whole one. A file is of one stream, so that no two processes write it.
 */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FollowError, GuardError, messageOf } from '../core/errors.js'
import type { StreamState } from './ports.js'

interface Stored extends StreamState {
  /** The stream's name. */
  readonly stream: string
}

export class StateFile {
  #owned = false

  constructor(
    private readonly path: string,
    private readonly stream: string
  ) {}

  /**
   * Undefined where there is no such file.
   * @throws GuardError where it is another stream's; FollowError where it cannot be read, or is none of ours.
   */
  async read(): Promise<StreamState | undefined> {
    const stored = await readStateFile(this.path)
    if (stored && stored.stream !== this.stream) {
      throw new GuardError(
        `the state file ${this.path} is of the stream ${stored.stream}, not ${this.stream}`,
        {
          hint: 'Give each stream a --state-file of its own.'
        }
      )
    }
    this.#owned = true
    if (!stored) return undefined
    const { origin, position, tables } = stored
    return { origin, position, tables }
  }

  /** Settles when it is there for good. */
  async write(state: StreamState): Promise<void> {
    if (!this.#owned) await this.read()
    const { origin, position, tables } = state
    const text = `${JSON.stringify({ stream: this.stream, origin, position, tables }, null, 2)}\n`
    const next = `${this.path}.new`
    try {
      await durably(next, async file => file.writeFile(text))
      await rename(next, this.path)
      // The new name too is to outlive a crash of the machine.
      await durably(dirname(this.path), async () => {}, 'r')
    } catch (error) {
      await rm(next, { force: true }).catch(() => {})
      throw failure(this.path, 'cannot be written', error)
    }
  }
}

/**
 * What the file holds; undefined where it is not there.
 * @throws FollowError where it cannot be read, or is none of ours.
 */
export async function readStateFile(path: string): Promise<Stored | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw failure(path, 'cannot be read', error)
  }
  try {
    const found = JSON.parse(text) as Partial<Stored> | null
    if (typeof found?.stream === 'string' && found.tables) return found as Stored
  } catch {
    // The same as any other text that is not ours.
  }
  throw new FollowError(`the state file ${path} is not one of pgsyncer's`, {
    hint: 'Name another file. Where positions are lost, begin anew: without the file, and with --clean-extra.'
  })
}

function failure(path: string, what: string, cause: unknown): FollowError {
  return new FollowError(`the state file ${path} ${what}: ${messageOf(cause)}`, {
    cause,
    hint: 'Its folder must be there and be writable.'
  })
}

type File = Awaited<ReturnType<typeof open>>

async function durably(path: string, work: (file: File) => Promise<void>, flags = 'w'): Promise<void> {
  const file = await open(path, flags, 0o600)
  try {
    await work(file)
    await file.sync()
  } finally {
    await file.close()
  }
}
