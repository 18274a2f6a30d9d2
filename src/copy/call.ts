/**
 * One call, bounded: it ends with the work's result, after its own time, or with the whole run, whichever comes first, also
 * where the work ignores its signal. What such work brings later is swallowed, or handed to `late`.
 */
import { after } from './timer.js'

/** The call's own time was over. */
export class TimedOut extends Error {}

export interface Bounds<T> {
  milliseconds: number
  /** The run that the call is a part of; its reason is thrown. Undefined where the call must happen after the run too. */
  run: AbortSignal | undefined
  /** Takes what the work gives after it was given up; must not throw. */
  late?(result: T): void
}

/**
 * Runs `work` once.
 * @throws TimedOut, the run's reason, or the work's own error.
 */
export async function bounded<T>(
  { milliseconds, run, late }: Bounds<T>,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  run?.throwIfAborted()
  const own = new AbortController()
  return new Promise<T>((resolve, reject) => {
    let waiting = true
    const settle = (end: () => void) => {
      waiting = false
      forget()
      run?.removeEventListener('abort', stop)
      end()
    }
    const giveUp = (reason: unknown) => {
      // Rejected first: what the work makes of its signal is nobody's business any more.
      settle(() => reject(reason))
      own.abort(reason)
    }
    const stop = () => giveUp(run!.reason)
    const forget = after(milliseconds, () => giveUp(new TimedOut()))
    run?.addEventListener('abort', stop, { once: true })
    begin(work, own.signal).then(
      result => (waiting ? settle(() => resolve(result)) : late?.(result)),
      (error: unknown) => waiting && settle(() => reject(error))
    )
  })
}

/** What is thrown at once is a rejection too. */
async function begin<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return work(signal)
}

/** Waits; ends early with the run's reason. */
export async function pause(milliseconds: number, run: AbortSignal): Promise<void> {
  run.throwIfAborted()
  if (milliseconds === 0) return
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      forget()
      reject(run.reason)
    }
    const forget = after(milliseconds, () => {
      run.removeEventListener('abort', stop)
      resolve()
    })
    run.addEventListener('abort', stop, { once: true })
  })
}
