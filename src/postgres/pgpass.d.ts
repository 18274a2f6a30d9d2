declare module 'pgpass/lib/helper.js' {
  import type { Readable } from 'node:stream'
  export function getFileName(env: Record<string, string | undefined>): string
  export function getPassword(
    wanted: { host: string; port: number; database: string | undefined; user: string | undefined },
    file: Readable,
    done: (password: string | undefined) => void
  ): void
}
