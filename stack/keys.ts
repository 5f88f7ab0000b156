/**
 * The keys of erasure: made at the first start, in a folder and files for the owner only, never
 * printed. A lost signing key cannot be made again, and takes the trust in its certificates along.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StackHome, writePrivate } from './home.ts';

export interface StackKeys {
  /** `id:hex` lines: a new key goes above the others, which still decrypt. */
  readonly encryptionFile: string;
  /** PEM, Ed25519. */
  readonly signingFile: string;
  /** 32 bytes in hex. */
  readonly subjectHashKey: string;
}

/** Names of the files in the folder: containers mount it elsewhere. */
export const KEY_FILES = {
  encryption: 'encryption.keys',
  signing: 'signing.pem',
  subjectHash: 'subject-hash.key',
} as const;

/** The kept keys; those that are missing are made. */
export function ensureKeys(home: StackHome): StackKeys {
  mkdirSync(home.keys, { recursive: true });
  chmodSync(home.keys, 0o700);
  const ensure = (name: string, make: () => string): string => {
    const path = join(home.keys, name);
    if (!existsSync(path)) writePrivate(path, make());
    return path;
  };
  const secret = () => randomBytes(32).toString('hex');
  return {
    encryptionFile: ensure(KEY_FILES.encryption, () => `k1:${secret()}\n`),
    signingFile: ensure(KEY_FILES.signing, newSigningKey),
    subjectHashKey: readFileSync(ensure(KEY_FILES.subjectHash, secret), 'utf8').trim(),
  };
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
