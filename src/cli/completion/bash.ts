/** Completion for bash (its manual, "Programmable Completion"). */
import { completed, type Completed, type Flag } from './words.js'

const quoted = (words: readonly string[]): string => `'${words.join(' ')}'`
const spellings = ({ name, alias }: Flag): string[] => (alias ? [name, alias] : [name])

export function bashScript(): string {
  const names = completed.map(({ name }) => name)
  const all = new Map(completed.flatMap(({ flags }) => flags).map(flag => [flag.name, flag]))
  return `# bash completion for pgsyncer: source <(pgsyncer completion bash)
_pgsyncer() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=sync word words=
  # bash parts --flag=value into three words.
  [ "$cur" = = ] && cur=
  [ "$prev" = = ] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${names.join('|')}) command=$word; words=given; break ;; esac
  done
  case $prev in
${[...all.values()].flatMap(valueCase).join('\n')}
  esac
  case $cur in
    -*) case $command in
${completed.map(flagsCase).join('\n')}
      esac ;;
    *) if [ -z "$words" ]; then
        COMPREPLY=($(compgen -W ${quoted(names)} -- "$cur"))
      else case $command in
${completed.flatMap(actionsCase).join('\n')}
      esac; fi ;;
  esac
}
complete -F _pgsyncer pgsyncer
`
}

function valueCase(flag: Flag): string[] {
  const { value } = flag
  if (value === 'none') return []
  const words = value === 'file' ? '-f' : value === 'any' ? undefined : `-W ${quoted(value)}`
  const reply = words === undefined ? '' : `COMPREPLY=($(compgen ${words} -- "$cur")); `
  return [`    ${spellings(flag).join('|')}) ${reply}return ;;`]
}

const flagsCase = ({ name, flags }: Completed): string =>
  `      ${name}) COMPREPLY=($(compgen -W ${quoted(flags.map(flag => flag.name))} -- "$cur")) ;;`

function actionsCase({ name, actions, file }: Completed): string[] {
  if (actions.length === 0 && !file) return []
  const words = file ? '-f' : `-W ${quoted(actions.map(([word]) => word))}`
  return [`        ${name}) COMPREPLY=($(compgen ${words} -- "$cur")) ;;`]
}
