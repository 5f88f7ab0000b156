/**
 * Encryption at rest: AES-256-GCM with a random nonce of 96 bits, keys by id. Bytes are nonce,
 * ciphertext, tag (16 bytes). Each purpose has a key of its own, derived from the configured one:
 * the volume of one does not use up the other's nonces (2^32 for each key, by NIST SP 800-38D).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { SealedValues } from '../activities/erasure-ports.ts';
import type { SubjectValues } from '../domain/erasure/privacy.ts';
import { IcewrightError } from '../domain/errors.ts';

export type Purpose = 'subject' | 'payload';

export interface Keyring {
  /** With the first key. @param context what must be the same at decryption, such as an id */
  encrypt(purpose: Purpose, plain: Uint8Array, context: string): Encrypted;
  /** Rejects what was changed, is of another context, or of a key that is not there. */
  decrypt(purpose: Purpose, encrypted: Encrypted, context: string): Buffer;
}

export interface Encrypted {
  readonly keyId: string;
  readonly bytes: Uint8Array;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param text `id:hex` with 32 bytes each, by commas or lines; `#` begins a comment. The first one
 * encrypts, all decrypt.
 * @param origin where the text is from, for the error
 * @throws IcewrightError `ConfigInvalid`; the text itself is not repeated
 */
export function readKeyring(text: string, origin: string): Keyring {
  const words = text.replace(/#.*$/gm, '').split(/[,\s]+/);
  const keys = new Map<string, Buffer>();
  for (const word of words.filter((one) => one !== '')) {
    const [, id, hex] = /^([\w-]{1,32}):([0-9a-f]{64})$/.exec(word) ?? [];
    if (id === undefined || hex === undefined) throw faulty(origin, keys.size + 1);
    if (keys.has(id)) throw faulty(origin, keys.size + 1);
    keys.set(id, Buffer.from(hex, 'hex'));
  }
  const [first] = keys.keys();
  if (first === undefined) throw faulty(origin, 1);
  return keyringOf(keys, first);
}

function keyringOf(keys: ReadonlyMap<string, Buffer>, first: string): Keyring {
  const derived = new Map<string, Buffer>();
  const keyOf = (purpose: Purpose, id: string): Buffer => {
    const known = derived.get(`${purpose}/${id}`);
    if (known !== undefined) return known;
    const secret = keys.get(id);
    if (secret === undefined) throw keyMissing(id);
    const key = Buffer.from(hkdfSync('sha256', secret, '', `icewright/${purpose}/1`, 32));
    derived.set(`${purpose}/${id}`, key);
    return key;
  };
  return {
    encrypt: (purpose, plain, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, keyOf(purpose, first), nonce);
      cipher.setAAD(Buffer.from(context, 'utf8'));
      const body = [cipher.update(plain), cipher.final()];
      return { keyId: first, bytes: Buffer.concat([nonce, ...body, cipher.getAuthTag()]) };
    },
    decrypt: (purpose, { keyId, bytes }, context) => {
      const key = keyOf(purpose, keyId);
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES));
        decipher.setAAD(Buffer.from(context, 'utf8'));
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        const body = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
        return Buffer.concat([decipher.update(body), decipher.final()]);
      } catch {
        throw undecipherable(keyId, purpose);
      }
    },
  };
}

/** A subject's values, for the ledger; they can be opened for the same request only. */
export function sealValues(
  keyring: Keyring,
  requestId: string,
  values: SubjectValues,
): SealedValues {
  const plain = Buffer.from(JSON.stringify(values), 'utf8');
  return keyring.encrypt('subject', plain, requestId);
}

export function openValues(
  keyring: Keyring,
  requestId: string,
  sealed: SealedValues,
): SubjectValues {
  const plain = keyring.decrypt('subject', sealed, requestId);
  return JSON.parse(plain.toString('utf8')) as SubjectValues;
}

function faulty(origin: string, number: number): IcewrightError {
  return new IcewrightError(
    'ConfigInvalid',
    `key ${number} of ${origin} is not of the form <id>:<64 hexadecimal digits>, or its id is taken`,
  );
}

function keyMissing(keyId: string): IcewrightError {
  return new IcewrightError(
    'ConfigInvalid',
    `encryption key "${keyId}" is not configured: add it behind the current one in ` +
      'ICEWRIGHT_ERASURE_KEYS or the file that ICEWRIGHT_ERASURE_KEYS_FILE names',
    { keyId },
  );
}

function undecipherable(keyId: string, purpose: Purpose): IcewrightError {
  return new IcewrightError(
    'Internal',
    `a ${purpose} that was encrypted with key "${keyId}" cannot be decrypted with today's key of ` +
      'that id: one of the two was changed',
    { keyId },
  );
}
