/** Checks a certificate against itself, the keys that are believed, and the chain of the ledger. */
import { createPublicKey, verify } from 'node:crypto';
import { canonicalText } from '../domain/erasure/canonical.ts';
import type { SignedCertificate } from '../domain/erasure/certificate.ts';
import {
  checkChain,
  type EntrySignature,
  type ProofEntry,
  type ProofFault,
  type ProofFaultCode,
  sealedText,
} from '../domain/erasure/chain.ts';
import { CERTIFICATE_FORMAT } from '../domain/erasure/event.ts';
import { digestOf } from './digest.ts';
import type { PublicKeys } from './sign.ts';

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': ['certificate', 'chain', 'signature'],
  chain: ['digest', 'entry', 'previous'],
  signature: ['algorithm', 'keyId', 'publicKey', 'value'],
};

/** A chain may be long: it comes in pages, and is never held as a whole. */
export type Chain = AsyncIterable<ProofEntry> | Iterable<ProofEntry>;

export interface CheckedChain {
  readonly faults: readonly ProofFault[];
  /** Entries that there are. */
  readonly entries: number;
}

/**
 * Every fault there is, none: the certificate stands.
 * @param signed as it was handed in: nothing about it is taken for granted
 * @param entries the ledger's, all from the first on
 * @param expected how many entries there must be, by whoever else counted them
 */
export async function verifyCertificate(
  signed: unknown,
  entries: Chain,
  publicKeys: PublicKeys,
  expected = 0,
): Promise<CheckedChain> {
  const alone = verifyDocument(signed, publicKeys);
  if (!isSigned(signed)) return { faults: alone, entries: 0 };
  const misplaced: ProofFault[] = [];
  const seen = (one: ProofEntry) => {
    if (one.entry === signed.chain.entry) misplaced.push(...comparePlace(signed, one));
  };
  const least = Math.max(expected, signed.chain.entry);
  const chain = await verifyChain(entries, publicKeys, least, seen);
  return { ...chain, faults: [...alone, ...misplaced, ...chain.faults] };
}

/**
 * Whether every reader of this JSON text sees the value that we see: one that holds a field twice,
 * or a number in another form, may tell others something else. Layout does not matter.
 */
export function saysOneThing(text: string, value: unknown): boolean {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (token) =>
    token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : '',
  );
  return bare === JSON.stringify(value);
}

/** Without a ledger: whether the document is whole, and signed by a key that is believed. */
export function verifyDocument(signed: unknown, publicKeys: PublicKeys): readonly ProofFault[] {
  const odd = findOddFields(signed);
  if (!isSigned(signed)) return [...odd, fault('not_a_certificate', 'it has not the form of one')];
  return [...odd, ...verifyAlone(signed, publicKeys)];
}

/** The chain alone: every digest, link and signature. */
export async function verifyChain(
  entries: Chain,
  publicKeys: PublicKeys,
  expected = 0,
  seen: (entry: ProofEntry) => void = () => undefined,
): Promise<CheckedChain> {
  const check = checkChain(digestOf);
  const faults: ProofFault[] = [];
  let count = 0;
  for await (const one of entries) {
    count += 1;
    faults.push(...check.next(one));
    const { entry, digest, seal } = one;
    const found = checkSignature(digest, seal, publicKeys);
    if (found !== null) {
      faults.push({ ...found, entry, message: `entry ${entry}: ${found.message}` });
    }
    seen(one);
  }
  return { faults: [...faults, ...check.end(expected)], entries: count };
}

/** What the document alone shows, without a ledger. */
function verifyAlone(signed: SignedCertificate, publicKeys: PublicKeys): readonly ProofFault[] {
  const { certificate, chain, signature } = signed;
  const faults: ProofFault[] = [];
  if (digestOf(sealedText(chain.entry, chain.previous, textOf(certificate))) !== chain.digest) {
    faults.push(fault('certificate_changed', 'its content is not what its digest was made of'));
  }
  const found =
    signature.algorithm === 'Ed25519'
      ? checkSignature(chain.digest, signature, publicKeys)
      : fault('signature_wrong', 'its algorithm is not Ed25519');
  return found === null ? faults : [...faults, found];
}

/** A document without canonical text was never signed by us: its digest is that of nothing. */
function textOf(certificate: unknown): string {
  try {
    return canonicalText(certificate);
  } catch {
    return '';
  }
}

/** The ledger's entry of that number must be this certificate. */
function comparePlace(signed: SignedCertificate, found: ProofEntry): readonly ProofFault[] {
  const { certificate, chain, signature } = signed;
  const same =
    found.digest === chain.digest &&
    found.previous === chain.previous &&
    found.document === textOf(certificate) &&
    found.seal.value === signature.value;
  if (same) return [];
  const entry = chain.entry;
  const message = `entry ${entry} of the ledger is not this certificate`;
  return [{ code: 'certificate_differs', entry, message }];
}

function checkSignature(
  digest: string,
  { keyId, publicKey, value }: EntrySignature,
  publicKeys: PublicKeys,
): ProofFault | null {
  const known = publicKeys.get(keyId);
  if (known === undefined || known !== publicKey) {
    return fault('key_unknown', `its key ${keyId} is none of those that are believed`);
  }
  const key = createPublicKey({ key: Buffer.from(known, 'base64'), type: 'spki', format: 'der' });
  const bytes = Buffer.from(value, 'base64');
  // Base64 has several texts for the same bytes: only one of them was handed out.
  const exact = bytes.toString('base64') === value;
  if (exact && verify(null, Buffer.from(digest), key, bytes)) return null;
  return fault('signature_wrong', `its signature is not that of key ${keyId}`);
}

/** A field beside those that are signed would pass for certified. */
function findOddFields(signed: unknown): readonly ProofFault[] {
  return Object.entries(FIELDS).flatMap(([part, names]) => {
    const place = part === '' ? 'the document' : part;
    const value = part === '' ? signed : (signed as Record<string, unknown> | null)?.[part];
    if (typeof value !== 'object' || value === null) {
      return [fault('not_a_certificate', `${place} is missing`)];
    }
    const own = Object.keys(value);
    const missing = names.filter((name) => !own.includes(name));
    const more = own.filter((name) => !names.includes(name));
    return [
      ...missing.map((name) => fault('not_a_certificate', `${place} has no field "${name}"`)),
      ...more.map((name) => fault('unsigned_field', `nobody signed the field "${name}"`)),
    ];
  });
}

/** Also an event of the chain is signed by our key: only its format tells that it certifies none. */
function isSigned(value: unknown): value is SignedCertificate {
  const { certificate, chain, signature } = (value ?? {}) as Partial<SignedCertificate>;
  const texts = [chain?.previous, chain?.digest, signature?.value, signature?.keyId];
  return (
    certificate?.format === CERTIFICATE_FORMAT &&
    Number.isSafeInteger(chain?.entry) &&
    [...texts, signature?.publicKey].every((one) => typeof one === 'string')
  );
}

function fault(code: ProofFaultCode, message: string): ProofFault {
  return { code, entry: null, message };
}
