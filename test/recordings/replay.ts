import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import { anthropicCaller } from './anthropic-caller.ts';
import type { Ask, Caller } from './caller.ts';
import { differences } from './compare.ts';
import { byteDifferences } from './compare-bytes.ts';
import { geminiCaller } from './gemini-caller.ts';
import { type Json, object } from './json.ts';
import { chatCaller, responsesCaller } from './openai-callers.ts';
import { recordedStreamOf } from './read-predictions.ts';
import type { Reading } from './reading.ts';
import { readRecording, recordedDialect } from './recorded-answer.ts';
import type { RecordedCase } from './recorded-case.ts';
import { type ReplayTarget, startReplayGateway } from './replay-gateway.ts';
import { type ReplayingVendor, startReplayingVendor } from './replaying-vendor.ts';
import { changedMembers, sendAsRecorded } from './same-request.ts';
import { lostInTranslation } from './translate-request.ts';

/** What came of one case with the callers of one dialect; `difference` also says why a case was skipped. */
export type Verdict = {
  case: string;
  client: DialectName;
  verdict: 'passed' | 'failed' | 'skipped';
  difference?: string;
};

const callers: readonly Caller[] = [chatCaller, responsesCaller, anthropicCaller, geminiCaller];

type Run = { recorded: RecordedCase; caller: Caller; dialect: DialectName; expected: Reading; target: ReplayTarget };

/** Replays all cases with the SDKs of all dialects, several at a time. */
export async function replayAll(cases: readonly RecordedCase[], concurrency = 12): Promise<Verdict[]> {
  const vendor = await startReplayingVendor(cases);
  const planned = cases.flatMap((recorded, number) => plan(recorded, `${vendor.url}/${number}`, { number, cases }));
  const runs = planned.filter((one) => 'caller' in one);
  const gateway = await startReplayGateway(runs.map(({ target }) => target));
  const verdicts: Verdict[] = planned.filter((one) => 'verdict' in one);
  const waiting = runs.values();
  const work = async () => {
    for (const run of waiting) verdicts.push(await judge(run, gateway.url, vendor));
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  gateway.close();
  vendor.close();
  return verdicts.sort((a, b) => (`${a.case} ${a.client}` < `${b.case} ${b.client}` ? -1 : 1));
}

/** What each caller has to do with a case. */
function plan(
  recorded: RecordedCase,
  baseUrl: string,
  { number, cases }: { number: number; cases: readonly RecordedCase[] },
): (Run | Verdict)[] {
  const dialect = recorded.problem === undefined ? recordedDialect(recorded) : undefined;
  const whole = isAnswered(recorded) ? recorded : recordedStreamOf(recorded, cases);
  const expected = dialect && whole && readRecording(whole, dialect);
  return callers.map((caller) => {
    const skip = (why: string): Verdict => ({
      case: recorded.name,
      client: caller.dialect,
      verdict: 'skipped',
      difference: why,
    });
    if (recorded.problem !== undefined) return skip(recorded.problem);
    if (!whole) return skip('it was recorded without the answer to which it points');
    if (!dialect || !expected) return skip(`the gateway does not translate ${recorded.api}`);
    if (dialect !== caller.dialect && expected.choices.some(({ ownKind }) => ownKind)) {
      return skip(`it answers in a kind of content for which only callers of ${dialect} can ask`);
    }
    const name = `case-${number}-${caller.dialect}`;
    const target = {
      ...recorded,
      name,
      recorded: dialect,
      baseUrl: `${baseUrl}/${caller.dialect}`,
      client: caller.dialect,
    };
    return { recorded, caller, dialect, expected, target };
  });
}

/** Replicate's first answers only point to an answer. */
function isAnswered({ api, status }: RecordedCase): boolean {
  return api !== 'predictions' || status >= 400;
}

/** A recording that breaks the replay itself is a failure of that one case. */
async function judge(run: Run, url: string, vendor: ReplayingVendor): Promise<Verdict> {
  const about = { case: run.recorded.name, client: run.caller.dialect };
  try {
    const found = [...(await replay(run, url)), ...(await lostOfRequest(run, url, vendor))];
    return found.length === 0
      ? { ...about, verdict: 'passed' }
      : { ...about, verdict: 'failed', difference: found.join('; ') };
  } catch (error) {
    return { ...about, verdict: 'failed', difference: `the replay broke: ${String(error).slice(0, 300)}` };
  }
}

/** What the recorded request loses, on its way to a vendor of its own dialect, and of the others. */
async function lostOfRequest({ recorded, dialect, caller, target }: Run, url: string, vendor: ReplayingVendor) {
  const body = recordedBody(recorded);
  if (dialect !== caller.dialect || body === undefined) return [];
  const way = { client: caller.dialect, model: target.name, stream: recorded.stream };
  const sent = await sendAsRecorded(url, body, way);
  const arrived = vendor.takeRequest(new URL(target.baseUrl).pathname);
  return [...changedMembers(sent, arrived), ...lostInTranslation(recorded, dialect)];
}

/** A request that the vendor refused may be one that the gateway refuses in its own words. */
function recordedBody({ request, status }: RecordedCase): Json | undefined {
  const body = object(request['body']);
  return status < 400 && Object.keys(body).length > 0 ? body : undefined;
}

async function replay({ recorded, caller, dialect, expected, target }: Run, url: string): Promise<string[]> {
  const unchanged = dialect === caller.dialect;
  let heard: Promise<Buffer> | undefined;
  const ask: Ask = {
    url,
    model: target.name,
    stream: recorded.stream,
    tools: [...new Set(expected.choices.flatMap(({ calls }) => calls.map(({ name }) => name)))],
    choices: expected.choices.length,
    body: unchanged ? recordedBody(recorded) : undefined,
    unchanged,
    hear: (bytes) => {
      heard = bytes;
    },
  };
  const seen = await caller.call(ask);
  const found = differences(expected, seen, { recorded: dialect, client: caller.dialect, stream: recorded.stream });
  if (unchanged && !expected.error) found.push(...byteDifferences(recorded, await heard));
  return found;
}
