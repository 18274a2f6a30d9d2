/**
 * Which seeds a test of chance takes: a few in `npm test`, sixty with FAULTS=all, one alone with FAULTS_SEED=n (or n-m: those from n
 * to m), which is how a failure, whose test is named by its seed, is seen again.
 */
export function seeds(few: number, all = 60): number[] {
  const { FAULTS, FAULTS_SEED } = process.env
  const [first = 1, last = first] = FAULTS_SEED?.split('-').map(Number) ?? [1, FAULTS === 'all' ? all : few]
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
