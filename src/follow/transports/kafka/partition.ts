/**
 * Which partition a key is in: as Kafka's own producers say, so that others who write to the topic agree. The client's function for it
 * takes a tenth of the time of sending. (Apache Kafka, org.apache.kafka.common.utils.Utils.murmur2.)
 */

const mixer = 0x5bd1e995

export function partitionOf(key: string | Buffer, partitions: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitions
}

function murmur2(data: Buffer): number {
  const whole = data.length & ~3
  let hash = 0x9747b28c ^ data.length
  for (let at = 0; at < whole; at += 4) {
    let part = Math.imul(data.readInt32LE(at), mixer)
    part ^= part >>> 24
    hash = Math.imul(hash, mixer) ^ Math.imul(part, mixer)
  }
  const rest = data.length - whole
  if (rest > 0) {
    for (let i = 0; i < rest; i++) hash ^= data[whole + i]! << (8 * i)
    hash = Math.imul(hash, mixer)
  }
  hash = Math.imul(hash ^ (hash >>> 13), mixer)
  return hash ^ (hash >>> 15)
}
