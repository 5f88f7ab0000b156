/** Seals entries of the chain of proof: digest and Ed25519 signature. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Seal, Sealer } from '../activities/erasure-ports.ts';
import { sealedText } from '../domain/erasure/chain.ts';
import { IcewrightError } from '../domain/errors.ts';
import { digestOf } from './digest.ts';

/** Public keys by id: whose signatures are believed. DER, base64. */
export type PublicKeys = ReadonlyMap<string, string>;

export interface SigningKeys {
  /** `null`: the file has public keys only, which is enough for whoever verifies. */
  readonly sealer: Sealer | null;
  readonly publicKeys: PublicKeys;
}

const BLOCK = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g;

/**
 * Reads PEM text: the first `PRIVATE KEY` signs; its public half and every further block, private
 * or public, is believed: certificates outlive the key that signed them.
 * @param origin where the text is from, for the error
 * @throws IcewrightError `ConfigInvalid`; the text itself is not repeated
 */
export function readSigningKeys(pem: string, origin: string): SigningKeys {
  const blocks = [...pem.matchAll(BLOCK)].map(([text, label]) => readBlock(text, label, origin));
  if (blocks.length === 0) throw faulty(origin, 'it holds no PEM block');
  const privateKey = blocks.find((one) => one.privateKey !== null)?.privateKey ?? null;
  const publicKeys = new Map(blocks.map(({ publicKey }) => [keyIdOf(publicKey), publicKey]));
  return { sealer: privateKey === null ? null : sealerOf(privateKey), publicKeys };
}

/** First 16 hex digits of the SHA-256 of the key in DER. */
export function keyIdOf(publicKey: string): string {
  const der = Buffer.from(publicKey, 'base64');
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

function sealerOf(privateKey: KeyObject): Sealer {
  const publicKey = publicText(privateKey);
  const keyId = keyIdOf(publicKey);
  return {
    seal: (entry, previous, document): Seal => {
      const digest = digestOf(sealedText(entry, previous, document));
      const value = sign(null, Buffer.from(digest), privateKey).toString('base64');
      return { digest, signature: { keyId, publicKey, value } };
    },
  };
}

function readBlock(text: string, label: string | undefined, origin: string) {
  try {
    const secret = label?.includes('PRIVATE') ? createPrivateKey(text) : null;
    const key = secret ?? createPublicKey(text);
    if (key.asymmetricKeyType === 'ed25519') {
      return { privateKey: secret, publicKey: publicText(key) };
    }
  } catch {
    // What OpenSSL says may quote the key.
  }
  throw faulty(origin, `a block "${label}" is no readable Ed25519 key`);
}

function publicText(key: KeyObject): string {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ type: 'spki', format: 'der' }).toString('base64');
}

function faulty(origin: string, why: string): IcewrightError {
  return new IcewrightError(
    'ConfigInvalid',
    `the signing key in ${origin} cannot be used: ${why}; ` +
      'make one with "openssl genpkey -algorithm ed25519"',
  );
}
