/**
 * The one table of options. Flags, environment variables, config keys, help and README's table are all made from
 * it, and a default that the library has is the library's (sync/config.ts).
 */
import { copyOptions } from './copyoptions.js'
import { followOptions } from './followoptions.js'
import {
  cli,
  commandNames,
  comparisons,
  connecting,
  moving,
  planned,
  run,
  runs,
  streams,
  type Option
} from './option.js'
import * as values from './values.js'

export const options: readonly Option[] = [
  run('maindsn', 'main', {
    group: 'Databases',
    commands: connecting.filter(name => name !== 'apply-plan'),
    value: 'DSN',
    env: ['MAIN_DSN'],
    secret: true,
    schema: values.text,
    describe: 'Where rows and structure come from: a URI, key=value words, or service=NAME'
  }),
  run('standindsn', 'standby', {
    group: 'Databases',
    commands: [...moving, 'apply-plan'],
    value: 'DSN',
    env: ['STANDIN_DSN'],
    secret: true,
    schema: values.text,
    describe: 'What is made the same as main'
  }),

  run('schema', 'schemas', {
    group: 'What',
    commands: [...moving, ...streams],
    value: 'NAME',
    repeat: true,
    schema: values.list(),
    describe: 'Schema, by its exact name; repeat it for more'
  }),
  run('all-schemas', 'allSchemas', {
    group: 'What',
    schema: values.flag,
    describe: 'Every schema, and what is in none: extensions, publications, casts, …; instead of --schema'
  }),
  run('table', 'tables', {
    group: 'What',
    commands: [...moving, ...streams],
    alias: 't',
    value: 'PATTERN',
    repeat: true,
    schema: values.list(),
    describe: "Tables, as psql's \\d takes them; repeat it for more; copy: one"
  }),
  run('exclude-table', 'excludeTables', {
    group: 'What',
    alias: 'T',
    commands: [...runs, 'follow', 'publish', 'apply', 'clickhouse-ddl', 'capture'],
    value: 'PATTERN',
    repeat: true,
    schema: values.list(),
    describe: 'Leave these tables out; repeat it for more'
  }),
  run('where', 'where', {
    group: 'What',
    value: "'TABLE: CONDITION'",
    repeat: true,
    schema: values.rowFilters,
    describe: 'Only the rows of a table that meet an SQL condition; repeat it for more'
  }),
  run('exclude-column', 'excludeColumns', {
    group: 'What',
    value: "'TABLE: COLUMN, …'",
    repeat: true,
    schema: values.columnNames,
    describe: 'Neither compare nor write these columns; repeat it for more'
  }),

  run('sync-schema', 'syncSchema', {
    group: 'Structure',
    schema: values.flag,
    describe: "Make the standby's structure main's: what it lacks, and what differs"
  }),
  run('schema-method', 'schemaMethod', {
    group: 'Structure',
    value: 'auto|pgdump|catalog',
    schema: values.choice('auto', 'pgdump', 'catalog'),
    describe:
      'Who reads structure: pg_dump, SQL from the catalogs, or (auto) pg_dump where one fits both servers'
  }),
  run('with-owner', 'withOwner', {
    group: 'Structure',
    schema: values.flag,
    describe: 'Compare and set owners too'
  }),
  run('with-privileges', 'withPrivileges', {
    group: 'Structure',
    schema: values.flag,
    describe: 'Compare and set grants too'
  }),
  run('concurrent-indexes', 'concurrentIndexes', {
    group: 'Structure',
    schema: values.flag,
    describe: 'Make indexes on tables that have rows CONCURRENTLY: nobody who writes has to wait'
  }),
  run('pgdump', 'pgDump', {
    group: 'Structure',
    value: 'PATH',
    schema: values.text,
    describe: 'The pg_dump to use, if not the newest that is found'
  }),
  run('force-psql', 'forcePsql', {
    group: 'Structure',
    schema: values.flag,
    describe: 'Apply structure by psql instead of statement by statement over the connection'
  }),
  run('psql', 'psql', {
    group: 'Structure',
    value: 'PATH',
    schema: values.text,
    describe: 'The psql to use'
  }),

  run('sync-data', 'syncData', {
    group: 'Rows',
    schema: values.flag,
    describe: 'Compare the rows and copy what differs'
  }),
  run('chunk-size', 'chunkSize', {
    group: 'Rows',
    commands: moving,
    value: 'ROWS',
    schema: values.integer,
    describe: 'Rows of a table that are compared and committed at a time'
  }),
  run('workers', 'workers', {
    group: 'Rows',
    value: 'N',
    schema: values.integer,
    describe: 'Connections to each server that compare and move rows'
  }),
  run('max-rate', 'maxRate', {
    group: 'Rows',
    value: 'RATE',
    schema: values.byteRate,
    describe: 'Read and hash no more of main’s rows a second, such as 500kB, 20MB or 1GB (0: no limit)'
  }),
  run('use-updated-at', 'useUpdatedAt', {
    group: 'Rows',
    schema: values.flag,
    describe: 'Look only at rows whose updated_at is later than the last run'
  }),
  run('last-sync-time', 'lastSyncTime', {
    group: 'Rows',
    value: "'YYYY-MM-DD HH:MM:SS'",
    schema: values.text,
    describe: "…or later than this, in UTC; with --use-updated-at instead of the standby's own record"
  }),
  run('verify', 'verify', {
    group: 'Rows',
    schema: values.flag,
    describe: 'Prove tables that were loaded whole by digests, not by row counts alone'
  }),
  run('strict-hash', 'strictHash', {
    group: 'Rows',
    schema: values.flag,
    describe: 'Compare rows by SHA-256 instead of a 64-bit hash'
  }),

  run('fdw-mode', 'fdwMode', {
    group: 'Foreign data wrapper',
    schema: values.flag,
    describe: 'The standby fetches rows from main itself, by postgres_fdw'
  }),
  run('fdw-host', 'fdwHost', {
    group: 'Foreign data wrapper',
    value: 'HOST',
    schema: values.text,
    describe: 'Where the standby finds main, if elsewhere than here'
  }),
  run('fdw-port', 'fdwPort', {
    group: 'Foreign data wrapper',
    value: 'PORT',
    schema: values.integerOf(1, 65_535),
    describe: 'The port there'
  }),

  ...copyOptions,

  ...followOptions,

  cli('dry-run', 'dryRun', {
    group: 'Safety',
    commands: [...comparisons, 'apply-plan', 'capture'],
    schema: values.flag,
    describe:
      'Change nothing: sync is diff then, apply-plan only looks whether it could, and capture prints its SQL'
  }),
  run('clean-extra', 'cleanExtra', {
    group: 'Safety',
    commands: [...runs, 'follow'],
    value: 'rows|objects',
    bare: true,
    schema: values.cleanExtra,
    describe:
      'Remove from the standby what main does not have: rows and objects, or only the named kind (follow: rows before the first copy)'
  }),
  run('allow', 'allow', {
    group: 'Safety',
    commands: planned,
    value: 'NAME,…|all',
    repeat: true,
    schema: values.hazardNames,
    describe:
      "Accept changes of structure that may do this, such as deletes-data; diff names each change's hazards"
  }),
  run('max-delete', 'maxDelete', {
    group: 'Safety',
    commands: planned,
    value: 'N|P%',
    schema: values.deleteGuard,
    describe: 'Refuse to delete more rows of a table than this (a share guards from 1,000 rows on)'
  }),
  cli('yes', 'yes', {
    group: 'Safety',
    commands: ['sync', 'diff', 'apply-plan'],
    schema: values.flag,
    describe: 'Do not ask before --clean-extra, --allow of deletes-data, or a plan that removes something'
  }),
  run('lock-timeout', 'lockTimeout', {
    group: 'Safety',
    commands: connecting,
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'Longest wait for a lock, such as 500ms, 5s or 2m (0: no limit, as for copy unless this is set)'
  }),
  run('statement-timeout', 'statementTimeout', {
    group: 'Safety',
    commands: connecting,
    value: 'TIME',
    schema: values.duration,
    describe: 'Longest time of one statement (0: no limit)'
  }),
  run('retries', 'retries', {
    group: 'Safety',
    value: 'N',
    schema: values.integer,
    describe: 'Further tries after a deadlock or a lost connection, and of a run that lost main’s snapshot'
  }),
  run('max-outage', 'maxOutage', {
    group: 'Safety',
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'Longest time that a server may be away in the midst of a run'
  }),
  run('connect-wait', 'connectWait', {
    group: 'Safety',
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'Longest wait for a server that is away when the run begins (0: none)'
  }),

  run('plan', 'plan', {
    group: 'Output',
    value: 'FILE',
    commands: ['diff'],
    schema: values.text,
    describe: 'Write what a sync would do, each row of it, for apply-plan'
  }),
  cli('undo', 'undo', {
    group: 'Safety',
    value: 'FILE',
    commands: ['apply-plan'],
    schema: values.text,
    describe: 'Write the way back first, which is a plan as well'
  }),
  cli('format', 'format', {
    group: 'Output',
    value: 'text|json',
    commands: connecting,
    schema: values.choice('text', 'json'),
    describe: 'The form of the result on standard output'
  }),
  cli('report', 'report', {
    group: 'Output',
    value: 'FILE',
    repeat: true,
    schema: values.list(values.reportFile),
    describe:
      'Write the result to a file too, as its ending says: .html, .json, .txt or .sql; repeat it for more'
  }),
  run('samples', 'samples', {
    group: 'Output',
    value: 'N',
    commands: comparisons,
    schema: values.integer,
    describe: 'Differing rows of a table that are shown'
  }),
  cli('sql-rows', 'sqlRows', {
    group: 'Output',
    value: 'N',
    schema: values.integerOf(0, 1_000_000),
    describe: 'Differing rows of a table that a .sql report holds'
  }),
  cli('no-progress', 'noProgress', {
    group: 'Output',
    commands: connecting,
    schema: values.flag,
    describe: 'Show no progress'
  }),
  cli('quiet', 'quiet', {
    group: 'Output',
    alias: 'q',
    commands: connecting,
    schema: values.flag,
    describe: 'Say nothing where all is well: errors, and a text result only if it differs or failed'
  }),
  cli('verbose', 'verbose', {
    group: 'Output',
    alias: 'v',
    commands: commandNames,
    schema: values.flag,
    describe: 'Say every note and retry, list identical tables too, and show the stack of an error'
  }),
  cli('log-format', 'logFormat', {
    group: 'Output',
    value: 'text|json',
    commands: connecting,
    schema: values.choice('text', 'json'),
    describe: 'The form of what goes to standard error; json is one object a line'
  }),
  cli('no-color', 'noColor', {
    group: 'Output',
    commands: commandNames,
    schema: values.flag,
    describe: 'No colours (also NO_COLOR)'
  }),

  cli('config', 'config', {
    group: 'General',
    value: 'FILE',
    commands: connecting,
    schema: values.text,
    describe: 'A JSON file of settings, by the names of the flags'
  }),
  cli('keep', 'keep', {
    group: 'General',
    commands: ['demo'],
    schema: values.flag,
    describe: 'Leave the servers of the demo running until it is stopped'
  })
]
