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
  /** Lines of output that the document shows behind it, in a block without a language. */
  readonly shown: readonly string[]
}

/** Of a file that is named from the project's folder. */
export async function blocksOf(file: string): Promise<Block[]> {
  const text = await readFile(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
  const blocks: (Block & { shown: string[] })[] = []
  for (const { index, 1: indent = '', 2: language, 3: inside = '' } of text.matchAll(
    /^( *)```(\w*)\n(.*?)^\1```$/gms
  )) {
    const section = [...text.slice(0, index).matchAll(/^##? (.*)$/gm)].at(-1)?.[1] ?? ''
    const lines = inside.split('\n').map(line => line.slice(indent.length))
    const last = blocks.at(-1)
    if (language === 'sh') {
      const line = text.slice(0, index).split('\n').length + 1
      blocks.push({ file, section, line, code: lines.join('\n'), shown: [] })
    } else if (last?.section === section && language === '') {
      last.shown.push(...lines.filter(line => line.trim() !== ''))
    }
  }
  return blocks
}

/** How a document tells an exit code other than 0: by a comment at the end of the command. */
const told = /\s# exit (\d+)\b.*$/

/** For `bash -euo pipefail`; what a reader is told to export, has been. */
export function scriptOf({ code }: Block): string {
  return commandsOf(code)
    .filter(command => !command.startsWith('export '))
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

/** Lines that a document shows and the output does not have; how it is wrapped, how long it took, and whose folder it was, does not matter. */
export function inventedOf({ shown }: Block, output: string, folder: string): string[] {
  const plain = (text: string) =>
    text
      .replaceAll(folder, '/home/anna')
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/\d+(\.\d+)? m?s\b/g, 'TIME')
      .trim()
  const said = plain(output)
  return shown.filter(line => !said.includes(plain(line)))
}
