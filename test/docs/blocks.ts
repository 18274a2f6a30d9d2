/** The sh blocks of a document, and the script that each is run as: exactly its lines, ended by the first that does not do what is written. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface Block {
  /** From the project's folder: `docs/plans.md`. */
  readonly file: string
  /** The heading above it, such as `ClickHouse in ten minutes`. */
  readonly section: string
  /** Of the first command, from 1. */
  readonly line: number
  readonly code: string
}

/** Of a file that is named from the project's folder. */
export async function blocksOf(file: string): Promise<Block[]> {
  const text = await readFile(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
  return [...text.matchAll(/^( *)```sh\n(.*?)^\1```$/gms)].map(({ index, 1: indent = '', 2: code = '' }) => ({
    file,
    section: [...text.slice(0, index).matchAll(/^##? (.*)$/gm)].at(-1)?.[1] ?? '',
    line: text.slice(0, index).split('\n').length + 1,
    code: code
      .split('\n')
      .map(line => line.slice(indent.length))
      .join('\n')
  }))
}

/** How a document tells an exit code other than 0: by a comment at the end of the command. */
const told = /\s# exit (\d+)\b.*$/

/** For `bash -euo pipefail`. */
export function scriptOf({ code }: Block): string {
  return commandsOf(code)
    .map(command => {
      const [, wanted] = told.exec(command) ?? []
      return wanted === undefined ? command : expecting(command, wanted)
    })
    .join('\n')
}

/** A line, with those that it goes on in. */
export function commandsOf(code: string): string[] {
  const commands: string[] = []
  let open = ''
  for (const line of code.trimEnd().split('\n')) {
    open += open === '' ? line : `\n${line}`
    if (line.endsWith('\\')) continue
    commands.push(open)
    open = ''
  }
  if (open !== '') throw new Error(`a command goes on after its last line: ${open}`)
  return commands
}

const expecting = (command: string, wanted: string): string => `ended=0
{ ${command}
} || ended=$?
[ "$ended" = ${wanted} ] || { echo "the document says exit ${wanted}, and it was $ended" >&2; exit 99; }`

/** Names that the block exports. */
export const exportsOf = ({ code }: Block): string[] =>
  [...code.matchAll(/^export (.*)$/gm)].flatMap(([, rest = '']) =>
    [...rest.matchAll(/\b([A-Z_]+)=/g)].map(([, name = '']) => name)
  )
