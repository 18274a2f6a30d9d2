/** Timers of any length: Node's own fire at once where they are asked to wait for 25 days or more. */

const longest = 2_147_483_647

/** Calls back once, after so many milliseconds (never, for Infinity); the returned function takes it back. */
export function after(milliseconds: number, callback: () => void): () => void {
  let left = milliseconds
  let timer: NodeJS.Timeout
  const arm = () => {
    const step = Math.min(left, longest)
    left -= step
    timer = setTimeout(() => (left > 0 ? arm() : callback()), step)
  }
  arm()
  return () => clearTimeout(timer)
}
