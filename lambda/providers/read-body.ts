import type { IncomingMessage } from 'node:http';

/**
 * Reads a whole body, or its first `mostBytes` and a little: then `full` is false and the rest is left to the caller.
 * By events, since an async iterator costs as much as the rest of a small request. Rejects when the connection fails.
 */
export function readBody(message: IncomingMessage, mostBytes: number): Promise<{ body: Buffer; full: boolean }> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const body = () => (pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces));
    let isOver = false;
    const take = (piece: Buffer) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes <= mostBytes) return;
      isOver = true;
      message.off('data', take).off('end', end).off('error', reject).off('close', closed);
      message.pause();
      resolve({ body: body(), full: false });
    };
    const end = () => {
      isOver = true;
      message.off('data', take).off('error', reject);
      resolve({ body: body(), full: true });
    };
    const closed = () => {
      if (!isOver) reject(Object.assign(new Error('The connection was closed'), { code: 'ECONNRESET' }));
    };
    if (message.destroyed) closed();
    else message.on('data', take).on('end', end).on('error', reject).on('close', closed);
  });
}
