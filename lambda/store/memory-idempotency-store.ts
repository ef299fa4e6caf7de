import { type Claim, type IdempotencyStore, type KeptAnswer, keptForMs } from './idempotency-store.ts';

type Entry = Pick<Claim, 'fingerprint' | 'owner' | 'leaseUntilMs'> & {
  state: 'running' | 'answered' | 'unkept';
  answer?: KeptAnswer | undefined;
  expiresAtMs: number;
};

/** The oldest answers make room for new ones. */
const mostHeldBytes = 64 * 1024 * 1024;

/** Keeps answers in the memory of one process. */
export function memoryIdempotencyStore(mostBytes = mostHeldBytes): IdempotencyStore {
  const entries = new Map<string, Entry>();
  let heldBytes = 0;

  const remove = (id: string) => {
    heldBytes -= entries.get(id)?.answer?.body.length ?? 0;
    entries.delete(id);
  };
  const ownEntry = (id: string, owner: string) => {
    const entry = entries.get(id);
    return entry?.owner === owner && entry.state === 'running' ? entry : undefined;
  };
  // In the order of their claims, so the oldest come first.
  const prune = (nowMs: number) => {
    for (const [id, { expiresAtMs }] of entries) {
      if (expiresAtMs > nowMs) break;
      remove(id);
    }
    for (const [id, { answer }] of entries) {
      if (heldBytes <= mostBytes) break;
      if (answer) remove(id);
    }
  };

  return {
    async claim({ id, fingerprint, owner, nowMs, leaseUntilMs }) {
      prune(nowMs);
      const found = entries.get(id);
      const again = found?.state === 'unkept' && found.fingerprint === fingerprint;
      const isFree =
        !found ||
        again ||
        found.expiresAtMs <= nowMs ||
        (found.state === 'running' && (found.leaseUntilMs <= nowMs || found.owner === owner));
      if (isFree) {
        remove(id);
        entries.set(id, { state: 'running', fingerprint, owner, leaseUntilMs, expiresAtMs: nowMs + keptForMs });
        return { state: 'claimed', again };
      }
      const { answer } = found;
      if (found.state === 'answered' && answer) return { state: 'answered', fingerprint: found.fingerprint, answer };
      return { state: found.state === 'unkept' ? 'unkept' : 'running', fingerprint: found.fingerprint };
    },
    async renew({ id, owner }, leaseUntilMs) {
      const entry = ownEntry(id, owner);
      if (entry) entry.leaseUntilMs = leaseUntilMs;
    },
    async finish({ id, owner }, answer, nowMs) {
      const entry = ownEntry(id, owner);
      if (!entry) return;
      Object.assign(entry, { state: answer ? 'answered' : 'unkept', answer, expiresAtMs: nowMs + keptForMs });
      heldBytes += answer?.body.length ?? 0;
      prune(nowMs);
    },
    async release({ id, owner }) {
      if (ownEntry(id, owner)) remove(id);
    },
  };
}
