/** What a trigger and a reader have to agree on: the lock that says that the reader is awake, and the channel of the signal. */
import { createHash } from 'node:crypto'

/** 'pgsr' and 'pgsa': the first halves of the locks' keys; the second stands for kind and name of the stream. */
const [reader, awake] = [1885827954, 1885827937]

/** As SQL: the key of the lock of a stream's only reader. */
export const readerKey = (kind: string, name: string): string => `${reader}, ${half(kind, name)}`

/** As SQL: the key of the lock that is held as long as the reader is awake. */
export const awakeKey = (kind: string, name: string): string => `${awake}, ${half(kind, name)}`

export const channelOf = (name: string): string => `pgsyncer_${name}`

function half(kind: string, name: string): number {
  return createHash('sha256').update(`${kind} ${name}`).digest().readInt32BE(0)
}
