import { describeEndpoints } from '../support/endpoints-suite.ts';
import { describeGateway } from '../support/gateway-suite.ts';
import { startStackGateway } from '../support/local-stack-gateway.ts';

describeGateway('npm start, the stack under the runtime client', startStackGateway);
describeEndpoints('npm start, the stack under the runtime client', startStackGateway);
