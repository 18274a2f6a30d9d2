/** What a command is to the command line: a name, words for its help, and a function that anyone can call. */
import type { Settings } from '../config.js'
import type { Io } from '../io.js'
import type { CommandName } from '../option.js'

/** Gives the exit code; what goes wrong is thrown. `main` runs another command line (cli/run.ts). */
export type Run = (
  /** action: the word, or the operand, behind the command's name. */
  settings: Settings & { action: string },
  io: Io,
  main: (argv: readonly string[], io: Io) => Promise<number>
) => Promise<number>

export interface Command {
  name: CommandName
  describe: string
  /** What must follow the name, such as `PLAN`. */
  operand?: string
  /** Words one of which must follow the name, and what they do. */
  actions?: Readonly<Record<string, string>>
  /** Arguments and what they do. */
  examples: readonly (readonly [string, string])[]
  load(): Promise<{ run: Run }>
}
