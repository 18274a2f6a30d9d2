/**
 * The messages of every error that src can throw, read from its syntax: a value that only a run knows is `…`. A helper's
 * parameter is what its callers in the same file give it, a name is what it was declared as, and a choice is each of its
 * sides. What cannot be told so is a `…` too.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'vitest/node'

export interface Message {
  /** With `…` for what only a run knows; one line. */
  text: string
  /** Where it is thrown: path below src, without a line, which every edit would change. */
  file: string
  /** The source of the message's expression, to tell it from others of the file. */
  code: string
}

interface Node {
  type: string
  start: number
  end: number
  parent?: Node
  [key: string]: unknown
}

/** So many alternatives of one expression are told apart; of more, all of it is a hole. */
const most = 24

const hole = '…'

/**
 * Classes of src that a user may meet, by their names: all below the one of core/errors.ts.
 * Whether each has a constructor of its own, so that what it is made with is not yet what it says.
 */
function classesOf(files: readonly File[]): Map<string, boolean> {
  const all = files
    .flatMap(({ nodes }) => nodes)
    .filter(({ type, superClass }) => type === 'ClassDeclaration' && superClass)
  const found = new Map([['PgsyncerError', false]])
  for (const _ of all) {
    for (const one of all) {
      if (!found.has(nameOf(one.superClass as Node))) continue
      const members = (one.body as Node).body as Node[]
      found.set(
        nameOf(one.id as Node),
        members.some(({ kind }) => kind === 'constructor')
      )
    }
  }
  return found
}

/** All messages of the folder, each once a file. */
export function messagesIn(folder: string): Message[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path =>
    path.endsWith('.ts')
  )
  const sources = new Map(paths.sort().map(path => [path, readFileSync(join(folder, path), 'utf8')]))
  const files = [...sources].map(([file, source]) => ({
    file,
    source,
    nodes: [...descend(parseAst(source, { lang: 'ts' }) as unknown as Node)]
  }))
  const classes = classesOf(files)
  const made = files.flatMap(({ nodes }) => nodes.filter(({ type }) => type === 'NewExpression'))
  return files.flatMap(one => messagesOf(one, classes, made))
}

/** Every text of one file that the pattern fits, thrown or not. */
export function textsIn(folder: string, file: string, pattern: RegExp): Message[] {
  const source = readFileSync(join(folder, file), 'utf8')
  const nodes = [...descend(parseAst(source, { lang: 'ts' }) as unknown as Node)]
  const reader = new Reader(nodes, [])
  return nodes
    .filter(({ type }) => type === 'Literal' || type === 'TemplateLiteral')
    .flatMap(one => reader.texts(one).map(text => ({ text, file, code: source.slice(one.start, one.end) })))
    .filter(({ text }) => pattern.test(text))
}

interface File {
  file: string
  source: string
  nodes: readonly Node[]
}

function messagesOf(
  { file, source, nodes }: File,
  classes: ReadonlyMap<string, boolean>,
  made: readonly Node[]
): Message[] {
  const reader = new Reader(nodes, made)
  const found = new Map<string, Message>()
  for (const at of nodes) {
    for (const given of spoken(at, classes)) {
      const code = source.slice(given.start, given.end)
      for (const text of reader.texts(given)) {
        const line = text.split('\n')[0]!.replaceAll(/…(?:…)+/g, hole)
        found.set(`${line}\0${code}`, { text: line, file, code })
      }
    }
  }
  return [...found.values()]
}

/** What an error says first: its first argument, `super`'s in a class of ours, or what is put to a list of faults. */
function spoken(node: Node, classes: ReadonlyMap<string, boolean>): Node[] {
  const given = (node.arguments ?? []) as Node[]
  if (node.type === 'NewExpression' && classes.get(nameOf(node.callee as Node)) === false)
    return given.slice(0, 1)
  if (node.type !== 'CallExpression') return []
  const callee = node.callee as Node
  if (callee.type === 'Super') {
    const owner = above(node, 'ClassDeclaration')
    return owner && classes.has(nameOf(owner.superClass as Node)) ? given.slice(0, 1) : []
  }
  const pushed = callee.type === 'MemberExpression' && nameOf(callee.property as Node) === 'push'
  return pushed && nameOf(callee.object as Node) === 'faults' ? given : []
}

function* descend(node: Node, parent?: Node): Generator<Node> {
  if (parent) node.parent = parent
  yield node
  for (const [key, value] of Object.entries(node)) {
    if (key === 'parent') continue
    for (const child of [value].flat()) {
      if (typeof child === 'object' && child !== null && 'type' in child) yield* descend(child as Node, node)
    }
  }
}

function above(node: Node, type: string): Node | undefined {
  let at = node.parent
  while (at && at.type !== type) at = at.parent
  return at
}

const nameOf = (node: Node | null | undefined): string => (typeof node?.name === 'string' ? node.name : '')

const functions = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']

class Reader {
  /** Of the file. */
  readonly #nodes: readonly Node[]
  /** Every `new` of src: a class is made in other files too. */
  readonly #made: readonly Node[]
  /** Being read already: what refers to itself is a hole. */
  readonly #open = new Set<Node>()

  constructor(nodes: readonly Node[], made: readonly Node[]) {
    this.#nodes = nodes
    this.#made = made
  }

