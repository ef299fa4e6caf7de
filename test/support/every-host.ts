import { startStackGateway } from './local-stack-gateway.ts';
import { startServeProcess } from './serve-process.ts';

/** The hosts on which the gateway runs without AWS, for suites that must hold on each. */
export const everyHost = [
  { name: 'npm run serve', start: startServeProcess },
  { name: 'npm start, the stack under the runtime client', start: startStackGateway },
];
