import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { longestCallMs } from './call-limit.ts';
import type { DynamoItem } from './dynamo-item.ts';
import type { ClaimOutcome, IdempotencyStore, KeptAnswer } from './idempotency-store.ts';
import { expiryOf, idempotencyTable } from './idempotency-table.ts';
import { statsTable } from './table-schema.ts';

/** An item holds 400 KB with its names; the first piece shares its item with the headers of the answer. */
const chunkBytes = 350_000;

/** The events of a stream repeat each other: at this quality they shrink to about a tenth. */
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** Keeps answers in the stats table, compressed. Every read is consistent: an answer is found as soon as it is written. */
export function dynamoIdempotencyStore(
  client: DynamoDBClient,
  tableName: string,
  limitMs = longestCallMs,
): IdempotencyStore {
  const table = idempotencyTable(client, tableName, limitMs);
  return {
    async claim(claim) {
      const { won, found } = await table.putClaim(claim);
      if (won) return { state: 'claimed', again: isUnkept(found) };
      // The write was made, but the answer to it was lost on the way, and the SDK tried again.
      if (found?.['state']?.S === 'running' && found['owner']?.S === claim.owner)
        return { state: 'claimed', again: false };
      const hasMore = Number(found?.['chunks']?.N) > 1;
      const others = hasMore ? await table.readChunks({ id: claim.id, owner: found?.['owner']?.S ?? '' }) : [];
      return outcomeOf(found, others);
    },
    renew: (held, leaseUntilMs) =>
      table.update(held, 'SET leaseUntilMs = :until', { ':until': { N: String(leaseUntilMs) } }),
    async finish(held, answer, nowMs) {
      const expiresAt = expiryOf(nowMs);
      if (!answer) {
        const values = { ':unkept': { S: 'unkept' }, ':expiresAt': expiresAt };
        return table.update(held, `SET #state = :unkept, ${statsTable.expiry} = :expiresAt`, values);
      }
      const [first = new Uint8Array(), ...others] = cut(await compress(answer.body, quality));
      const fields = (data: Uint8Array) => ({ data: { B: data }, [statsTable.expiry]: expiresAt });
      await Promise.all(others.map((data, index) => table.putChunk(held, index + 1, fields(data))));
      // The head comes last: without it the pieces are nothing.
      await table.update(held, `SET ${answerFields.join(', ')}`, {
        ':answered': { S: 'answered' },
        ':expiresAt': expiresAt,
        ':status': { N: String(answer.status) },
        ':headers': { S: JSON.stringify(answer.headers) },
        ':requestId': { S: answer.requestId },
        ':chunks': { N: String(others.length + 1) },
        ':first': { B: first },
      });
    },
    release: table.remove,
  };
}

const answerFields = [
  '#state = :answered',
  `${statsTable.expiry} = :expiresAt`,
  'answerStatus = :status',
  'answerHeaders = :headers',
  'requestId = :requestId',
  'chunks = :chunks',
  'firstChunk = :first',
];

function cut(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) chunks.push(bytes.subarray(start, start + chunkBytes));
  return chunks;
}

function isUnkept(head: DynamoItem | undefined): boolean {
  return head?.['state']?.S === 'unkept';
}

async function outcomeOf(head: DynamoItem | undefined, others: readonly DynamoItem[]): Promise<ClaimOutcome> {
  const fingerprint = head?.['fingerprint']?.S ?? '';
  if (isUnkept(head)) return { state: 'unkept', fingerprint };
  if (head?.['state']?.S !== 'answered') return { state: 'running', fingerprint };
  const chunks = [head['firstChunk']?.B, ...others.map((item) => item['data']?.B)].filter(
    (chunk) => chunk !== undefined,
  );
  if (chunks.length !== Number(head['chunks']?.N)) throw new Error('A kept answer is incomplete');
  const answer: KeptAnswer = {
    requestId: head['requestId']?.S ?? '',
    status: Number(head['answerStatus']?.N),
    headers: JSON.parse(head['answerHeaders']?.S ?? '{}') as Record<string, string>,
    body: await decompress(Buffer.concat(chunks)),
  };
  return { state: 'answered', fingerprint, answer };
}
