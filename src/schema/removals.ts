/** How an object of the standby is dropped, where pg_dump's own DROP does not say all. */
import { ident, qualified } from '../postgres/quote.js'
import type { Decision } from './decide.js'
import { type Entry, nameWithin } from './entry.js'
import type { Standby } from './side.js'
import { removal } from './statements.js'

/**
 * Statements that remove the object, empty where it goes with another one.
 * @param attached `schema\0name` of the indexes that belong to a partitioned one
 */
export async function removalOf(
  entry: Entry,
  { fate, standby }: Pick<Decision, 'fate' | 'standby'>,
  attached: ReadonlySet<string>
): Promise<string[]> {
  switch (entry.kind) {
    case 'SUBSCRIPTION':
      return [
        `ALTER SUBSCRIPTION ${ident(entry.name)} DISABLE;`,
        `ALTER SUBSCRIPTION ${ident(entry.name)} SET (slot_name = NONE);`,
        entry.drop.trim()
      ]
    case 'PUBLICATION TABLE':
    case 'PUBLICATION TABLES IN SCHEMA': {
      const publication = standby.entries.find(
        other => other.kind === 'PUBLICATION' && entry.dependencies.includes(other.dumpId)
      )
      if (publication && fate.drops.has(publication)) return []
      const said =
        /^ALTER PUBLICATION ((?:"(?:[^"]|"")*"|[^\s"])+) ADD (TABLE|TABLES IN SCHEMA)(?: ONLY)? ((?:"(?:[^"]|"")*"|[^\s;("])+)/.exec(
          entry.definition
        )
      return said ? [`ALTER PUBLICATION ${said[1]} DROP ${said[2]} ${said[3]};`] : []
    }
    case 'INDEX':
    case 'CONSTRAINT':
    case 'CHECK CONSTRAINT': {
      // pg_dump writes no DROP for what belongs to a partitioned index; this one is by itself now.
      if (entry.drop.trim() === '' && !attached.has([entry.schema, nameWithin(entry)].join('\0'))) {
        const index = qualified(entry.schema, nameWithin(entry))
        const table = entry.parent && qualified(entry.parent.schema, entry.parent.name)
        return [
          entry.kind === 'INDEX'
            ? `DROP INDEX ${index};`
            : `ALTER TABLE ${table} DROP CONSTRAINT ${ident(nameWithin(entry))};`
        ]
      }
      const statements = await removal(entry, new Set(fate.drops.keys()), attached)
      // Keys of partitions that belong to it go along.
      const takesKeys = entry.kind === 'INDEX' && hasKeys(entry, standby)
      return statements.map(text =>
        text.replace(/^ALTER TABLE ONLY /, 'ALTER TABLE ').replace(/;$/, takesKeys ? ' CASCADE;' : ';')
      )
    }
    case 'SEQUENCE':
    case 'TYPE':
    case 'SCHEMA':
    case 'EXTENSION':
    case 'FUNCTION': {
      // It may have gone with what owned it, or was made of it.
      return [
        entry.drop
          .trim()
          .replace(/^DROP (SEQUENCE|TYPE|SCHEMA|EXTENSION|FUNCTION) (?!IF EXISTS )/, 'DROP $1 IF EXISTS ')
      ]
    }
    default:
      return removal(entry, new Set(fate.drops.keys()), attached)
  }
}

/** Keys of partitions belong to this partitioned index. */
function hasKeys(index: Entry, standby: Standby): boolean {
  return standby.entries.some(
    entry =>
      entry.kind === 'INDEX ATTACH' &&
      entry.parent?.kind === 'CONSTRAINT' &&
      entry.dependencies.includes(index.dumpId)
  )
}
