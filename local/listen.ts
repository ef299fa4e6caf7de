import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalStackError } from './local-stack-error.ts';

/** Binds a server to loopback and resolves to its port; 0 asks for any free one. `flag` is what chooses another. */
export async function listen(server: Server, port: number, flag?: string): Promise<number> {
  const bound = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => bound.reject(toPortError(error, port, flag)));
  server.listen(port, '127.0.0.1', () => bound.resolve());
  await bound.promise;
  return (server.address() as AddressInfo).port;
}

/** Stops a server at once, with the connections that it still has. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** The port itself when it is free now, or any free one for 0; rejects with a line that names the flag. */
export async function findFreePort(port: number, flag: string): Promise<number> {
  const probe = createServer();
  const freePort = await listen(probe, port, flag);
  await closeServer(probe);
  return freePort;
}

function toPortError(error: NodeJS.ErrnoException, port: number, flag: string | undefined): Error {
  const advice = flag ? `choose another one with ${flag}, or 0 for any free one` : 'choose another one';
  if (error.code === 'EADDRINUSE') return new LocalStackError(`Port ${port} is taken by another program; ${advice}.`);
  if (error.code === 'EACCES') return new LocalStackError(`Port ${port} needs more rights than you have; ${advice}.`);
  return error;
}
