/** Cells per doubling: each reaches 12 % further than the one before. */
const cellsPerDoubling = 6;
/** The last cell begins at 17 minutes in milliseconds. */
const lastCell = 20 * cellsPerDoubling;

/** The cell of a logarithmic scale that holds a value; what is below one belongs to the first. */
export function cellOf(value: number): number {
  return value >= 1 ? Math.min(Math.floor(Math.log2(value) * cellsPerDoubling), lastCell) : 0;
}

/** Where a cell begins, and the one before it ends. */
export function cellStart(cell: number): number {
  return 2 ** (cell / cellsPerDoubling);
}

/** How the waits of a cell ended: with an answer, by a timeout, or given up for a reason that is not the target's. */
export type WaitCell = { cell: number; answered: number; timedOut: number; cancelled: number };

/** What was waited for until an answer or a timeout, which lasted as long at least. */
export function samplesOf({ answered, timedOut }: WaitCell): number {
  return answered + timedOut;
}

/** The same of all of them. */
export function samplesIn(cells: readonly WaitCell[]): number {
  return cells.reduce((sum, cell) => sum + samplesOf(cell), 0);
}

/** A part of a distribution, spread evenly (by the logarithm) between two values. */
export type Piece = { from: number; to: number; share: number };

/** What outlived every answer that was seen is taken for this many times as long as it was waited for. */
const unseenTail = 2;
const negligible = 1e-9;

/**
 * The distribution of waits, some of which were given up and would have lasted longer. Kaplan and Meier's estimate on
 * cells: in each, the share that is answered is taken of those that still waited, and one given up within a cell counts
 * for half of it. Cells come in ascending order. Empty when nothing was waited for until an answer or a timeout.
 */
export function waitDistribution(cells: readonly WaitCell[]): Piece[] {
  if (!cells.some(({ answered, timedOut }) => answered + timedOut > 0)) return [];
  let waiting = cells.reduce((sum, { answered, timedOut, cancelled }) => sum + answered + timedOut + cancelled, 0);
  let left = 1;
  const pieces: Piece[] = [];
  for (const { cell, answered, timedOut, cancelled } of cells) {
    const exposed = Math.max(waiting - (timedOut + cancelled) / 2, answered);
    if (answered > 0) {
      const share = (left * answered) / exposed;
      pieces.push({ from: cellStart(cell), to: cellStart(cell + 1), share });
      left -= share;
    }
    waiting -= answered + timedOut + cancelled;
  }
  const longest = cells.findLast(({ timedOut, cancelled }) => timedOut + cancelled > 0);
  if (left > negligible && longest) {
    const tail = unseenTail * cellStart(longest.cell + 0.5);
    pieces.push({ from: tail, to: tail, share: left });
  }
  return pieces;
}

/** The value below which a share of the distribution lies. */
export function quantile(pieces: readonly Piece[], share: number): number {
  let below = 0;
  for (const piece of pieces) {
    if (below + piece.share >= share - negligible) {
      const inside = Math.max(0, (share - below) / piece.share);
      return piece.from * (piece.to / piece.from) ** Math.min(inside, 1);
    }
    below += piece.share;
  }
  return pieces.at(-1)?.to ?? 0;
}

/** The mean, with the middle of each piece standing for it. */
export function mean(pieces: readonly Piece[]): number {
  const total = pieces.reduce((sum, { share }) => sum + share, 0);
  return pieces.reduce((sum, { from, to, share }) => sum + share * Math.sqrt(from * to), 0) / total;
}