  /** All that the expression may say. */
  texts(node: Node | null | undefined): string[] {
    if (!node || this.#open.has(node)) return [hole]
    this.#open.add(node)
    const found = [...new Set(this.#read(node))]
    this.#open.delete(node)
    return found.length === 0 || found.length > most ? [hole] : found
  }

  #read(node: Node): string[] {
    const at = (key: string) => this.texts(node[key] as Node)
    switch (node.type) {
      case 'Literal':
        return [typeof node.value === 'string' ? node.value : hole]
      case 'TemplateLiteral':
        return this.#template(node)
      case 'ConditionalExpression':
        return [...at('consequent'), ...at('alternate')]
      case 'LogicalExpression':
        return [...at('left'), ...at('right')]
      case 'BinaryExpression':
        return node.operator === '+' ? joined([at('left'), at('right')]) : [hole]
      case 'TSAsExpression':
      case 'TSNonNullExpression':
      case 'ParenthesizedExpression':
        return at('expression')
      case 'Identifier':
        return this.#named(node)
      case 'ObjectExpression':
        return (node.properties as Node[]).flatMap(one => this.texts(one.value as Node))
      case 'MemberExpression':
        return node.computed ? at('object') : [hole]
      case 'CallExpression':
        return this.#called(node)
      default:
        return [hole]
    }
  }

  #template(node: Node): string[] {
    const quasis = (node.quasis as { value: { cooked: string } }[]).map(one => one.value.cooked)
    const parts = (node.expressions as Node[]).map(one => this.texts(one))
    const all = joined(quasis.flatMap((quasi, at) => (at === 0 ? [[quasi]] : [parts[at - 1]!, [quasi]])))
    return all.length <= most
      ? all
      : joined(quasis.flatMap((quasi, at) => (at === 0 ? [[quasi]] : [[hole], [quasi]])))
  }

  /** A parameter is what it is called with, anything else what it was declared as. */
  #named(node: Node): string[] {
    const name = nameOf(node)
    for (let at = node.parent; at; at = at.parent) {
      if (functions.includes(at.type)) {
        const params = at.params as Node[]
        const place = params.findIndex(
          one => nameOf((one.type === 'AssignmentPattern' ? one.left : one) as Node) === name
        )
        if (place >= 0) return this.#given(at, place, params[place]!)
      }
      const block = at.type === 'BlockStatement' || at.type === 'Program' ? (at.body as Node[]) : []
      for (const statement of block) {
        const declared =
          statement.type === 'ExportNamedDeclaration' ? (statement.declaration as Node | null) : statement
        if (declared?.type !== 'VariableDeclaration') continue
        const found = (declared.declarations as Node[]).find(one => nameOf(one.id as Node) === name)
        if (found) return this.texts(found.init as Node)
      }
    }
    return [hole]
  }

  #given(owner: Node, place: number, param: Node): string[] {
    const calls = this.#callsOf(owner)
    const standard = param.type === 'AssignmentPattern' ? this.texts(param.right as Node) : []
    if (calls.length === 0 && standard.length === 0) return [hole]
    const elsewhere = owner.parent?.type === 'ExportNamedDeclaration' ? [hole, ...standard] : []
    const here = calls.flatMap(call => {
      const given = (call.arguments as Node[])[place]
      return given ? this.texts(given) : standard
    })
    return [...here, ...elsewhere]
  }

  #callsOf(owner: Node): Node[] {
    const name = nameOfFunction(owner)
    if (name === 'constructor') {
      const made = nameOf(above(owner, 'ClassDeclaration')?.id as Node)
      return this.#made.filter(node => nameOf(node.callee as Node) === made)
    }
    const isMethod = owner.parent?.type === 'MethodDefinition'
    return this.#nodes.filter(
      node => node.type === 'CallExpression' && name !== '' && calledName(node, isMethod) === name
    )
  }

  /** A function of the file, by what it returns. */
  #called(node: Node): string[] {
    const name = calledName(node)
    const found = this.#nodes.find(
      one => functions.includes(one.type) && name !== '' && nameOfFunction(one) === name
    )
    if (!found) return [hole]
    const body = found.body as Node
    if (body.type !== 'BlockStatement') return this.texts(body)
    const returns = [...descendWithin(body)].filter(one => one.type === 'ReturnStatement')
    return returns.flatMap(one => this.texts(one.argument as Node))
  }
}

function nameOfFunction({ id, parent }: Node): string {
  const named =
    parent?.type === 'VariableDeclarator' ? parent.id : parent?.type === 'MethodDefinition' ? parent.key : id
  return nameOf(named as Node)
}

/** A function's name; a method's if it is of `this`, or `anyones`. */
function calledName(call: Node, anyones = false): string {
  const callee = call.callee as Node
  if (callee.type === 'Identifier') return nameOf(callee)
  const own =
    callee.type === 'MemberExpression' && (anyones || (callee.object as Node).type === 'ThisExpression')
  return own ? nameOf(callee.property as Node) : ''
}

/** A function's own nodes, without those of functions in it. */
function* descendWithin(node: Node): Generator<Node> {
  yield node
  for (const [key, value] of Object.entries(node)) {
    if (key === 'parent') continue
    for (const child of [value].flat()) {
      if (typeof child !== 'object' || child === null || !('type' in child)) continue
      if (!functions.includes((child as Node).type)) yield* descendWithin(child as Node)
    }
  }
}

/** Every way to take one of each. */
function joined(parts: readonly string[][]): string[] {
  return parts.reduce<string[]>((all, part) => all.flatMap(one => part.map(other => one + other)), [''])
}
