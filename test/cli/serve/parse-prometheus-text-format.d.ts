declare module 'parse-prometheus-text-format' {
  /** The families of the text, as prom2json has them. */
  export default function parse(text: string): unknown[]
}
