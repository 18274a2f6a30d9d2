/** What the commands call, as one module that can be loaded when it is needed. */
export { sync } from '../sync/sync.js'
export { diff } from '../sync/diff.js'
export { applyPlan } from '../sync/plan/apply.js'
export { readHead } from '../sync/plan/reader.js'
export { check } from '../sync/check.js'
export { copy } from '../copy/run.js'
export { copySections } from '../copy/sections/sections.js'
