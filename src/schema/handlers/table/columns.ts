/** A column's definition, and how it is stored. */
import { ident } from '../../../postgres/quote.js'
import type { Column, Relation } from '../../details/details.js'
import { sql, type Sql } from '../handler.js'
import { optionChanges } from './settings.js'

export function columnDefinition(column: Column, own: { default: boolean; notNull: boolean }): string {
  const generated = column.generated
    ? ` GENERATED ALWAYS AS (${column.default}) ${column.generated === 's' ? 'STORED' : 'VIRTUAL'}`
    : ''
  const value =
    !column.generated && own.default && column.default !== null ? ` DEFAULT ${column.default}` : ''
  const collation = column.collation ? ` COLLATE ${column.collation}` : ''
  return `${ident(column.name)} ${column.type}${collation}${generated}${value}${own.notNull ? ' NOT NULL' : ''}`
}

const storages: Record<string, string> = { p: 'PLAIN', e: 'EXTERNAL', m: 'MAIN', x: 'EXTENDED' }
const compressions: Record<string, string> = { p: 'pglz', l: 'lz4', '': 'default' }

/** @param there undefined for a column that was just added */
export function storageOf(relation: Relation, wanted: Column, there: Column | undefined): Sql[] {
  const alter = `ALTER TABLE ONLY ${relation.sql} ALTER COLUMN ${ident(wanted.name)}`
  const was = there ?? { storage: wanted.typeStorage, compression: '', statistics: -1, options: null }
  // A new type brings its own.
  const storage = there && there.typeStorage !== wanted.typeStorage ? wanted.typeStorage : was.storage
  return [
    ...(storage === wanted.storage ? [] : [sql(`${alter} SET STORAGE ${storages[wanted.storage]};`)]),
    ...(was.compression === wanted.compression
      ? []
      : [sql(`${alter} SET COMPRESSION ${compressions[wanted.compression]};`)]),
    ...(was.statistics === wanted.statistics ? [] : [sql(`${alter} SET STATISTICS ${wanted.statistics};`)]),
    ...optionChanges(alter, was.options, wanted.options)
  ]
}
