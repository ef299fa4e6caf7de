// What translating a stream costs for each event, vendor dialect by client dialect: `npm run bench:dialects`.
import { performance } from 'node:perf_hooks';
import type { AnswerContext, ClientDialect } from '../lambda/dialects/dialect.ts';
import { parseEvent } from '../lambda/dialects/sse-events.ts';
import { aChatRequest } from '../test/support/chat-requests.ts';
import { allClientDialects } from '../test/support/dialect-fixtures/all-clients.ts';
import type { DialectFixture, WireAnswer } from '../test/support/dialect-fixtures/dialect-fixture.ts';
import { dialectFixtures } from '../test/support/dialect-fixtures/fixtures.ts';
import { openAiChatFixture } from '../test/support/dialect-fixtures/openai-chat.ts';
import { median, medianRatio, verdict } from './statistics.ts';

/** With the floor at 6 µs, which a slow machine takes, 24 µs for an event. */
const mostOfFloor = 4;
const rounds = 9;
const warmUpRounds = 3;
const mostTries = 3;

/** Long enough that what grows with the answer would show. */
const answer: WireAnswer = {
  reasoning: { pieces: Array.from({ length: 300 }, (_unused, at) => ` thought ${at}`), signature: 'c2lnbmF0dXJl' },
  text: Array.from({ length: 1_000 }, (_unused, at) => ` word ${at}, "quoted"\n`),
  calls: [0, 1].map((call) => ({
    id: `call_${call}`,
    name: 'search',
    arguments: JSON.stringify({ queries: Array.from({ length: 300 }, (_unused, at) => `what is ${at}?`) }),
  })),
  finish: 'tool_calls',
  usage: {
    ...{ inputTokens: 900, outputTokens: 2_000, cacheReadInputTokens: 100 },
    ...{ cacheCreationInputTokens: 0, reasoningOutputTokens: 300 },
  },
};

const context: AnswerContext = {
  request: aChatRequest({ stream: true, includeUsage: true }),
  model: 'm',
  nowSeconds: 1_700_000_000,
  newId: (prefix) => `${prefix}0123456789abcdef`,
};

type Cell = {
  vendor: DialectFixture;
  client: ClientDialect;
  stream: readonly Uint8Array[];
  samples: number[];
  floor: number[];
};

async function* asArrived(stream: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of stream) yield piece;
}

/** Microseconds for each event of the vendor's stream, one network piece each, from bytes to bytes. */
async function measureOnce({ vendor, client, stream }: Cell): Promise<number> {
  const began = performance.now();
  let bytes = 0;
  const events = vendor.dialect.decodeStream(asArrived(stream));
  for await (const piece of client.encodeStream(events, context)) bytes += Buffer.byteLength(piece);
  const elapsedMs = performance.now() - began;
  if (bytes < 10_000) throw new Error(`${vendor.dialect.name} to ${client.name} wrote ${bytes} bytes only`);
  return (elapsedMs * 1000) / stream.length;
}

/** The least that any translation must do: read and write the JSON of the same answer in OpenAI's chunks. */
function measureFloor(stream: readonly Uint8Array[]): number {
  const began = performance.now();
  let written = 0;
  for (const piece of stream) {
    const { data = '' } = parseEvent(Buffer.from(piece).toString('utf8'));
    written += Buffer.byteLength(data === '[DONE]' ? data : JSON.stringify(JSON.parse(data)));
  }
  if (written === 0) throw new Error('The floor wrote nothing');
  return ((performance.now() - began) * 1000) / stream.length;
}

const floorStream = openAiChatFixture.stream(answer);

/** The floor beside every cell: a moment in which the machine is slow is slow for both. */
async function measure(cells: readonly Cell[]): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const cell of cells) {
      cell.floor.push(measureFloor(floorStream));
      cell.samples.push(await measureOnce(cell));
    }
  }
}

function ratioOf({ samples, floor }: Cell): number {
  return medianRatio(samples, floor);
}

function printTable(cells: readonly Cell[]): void {
  const clients = [...new Set(cells.map(({ client }) => client.name))];
  const width = 22;
  console.log('µs per event (× floor)'.padEnd(width), ...clients.map((name) => name.padStart(width)));
  for (const vendor of new Set(cells.map((cell) => cell.vendor))) {
    const row = cells
      .filter((cell) => cell.vendor === vendor)
      .map((cell) => `${median(cell.samples).toFixed(2)} (${ratioOf(cell).toFixed(1)} ×)`.padStart(width));
    console.log(vendor.dialect.name.padEnd(width), ...row);
  }
}

const clients = await allClientDialects();
const cells: Cell[] = dialectFixtures.flatMap((vendor) =>
  clients.map((client) => ({ vendor, client, stream: vendor.stream(answer), samples: [], floor: [] })),
);
for (let round = 0; round < warmUpRounds; round++) {
  for (const cell of cells) await measureOnce(cell);
  measureFloor(floorStream);
}

let slow: Cell[] = cells;
// Another process may have had the processor: what is too slow is measured again, and all of its rounds count.
for (let attempt = 0; attempt < mostTries && slow.length > 0; attempt++) {
  await measure(slow);
  slow = cells.filter((cell) => ratioOf(cell) > mostOfFloor);
}
const floor = median(cells.flatMap((cell) => cell.floor));
console.log(`Medians of ${rounds} rounds and more, streams of ${floorStream.length} events and more`);
console.log(`floor, JSON.parse and JSON.stringify of OpenAI's chunks: ${floor.toFixed(2)} µs`);
printTable(cells);
for (const cell of slow) {
  const pair = `${cell.vendor.dialect.name} to ${cell.client.name}`;
  verdict(false, `${pair}: ${median(cell.samples).toFixed(1)} µs per event, ${ratioOf(cell).toFixed(1)} x the floor`);
}
const dearest = Math.max(...cells.map(ratioOf));
verdict(slow.length === 0, `the dearest translation takes ${dearest.toFixed(2)} x the floor (limit ${mostOfFloor})`);
process.exitCode = slow.length === 0 ? 0 : 1;
