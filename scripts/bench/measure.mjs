/**
 * Runs programs and measures them from outside, by /proc, so that nothing is measured by what is being measured.
 * Seconds are from the start of the first process to the end of the last; memory is the kernel's own high-water mark.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** How often a process's figures are read; its high-water mark at the last look counts. */
const interval = 20
/** Clock ticks a second in /proc; every Linux that Node runs on has 100. */
const ticks = 100

const running = new Set()

export function say(text) {
  process.stderr.write(`${text}\n`)
}

/** Ends what runs; the measurement that waits for it fails. */
export function stopChildren() {
  for (const child of running) kill(child)
}

/**
 * @param commands run at the same time: { command, args, env }
 * @param servers whose CPU time is measured too: [{ pid }]
 * @returns { seconds, peak (bytes), cpu, serverCpu (seconds), output: [stdout of each] }
 */
export async function measure(commands, servers = []) {
  const before = servers.map(server => serverSeconds(server.pid))
  const started = performance.now()
  const ends = await Promise.allSettled(commands.map(run))
  const seconds = (performance.now() - started) / 1000
  const failed = ends.find(end => end.status === 'rejected')
  if (failed) throw failed.reason
  // The postmaster takes over a session's figures a moment after the session has gone.
  await delay(200)
  const serverCpu = servers.map((server, i) => serverSeconds(server.pid) - before[i])
  const done = ends.map(end => end.value)
  return {
    seconds,
    serverCpu,
    peak: Math.max(...done.map(one => one.peak)),
    cpu: done.reduce((sum, one) => sum + one.cpu, 0),
    output: done.map(one => one.output)
  }
}

/** @returns {Promise<{ output: string, peak: number, cpu: number }>} */
function run({ command, args, env }) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a shell's pipeline can be ended as a whole.
    detached: true
  })
  running.add(child)
  const out = []
  let last = ''
  child.stdout.on('data', bytes => out.push(bytes))
  child.stderr.on('data', bytes => (last = (last + bytes).slice(-2000)))
  const seen = { peak: 0, cpu: 0 }
  const look = setInterval(() => {
    seen.peak = Math.max(seen.peak, highWater(child.pid))
    seen.cpu = Math.max(seen.cpu, processSeconds(child.pid))
  }, interval)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const output = Buffer.concat(out).toString('utf8')
      if (code === 0) resolve({ ...seen, output })
      else {
        const said = `${output.slice(-2000)}${last}`.replaceAll(/:\/\/[^@\s]*@/g, '://***@').trim()
        reject(new Error(`${command} ended with ${signal ?? code}:\n${said}`))
      }
    })
  }).finally(() => {
    clearInterval(look)
    running.delete(child)
  })
}

function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has gone by itself.
  }
}

/** VmHWM of a process in bytes; 0 where it has gone, or where there is no /proc. */
function highWater(pid) {
  const found = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))
  return found ? Number(found[1]) * 1024 : 0
}

/** User and system time of a process and of those of its children that have ended. */
function processSeconds(pid) {
  return fields(pid).slice(11, 15).reduce(add, 0) / ticks
}

/** The same of a PostgreSQL server: its postmaster with the sessions that are over, and those that live. */
function serverSeconds(pid) {
  const living = readdirSync('/proc').filter(name => /^\d+$/.test(name) && fields(name)[1] === pid)
  return processSeconds(pid) + living.reduce((sum, child) => sum + processSeconds(child), 0)
}

/** What follows the name in /proc/PID/stat: state, parent, … */
function fields(pid) {
  const text = read(`/proc/${pid}/stat`)
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

const add = (a, b) => a + (b || 0)

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
