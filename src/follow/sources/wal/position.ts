/**
 * Positions of the WAL: `<16 hex digits of an LSN>:<8 hex digits n>`. n = 0: all that was committed before the LSN is done; else, of
 * the transaction whose commit has this LSN, n changes are. As texts they are in order, and so are the LSNs alone.
 */
import type { Position } from '../../ports.js'

/** 16 hex digits. */
export type Lsn = string

export const positionOf = (lsn: Lsn, done = 0): Position => `${lsn}:${done.toString(16).padStart(8, '0')}`

/** What `positionOf` was given. */
export function partsOf(position: Position): { lsn: Lsn; done: number } {
  return { lsn: position.slice(0, 16), done: Number.parseInt(position.slice(17), 16) }
}

/** As PostgreSQL writes it: `16/B374D848`. */
export function lsnText(lsn: Lsn): string {
  const half = (from: number) =>
    Number.parseInt(lsn.slice(from, from + 8), 16)
      .toString(16)
      .toUpperCase()
  return `${half(0)}/${half(8)}`
}

export function parseLsn(text: string): Lsn {
  return text
    .split('/')
    .map(half => half.toLowerCase().padStart(8, '0'))
    .join('')
}

/** Bytes from one to the other. */
export const bytesBetween = (from: Lsn, to: Lsn): number => Number(BigInt(`0x${to}`) - BigInt(`0x${from}`))
