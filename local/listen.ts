import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalStackError } from './local-stack-error.ts';

/** Binds a server to loopback and resolves to its port; 0 asks for any free one. */
export async function listen(server: Server, port: number): Promise<number> {
  const bound = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => bound.reject(toPortError(error, port)));
  server.listen(port, '127.0.0.1', () => bound.resolve());
  await bound.promise;
  return (server.address() as AddressInfo).port;
}

function toPortError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new LocalStackError(`Port ${port} is taken by another program; choose another one`);
  if (error.code === 'EACCES')
    return new LocalStackError(`Port ${port} needs more rights than this user has; choose one above 1023`);
  return error;
}
