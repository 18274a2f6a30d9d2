/** The documents for programs: version 1, described by docs/report.schema.json. Fields may be added, never changed. */
import type { Report } from '../../sync/report.js'
import type { PlanReport } from '../../sync/plan/report.js'
import type { CheckReport } from '../../sync/check.js'
import type { CopyReport } from '../../copy/run.js'
import type { ClickHouseDdlReport } from '../../follow/clickhouseddl.js'
import type { DeadLettersReport } from '../../follow/deadletters.js'
import type { FollowReport } from '../../follow/report.js'
import type { CaptureReport, StatusReport } from '../../follow/standing.js'
import type { SectionsReport } from './copy.js'

type Document =
  | Report
  | PlanReport
  | CheckReport
  | CopyReport
  | SectionsReport
  | FollowReport
  | CaptureReport
  | StatusReport
  | DeadLettersReport
  | ClickHouseDdlReport

/** One JSON document and a line's end. */
export function renderJson(document: Document): string {
  return `${JSON.stringify(document, null, 2)}\n`
}
