import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createGateway } from '../../lambda/gateway/gateway.ts';
import { dynamoIdempotencyStore } from '../../lambda/store/dynamo-idempotency-store.ts';
import { chatRequest, collectingSink, coreDeps } from '../support/core.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';
import { gatewayCount, modelOf, type Reply, vendorsAnswering } from '../support/fleet.ts';
import { completion } from '../support/scripted-vendor.ts';

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

type Answer = { status: number | undefined; headers: Record<string, string>; text: string };

/** Fifty gateways over one table, and a vendor that answers when it is let. */
async function fleet() {
  const tableName = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, tableName);
  const held: ((reply: Reply) => void)[] = [];
  let onProgress = () => {};
  const upstream = vendorsAnswering(() => {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    held.push(resolve);
    onProgress();
    return promise;
  });
  const gateways = Array.from({ length: gatewayCount }, () => {
    const idempotency = dynamoIdempotencyStore(dynamoDb.client, tableName);
    const { deps, close } = coreDeps(modelOf('vendor'), { upstream, idempotency });
    close();
    return createGateway(deps);
  });
  const ask = async ({ handle }: (typeof gateways)[number], fields: object = {}): Promise<Answer> => {
    const sink = collectingSink();
    const headers = { authorization: 'Bearer key', 'idempotency-key': 'order-1' };
    await handle(chatRequest(fields, { id: randomUUID(), headers }), sink);
    return { status: sink.heads[0]?.status, headers: sink.heads[0]?.headers ?? {}, text: sink.text() };
  };
  /** All of them at the same moment. The vendor answers when it was asked by everybody who was told nothing. */
  const askAll = async (reply: Reply): Promise<Answer[]> => {
    const answers: Answer[] = [];
    const before = held.length;
    const { promise: allCame, resolve } = Promise.withResolvers<void>();
    onProgress = () => {
      if (answers.length + held.length - before >= gatewayCount) resolve();
    };
    const all = gateways.map(async (gateway) => {
      answers.push(await ask(gateway));
      onProgress();
    });
    await Promise.race([allCame, Promise.all(all)]);
    for (const answer of held) answer(reply);
    await Promise.all(all);
    return answers;
  };
  return { gateways, held, ask, askAll };
}

const codeOf = ({ text }: Answer) => JSON.parse(text).error?.code as string | undefined;

test('fifty gateways that get a request with the same key ask the vendor once, and all give that answer afterwards', async () => {
  const { gateways, held, ask, askAll } = await fleet();

  const answers = await askAll({ status: 200, body: completion('the one answer') });
  const first = answers.filter(({ status }) => status === 200);
  const others = answers.filter(({ status }) => status !== 200);
  const repeated = await Promise.all(gateways.map((gateway) => ask(gateway)));
  const different = await Promise.all(gateways.map((gateway) => ask(gateway, { temperature: 1 })));

  expect(first).toHaveLength(1);
  expect(new Set(others.map(codeOf))).toEqual(new Set(['idempotency_in_progress']));
  expect(new Set(others.map(({ status, headers }) => `${status} ${headers['retry-after']}`))).toEqual(
    new Set(['409 1']),
  );
  expect(new Set(repeated.map(({ text }) => text))).toEqual(new Set([first[0]?.text]));
  expect(new Set(different.map(codeOf))).toEqual(new Set(['idempotency_conflict']));
  expect(held).toHaveLength(1);
});

test('when that answer is a failure, one of the fifty asks again, and no more', async () => {
  const { held, askAll } = await fleet();

  const failed = await askAll({ status: 400, body: { error: { message: 'no' } } });
  const answers = await askAll({ status: 200, body: completion('better') });

  expect(failed.map(({ status }) => status).filter((status) => status !== 409)).toEqual([400]);
  expect(answers.map(({ status }) => status).filter((status) => status !== 409)).toEqual([200]);
  expect(held).toHaveLength(2);
});
