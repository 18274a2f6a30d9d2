/** Completion for zsh (its manual, "Completion System", _arguments). */
import { completed, type Completed, type Flag } from './words.js'

/** Between single quotes, where brackets and colons mean something to _arguments. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const plain = (text: string): string => text.replace(/[\\[\]:]/g, '\\$&')

export function zshScript(): string {
  const sync = completed[0]!
  return `#compdef pgsyncer
# zsh completion for pgsyncer: pgsyncer completion zsh > "\${fpath[1]}/_pgsyncer"
_pgsyncer() {
  local state line
  local -a commands
  commands=(
${completed.map(({ name, describe }) => `    ${quoted(`${name}:${describe}`)}`).join('\n')}
  )
  _arguments -C \\
${argumentsOf(sync)} \\
    '1: :->command' '*:: :->rest' && return
  case $state in
    command) _describe -t commands command commands ;;
    rest) case $words[1] in
${completed.map(restCase).join('\n')}
    esac ;;
  esac
}
if [ "$funcstack[1]" = _pgsyncer ]; then _pgsyncer "$@"; else compdef _pgsyncer pgsyncer; fi
`
}

function restCase(command: Completed): string {
  const words = command.actions.map(([word, what]) => `${word}\\:${quotedWithin(what)}`)
  const first = command.file ? '1:file:_files' : words.length > 0 ? `1:action:((${words.join(' ')}))` : ''
  const action = first === '' ? '' : ` \\\n    ${quoted(first)}`
  return `      ${command.name}) _arguments \\\n${argumentsOf(command)}${action} ;;`
}

const quotedWithin = (text: string): string => `"${text.replaceAll('"', '\\"')}"`

const argumentsOf = ({ flags }: Completed): string => flags.map(flag => `    ${argument(flag)}`).join(' \\\n')

function argument({ name, alias, describe, value }: Flag): string {
  const told = `[${plain(describe)}]`
  const what =
    value === 'none'
      ? ''
      : value === 'file'
        ? ':file:_files'
        : value === 'any'
          ? ':value: '
          : `:value:(${value.join(' ')})`
  const spec = (spelling: string) =>
    quoted(`*${spelling}${value === 'none' || spelling.length === 2 ? '' : '='}${told}${what}`)
  return alias ? `${spec(name)} ${spec(alias)}` : spec(name)
}
