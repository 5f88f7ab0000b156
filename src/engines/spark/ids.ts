import { createHash, randomInt } from 'node:crypto';

/**
 * A UUID that everyone derives alike from the same parts (SHA-256, version 8 of RFC 9562). The
 * parts are length-prefixed, so `['a', 'bc']` and `['ab', 'c']` differ.
 */
export function deriveUuid(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part};`);
  const bytes = hash.digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  const cuts = [0, 8, 12, 16, 20, 32] as const;
  return cuts
    .slice(1)
    .map((end, index) => hex.slice(cuts[index], end))
    .join('-');
}

/** Id of a warm session: epoch 0 first, the next one when Spark has closed that for good. */
export function sessionIdOf(deployment: string, session: string, epoch: number): string {
  return deriveUuid(['spark-session', deployment, session, String(epoch)]);
}

/** Id of an execution: the same key is the same execution. */
export function operationIdOf(deployment: string, key: string): string {
  return deriveUuid(['spark-operation', deployment, key]);
}

/** Marks a plan as sent by one call (see `plan.ts`); below 2^48, so exact as a number. */
export function newPlanMark(): number {
  return randomInt(1, 2 ** 48 - 1);
}
