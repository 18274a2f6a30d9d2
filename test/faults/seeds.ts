/**
 * Which seeds a test of chance takes: a few in `npm test`, sixty with FAULTS=all, one alone with FAULTS_SEED=n, which is how a
 * failure, whose test is named by its seed, is seen again.
 */
export function seeds(few: number, all = 60): number[] {
  const { FAULTS, FAULTS_SEED } = process.env
  if (FAULTS_SEED !== undefined) return [Number(FAULTS_SEED)]
  return Array.from({ length: FAULTS === 'all' ? all : few }, (_, i) => i + 1)
}
