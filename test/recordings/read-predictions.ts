import { object, parsed, text } from './json.ts';
import { inputOf, newChoice, type Reading } from './reading.ts';
import type { RecordedCase } from './recorded-case.ts';

/** The stream of a prediction: pieces of plain text, where each further `data` line stands for a line end. */
export function readPredictionStream(bytes: Buffer): Reading {
  const choice = newChoice();
  for (const block of bytes.toString('utf8').split('\n\n')) {
    const lines = block.split('\n');
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, ''));
    if (lines.includes('event: output')) choice.text += data.join('\n');
    if (lines.includes('event: done') && inputOf(data.join('\n')) !== undefined) choice.finish = 'stop';
  }
  return { choices: [choice] };
}

/** The case that holds the stream to which a recorded prediction points; undefined when it was not recorded. */
export function recordedStreamOf(prediction: RecordedCase, cases: readonly RecordedCase[]): RecordedCase | undefined {
  if (prediction.api === 'predictions-stream') return prediction;
  const url = text(object(object(parsed(prediction.body.toString('utf8')))['urls'])['stream']);
  const path = URL.parse(url)?.pathname;
  return path === undefined ? undefined : cases.find(({ request }) => request['path'] === path);
}

/** A first answer that leads to the stream below this address: the recorded one, or one made up for a stream alone. */
export function predictionPointingTo(url: string, { api, body }: RecordedCase): Buffer {
  const recorded =
    api === 'predictions' ? object(parsed(body.toString('utf8'))) : { id: 'made-up', status: 'starting' };
  return Buffer.from(JSON.stringify({ ...recorded, urls: { stream: url } }));
}
