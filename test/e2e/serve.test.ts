import { describeGateway } from '../support/gateway-suite.ts';
import { startServeProcess } from '../support/serve-process.ts';

describeGateway('npm run serve', startServeProcess);
