import { endpointNames } from '../../../lambda/dialects/vendor-endpoint.ts';
import { catalogue } from '../../../lambda/providers/catalogue.ts';
import { vendorEndpoints } from '../../../lambda/providers/catalogue-endpoints.ts';
import { table } from './render.ts';

/** Which vendor offers what besides conversations, as the catalogue says. */
export function endpointsTable(): string {
  const rows = catalogue.flatMap(({ name }) => {
    const offers = vendorEndpoints(name, undefined);
    const cells = endpointNames.map((endpoint) => {
      const [offer] = [offers[endpoint] ?? []].flat();
      if (offer === undefined) return '';
      return typeof offer === 'string' ? '=' : '✓';
    });
    return cells.some((cell) => cell !== '') ? [[name, ...cells]] : [];
  });
  return `\`=\` the bytes pass, \`✓\` a form of its own\n\n${table(['', ...endpointNames], rows)}`;
}
