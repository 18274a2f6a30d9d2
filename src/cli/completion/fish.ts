/** Completion for fish (its manual, "Writing your own completions"). */
import { completed, type Flag } from './words.js'

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`

export function fishScript(): string {
  const names = completed.map(({ name }) => name)
  const lines = [
    '# fish completion for pgsyncer: pgsyncer completion fish > ~/.config/fish/completions/pgsyncer.fish',
    'complete -c pgsyncer -f'
  ]
  for (const { name, describe, actions, file, flags } of completed) {
    // Without a command it is the first one.
    const here =
      name === names[0]
        ? `not __fish_seen_subcommand_from ${names.slice(1).join(' ')}`
        : `__fish_seen_subcommand_from ${name}`
    lines.push(
      `complete -c pgsyncer -n 'not __fish_seen_subcommand_from ${names.join(' ')}' -a ${name} -d ${quoted(describe)}`,
      ...actions.map(
        ([word, what]) =>
          `complete -c pgsyncer -n '__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${actions.map(([one]) => one).join(' ')}' -a ${word} -d ${quoted(what)}`
      ),
      ...(file ? [`complete -c pgsyncer -n '__fish_seen_subcommand_from ${name}' -F`] : []),
      ...flags.map(flag => `complete -c pgsyncer -n '${here}' ${argument(flag)}`)
    )
  }
  return `${lines.join('\n')}\n`
}

function argument({ name, alias, describe, value }: Flag): string {
  const follows =
    value === 'none'
      ? ''
      : value === 'file'
        ? '-rF '
        : value === 'any'
          ? '-x '
          : `-xa ${quoted(value.join(' '))} `
  return `${alias ? `-s ${alias.slice(1)} ` : ''}-l ${name.slice(2)} ${follows}-d ${quoted(describe)}`
}
