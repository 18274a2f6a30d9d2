/** The options of copy, a part of the one table (options.ts). */
import { cli, copying, sectioning, type Option } from './option.js'
import * as values from './values.js'

export const copyOptions: readonly Option[] = [
  copying('id-column', 'idColumn', {
    group: 'Copy',
    commands: ['copy', 'follow', 'publish', 'capture'],
    value: 'NAME',
    schema: values.text,
    describe:
      'The whole-number column that rows are copied in the order of; a key by itself (follow: if not the primary key)'
  }),
  copying('batch-size', 'batchSize', {
    group: 'Copy',
    commands: ['copy', 'follow', 'publish', 'apply'],
    value: 'ROWS',
    schema: values.integer,
    describe: 'Rows read and saved at a time (follow, publish, apply: 1000; into ClickHouse 10000)'
  }),
  copying('max-retries', 'maxRetries', {
    group: 'Copy',
    value: 'N',
    schema: values.integer,
    describe: 'Further tries of a call that took longer than --call-timeout'
  }),
  copying('retry-delay', 'retriesDelay', {
    group: 'Copy',
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'From such a time-out to the next try, such as 500ms, 1.5s or 2m'
  }),
  copying('call-timeout', 'callTimeout', {
    group: 'Copy',
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'Longest time of one call: connect, read a batch, save a batch, close'
  }),
  copying('full-copy-timeout', 'fullCopyTimeout', {
    group: 'Copy',
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'Longest time of the whole copy'
  }),
  copying('resume', 'resume', {
    group: 'Copy',
    schema: values.flag,
    describe: 'Go on behind the greatest id on the standby'
  }),

  cli('sections', 'sections', {
    group: 'Sections',
    commands: ['copy'],
    schema: values.flag,
    describe: 'Copy an ever-growing table into one section a key, by a procedure of the standby'
  }),
  sectioning('source-table', 'sourceTable', {
    group: 'Sections',
    value: 'NAME',
    schema: values.text,
    describe: 'The table on main that grows'
  }),
  sectioning('section-key', 'sectionKey', {
    group: 'Sections',
    value: 'COLUMN',
    schema: values.text,
    describe: 'Its column whose every value has a section'
  }),
  sectioning('cursor', 'cursor', {
    group: 'Sections',
    value: 'COLUMN',
    schema: values.text,
    describe: 'Its column of which later rows have greater values'
  }),
  sectioning('procedure', 'procedure', {
    group: 'Sections',
    value: 'NAME',
    schema: values.text,
    describe: "The standby's procedure, or function, that takes a row as JSON and stores it in its section"
  }),
  sectioning('section-tables', 'sectionTables', {
    group: 'Sections',
    value: 'PATTERN',
    schema: values.text,
    describe: "LIKE pattern of the sections' names"
  }),
  sectioning('settle-timeout', 'settleTimeout', {
    group: 'Sections',
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'Longest wait for transactions that were writing to the source at the start (0: no limit)'
  })
]
