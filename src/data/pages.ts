/** A table's pages in pieces, each of which a server that can scan a range of ctid reads by itself. */

/**
 * Conditions over `t` that hold together for all rows, and each for those of about as many pages.
 * @param pages of the table's file, or the largest of its partitions' files; rows behind them are the last piece's
 */
export function pageRanges(pages: number, pieces: number): string[] {
  if (pieces < 2) return ['true']
  const bound = (piece: number) => `'(${Math.ceil((pages / pieces) * piece)},0)'::tid`
  return Array.from({ length: pieces }, (_, i) =>
    [
      ...(i > 0 ? [`t.ctid >= ${bound(i)}`] : []),
      ...(i < pieces - 1 ? [`t.ctid < ${bound(i + 1)}`] : [])
    ].join(' AND ')
  )
}
