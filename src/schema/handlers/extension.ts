/** Extensions: moved to main's schema, where the extension lets itself be moved. */
import { ident } from '../../postgres/quote.js'
import { alteration, sql, type Handler } from './handler.js'

export const extensionHandler: Handler = {
  mark({ standby }, situation) {
    const extension = situation.standby.details.extensions.get(standby.name)
    if (!extension?.relocatable)
      situation.fate.drop(standby, 'changed', 'it cannot be moved to another schema')
  },
  alter({ main }) {
    const schema = /WITH SCHEMA ("(?:[^"]|"")+"|[^\s;]+);/.exec(main.definition)?.[1]
    return alteration({
      structure:
        schema === undefined ? [] : [sql(`ALTER EXTENSION ${ident(main.name)} SET SCHEMA ${schema};`)]
    })
  }
}
