/** A script for clickhouse-client: each statement with a comment on what it is for. */
import type { ClickHouseDdlReport } from '../../follow/clickhouseddl.js'
import { shown } from './words.js'

export function renderClickHouseDdl({ stream, group, statements }: ClickHouseDdlReport): string {
  const head = comment(
    `ClickHouse reads what pgsyncer publish --name ${stream} sends to Kafka, as the group ${group}.\nMade by pgsyncer clickhouse-ddl; run it again, whole, after columns of main have changed.`
  )
  return statements
    .map(({ about, sql }) => `${about === '' ? '' : `\n${comment(about)}`}${sql};\n`)
    .reduce((all, one) => all + one, head)
}

/** What is shown ends no line: a name may hold one. */
const comment = (text: string) =>
  text
    .split('\n')
    .map(line => `-- ${shown(line)}\n`)
    .join('')
