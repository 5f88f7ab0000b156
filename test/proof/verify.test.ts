import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../src/domain/erasure/canonical.ts';
import type { SignedCertificate } from '../../src/domain/erasure/certificate.ts';
import { CHAIN_START, type ProofEntry, sealedText } from '../../src/domain/erasure/chain.ts';
import { digestOf } from '../../src/proof/digest.ts';
import { readSigningKeys, type SigningKeys } from '../../src/proof/sign.ts';
import {
  saysOneThing,
  verifyCertificate,
  verifyChain,
  verifyDocument,
} from '../../src/proof/verify.ts';
import { AT, certificate, newPem, newSigningKeys } from './fixture.ts';

const keys = newSigningKeys();

/** A chain of events with the certificate as entry `place`. */
function chainOf(length: number, place: number, by: SigningKeys = keys): readonly ProofEntry[] {
  const entries: ProofEntry[] = [];
  for (let entry = 1; entry <= length; entry += 1) {
    const event = { format: 'icewright.erasure-event/1', requestId: `e${entry}`, at: AT };
    entries.push(append(entries, entry === place ? certificate() : event, by));
  }
  return entries;
}

function append(entries: readonly ProofEntry[], document: object, by = keys): ProofEntry {
  const previous = entries.at(-1)?.digest ?? CHAIN_START;
  const text = canonicalText(document);
  const entry = entries.length + 1;
  const seal = by.sealer?.seal(entry, previous, text);
  if (seal === undefined) throw new Error('no private key');
  const { requestId, certificateId = null } = document as Record<string, string>;
  return {
    entry,
    requestId: requestId as string,
    kind: certificateId === null ? 'event' : 'certificate',
    certificateId,
    document: text,
    previous,
    digest: seal.digest,
    seal: seal.signature,
  };
}

function signedOf({ document, entry, previous, digest, seal }: ProofEntry): SignedCertificate {
  return {
    certificate: JSON.parse(document),
    chain: { entry, previous, digest },
    signature: { algorithm: 'Ed25519', ...seal },
  };
}

const CHAIN = chainOf(6, 4);
const SIGNED = signedOf(CHAIN[3] as ProofEntry);
const at = (index: number) => CHAIN[index] as ProofEntry;
const faultsOf = async (signed: unknown, entries = CHAIN, publicKeys = keys.publicKeys) =>
  (await verifyCertificate(signed, entries, publicKeys)).faults;
const codes = async (...given: Parameters<typeof faultsOf>) => [
  ...new Set((await faultsOf(...given)).map((one) => `${one.code} ${one.entry}`)),
];
/** The chain with some entries changed, others removed. */
const chain = (changes: Readonly<Record<number, Partial<ProofEntry> | null>>) =>
  CHAIN.flatMap((one, index) => {
    const change = changes[index];
    return change === null ? [] : [{ ...one, ...change }];
  });

describe('a certificate', () => {
  test('stands', async () => {
    expect(await faultsOf(SIGNED)).toEqual([]);
    // Its members may come in any order.
    const { signature, chain: place, certificate: body } = SIGNED;
    expect(await faultsOf({ signature, chain: place, certificate: body })).toEqual([]);
  });

  test('whose text lost or changed any one byte falls, also without a ledger', () => {
    const short = chainOf(2, 2);
    const text = Buffer.from(canonicalText(signedOf(short[1] as ProofEntry)));
    const stands = (bytes: Buffer) => isWhole(bytes.toString('utf8'));
    expect(stands(text)).toBe(true);
    const fallen = [...text.keys()].filter((index) => {
      const changed = Buffer.from(text);
      changed[index] = (text[index] as number) ^ (1 + (index % 255));
      return !stands(changed) && !stands(text.subarray(0, index));
    });
    expect(fallen).toHaveLength(text.length);
  });

  test.each<[string, unknown, string]>([
    ['a count', { certificate: { ...SIGNED.certificate, tables: [] } }, 'certificate_changed null'],
    ['a field more', { certificate: { ...SIGNED.certificate, x: 1 } }, 'certificate_changed null'],
    ['a note beside it', { note: 'all fine' }, 'unsigned_field null'],
    ['its place', { chain: { ...SIGNED.chain, entry: 3 } }, 'certificate_differs 3'],
    ['its place, far away', { chain: { ...SIGNED.chain, entry: 2 ** 50 } }, 'entry_missing 7'],
    [
      'another signature',
      { signature: { ...SIGNED.signature, value: at(0).seal.value } },
      'signature_wrong null',
    ],
    [
      'the same signature in other base64',
      { signature: { ...SIGNED.signature, value: `${SIGNED.signature.value}\n` } },
      'signature_wrong null',
    ],
    [
      'another algorithm',
      { signature: { ...SIGNED.signature, algorithm: 'none' } },
      'signature_wrong null',
    ],
    ['no signature', { signature: null }, 'not_a_certificate null'],
    ['no certificate', { certificate: 'yes' }, 'not_a_certificate null'],
    ['a number that is none', { chain: { ...SIGNED.chain, entry: '4' } }, 'not_a_certificate null'],
  ])('with %s changed is told what is wrong', async (_, change, code) => {
    expect(await codes({ ...SIGNED, ...(change as object) })).toContain(code);
  });

  test.each([null, 1, 'text', [], {}])('%j is none', async (value) => {
    expect(await codes(value)).toContain('not_a_certificate null');
  });

  test('signed by a key that nobody believes falls, however well it is made', async () => {
    const forged = chainOf(6, 4, newSigningKeys());
    const found = await codes(signedOf(forged[3] as ProofEntry), forged);
    expect(found).toContain('key_unknown null');
    // A forger's key under the name of ours.
    const { publicKey } = (forged[3] as ProofEntry).seal;
    const renamed = { ...SIGNED.signature, publicKey };
    expect(await codes({ ...SIGNED, signature: renamed })).toContain('key_unknown null');
  });

  test('is not made of an event, which the same key has signed', async () => {
    expect(await codes(signedOf(at(1)))).toEqual(['not_a_certificate null']);
  });

  test('outlives its key: an older one is still believed when it is in the file', async () => {
    const [older, newer] = [newPem(), newPem()];
    const before = chainOf(3, 2, readSigningKeys(older.secret, 'x'));
    const now = readSigningKeys(`${newer.secret}${older.open}`, 'x');
    const entries = [...before, append(before, { requestId: 'e9', at: AT }, now)];
    expect(await faultsOf(signedOf(before[1] as ProofEntry), entries, now.publicKeys)).toEqual([]);
    const readers = readSigningKeys(`${newer.open}\n${older.open}`, 'x');
    expect(readers.sealer).toBeNull();
    expect(await verifyChain(entries, readers.publicKeys)).toEqual({ faults: [], entries: 4 });
  });
});

