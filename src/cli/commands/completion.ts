/** `pgsyncer completion`: what a shell must know to complete our command lines. */
import { bashScript } from '../completion/bash.js'
import { fishScript } from '../completion/fish.js'
import { zshScript } from '../completion/zsh.js'
import { exitCodes } from '../exit.js'
import { write } from '../io.js'
import type { Run } from './command.js'

const scripts: Readonly<Record<string, () => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript }

export const run: Run = async ({ action }, io) => {
  await write(io.stdout, scripts[action]!())
  return exitCodes.done
}
