import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { describeEndpoints } from '../support/endpoints-suite.ts';
import { describeGateway } from '../support/gateway-suite.ts';
import { startServeProcess } from '../support/serve-process.ts';

describeGateway('npm run serve', startServeProcess);
describeEndpoints('npm run serve', startServeProcess);

describe('npm run serve, when it is stopped', () => {
  test('does not wait for a connection on which nothing was ever sent', async () => {
    const gateway = await startServeProcess({ config: {}, apiKey: 'sk' });
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve).on('error', () => {}));

    await gateway.close();

    await expect(closed).resolves.toBeDefined();
  }, 10_000);
});