function isWhole(text: string): boolean {
  try {
    return verifyDocument(JSON.parse(text), keys.publicKeys).length === 0;
  } catch {
    return false;
  }
}

describe('the chain', () => {
  const [first, second, third] = [at(0), at(1), at(2)];
  const other = canonicalText({ requestId: 'e2', at: 'later' });

  test.each<[string, readonly ProofEntry[], readonly string[]]>([
    ['a document changed', chain({ 1: { document: other } }), ['entry_changed 2']],
    [
      'a document and its digest changed',
      chain({ 1: { document: other, digest: digestOf(sealedText(2, second.previous, other)) } }),
      ['link_broken 3', 'signature_wrong 2'],
    ],
    ['the first removed', chain({ 0: null }), ['entry_missing 1']],
    ['one in the middle removed', chain({ 1: null }), ['entry_missing 2']],
    ['two removed', chain({ 1: null, 2: null }), ['entry_missing 2']],
    ['the certificate removed', chain({ 3: null }), ['entry_missing 4']],
    [
      'two exchanged, with their numbers',
      [second, first, ...CHAIN.slice(2)],
      ['entry_missing 1', 'entry_missing 2', 'link_broken 1'],
    ],
    [
      'two exchanged, numbered anew',
      [first, { ...third, entry: 2 }, { ...second, entry: 3 }, ...CHAIN.slice(3)],
      ['entry_changed 2', 'entry_changed 3'],
    ],
    [
      'one removed, the others numbered anew',
      chain({ 1: null }).map((one, index) => ({ ...one, entry: index + 1 })),
      ['certificate_differs 4', ...[2, 3, 4, 5].map((one) => `entry_changed ${one}`)],
    ],
    ['one slipped in', [first, { ...second, entry: 2 }, ...CHAIN.slice(1)], ['link_broken 2']],
    ['a signature exchanged', chain({ 1: { seal: first.seal } }), ['signature_wrong 2']],
  ])('with %s is told what is wrong', async (_, entries, expected) => {
    expect((await codes(SIGNED, entries)).sort()).toEqual([...expected].sort());
  });

  test('cut off at its end is missed by whoever counted it', async () => {
    const cut = CHAIN.slice(0, 5);
    expect((await verifyChain(cut, keys.publicKeys)).faults).toEqual([]);
    const counted = await verifyChain(cut, keys.publicKeys, 6);
    expect(counted.faults.map((one) => one.message)).toEqual(['entry 6: it is not in the ledger']);
    expect(await codes(SIGNED, [])).toEqual(['entry_missing 1']);
  });
});

test.each([
  ['{"a":1,"b":["x y"]}', true],
  ['{ "a": 1,\n  "b": [ "x y" ] }\n', true],
  ['{"\\u0061":1,"b":["x\\u0020y"]}', true],
  ['{"a":2,"a":1,"b":["x y"]}', false],
  ['{"a":1.0,"b":["x y"]}', false],
  ['{"a":1,"b":["x y","\\""]}', true],
])('%s says one thing: %s', (text, one) => {
  expect(saysOneThing(text, JSON.parse(text))).toBe(one);
});
