/** `pgsyncer diff`: the same comparison, nothing written. */
import { compareAndRender } from './compare.js'
import type { Run } from './command.js'

export const run: Run = (settings, io) => compareAndRender('diff', settings, io)
