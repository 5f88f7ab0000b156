/**
 * Keyed hashes by which an erased subject is still recognised. Each identifier of each kind of
 * subject has a key of its own: equal texts in different columns do not show as equal, and an
 * engine that must be given a key gets one that is good for a single column.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import type { SubjectHasher } from '../activities/erasure-ports.ts';

/** @param secret 32 bytes in hex */
export function createSubjectHasher(secret: string): SubjectHasher {
  const root = Buffer.from(secret, 'hex');
  const known = new Map<string, Buffer>();
  const keyOf = (subject: string, identifier: string): Buffer => {
    const info = `icewright/subject-hash/1/${JSON.stringify([subject, identifier])}`;
    const key = known.get(info) ?? Buffer.from(hkdfSync('sha256', root, '', info, 32));
    known.set(info, key);
    return key;
  };
  return {
    keyOf: (subject, identifier) => keyOf(subject, identifier).toString('hex'),
    hash: (subject, identifier, value) =>
      createHmac('sha256', keyOf(subject, identifier)).update(value, 'utf8').digest('hex'),
  };
}
