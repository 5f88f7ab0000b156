import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openValues, readKeyring, sealValues } from '../../src/proof/keyring.ts';
import { findKeyring, openKeys } from '../../src/proof/keys.ts';
import { keyIdOf, readSigningKeys } from '../../src/proof/sign.ts';
import { createSubjectHasher } from '../../src/proof/subject-hash.ts';
import { newHexKey, newPem } from './fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'icewright-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const NONE = {
  keys: undefined,
  keysFile: undefined,
  signingKeyFile: undefined,
  subjectHashKey: undefined,
};

const VALUES = { customer_id: ['42'], email: ['ana@example.org', 'Ana@Example.org'] };
const [one, two] = [newHexKey(), newHexKey()];

describe('the keyring', () => {
  const old = readKeyring(`k1:${one}`, 'a test');
  const rotated = readKeyring(`k2:${two},k1:${one}`, 'a test');

  test('opens what it sealed, and what an older key sealed', () => {
    const sealed = sealValues(old, 'e1', VALUES);
    expect(sealed.keyId).toBe('k1');
    expect(openValues(old, 'e1', sealed)).toEqual(VALUES);
    expect(openValues(rotated, 'e1', sealed)).toEqual(VALUES);
    const newer = sealValues(rotated, 'e1', VALUES);
    expect(newer.keyId).toBe('k2');
    expect(() => openValues(old, 'e1', newer)).toThrow(/encryption key "k2" is not configured/);
  });

  test('seals the same values differently each time, without a trace of them', () => {
    const texts = Array.from({ length: 50 }, () =>
      Buffer.from(sealValues(old, 'e1', VALUES).bytes).toString('latin1'),
    );
    expect(new Set(texts).size).toBe(50);
    expect(texts.filter((text) => /ana|42@|customer/i.test(text))).toEqual([]);
  });

  test('does not open for another request or purpose, nor what was changed or cut', () => {
    const sealed = sealValues(old, 'e1', VALUES);
    const refused = /cannot be decrypted/;
    expect(() => openValues(old, 'e2', sealed)).toThrow(refused);
    expect(() => old.decrypt('payload', sealed, 'e1')).toThrow(refused);
    for (const at of [0, 12, sealed.bytes.length - 1]) {
      const bytes = Uint8Array.from(sealed.bytes);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(() => openValues(old, 'e1', { ...sealed, bytes })).toThrow(refused);
    }
    for (const length of [0, 11, 20]) {
      const bytes = sealed.bytes.slice(0, length);
      expect(() => openValues(old, 'e1', { ...sealed, bytes })).toThrow(refused);
    }
    const other = readKeyring(`k1:${two}`, 'a test');
    expect(() => openValues(other, 'e1', sealed)).toThrow(refused);
  });

  test.each([
    ['', 1],
    ['# nothing', 1],
    [one, 1],
    [`k1:${one},k2:${two.slice(1)}`, 2],
    [`k1:${one}\nk1:${two}`, 2],
    [`k 1:${one}`, 1],
  ])('refuses %# by number, and does not repeat it', (text, number) => {
    const read = () => readKeyring(text, 'the file x');
    expect(read).toThrow(new RegExp(`key ${number} of the file x is not of the form`));
    expect(read).not.toThrow(new RegExp(one.slice(0, 16)));
  });

  test('is read from the variable, then from the file', () => {
    const keysFile = file('keys', `# made at the first start\nk1:${one}\n`);
    expect(findKeyring({ keys: undefined, keysFile: undefined })).toBeNull();
    const both = findKeyring({ keys: `k2:${two}`, keysFile });
    expect(both?.encrypt('subject', Buffer.from('x'), '').keyId).toBe('k2');
    const sealed = sealValues(old, 'e1', VALUES);
    expect(both === null ? null : openValues(both, 'e1', sealed)).toEqual(VALUES);
  });
});

describe('keys that are missing', () => {
  test.each([
    ['keyring', 'ICEWRIGHT_ERASURE_KEYS or ICEWRIGHT_ERASURE_KEYS_FILE'],
    ['sealer', 'ICEWRIGHT_SIGNING_KEY_FILE'],
    ['publicKeys', 'ICEWRIGHT_SIGNING_KEY_FILE'],
    ['hasher', 'ICEWRIGHT_SUBJECT_HASH_KEY'],
  ] as const)('%s: asked for by name, and only when it is used', (name, variable) => {
    const keys = openKeys(NONE);
    expect(() => keys[name]()).toThrow(`none is configured: set ${variable}`);
  });

  test('the file is not there, or holds something else', () => {
    const signing = (path: string) => openKeys({ ...NONE, signingKeyFile: path }).sealer;
    expect(signing(join(folder, 'none'))).toThrow(/none cannot be read \(ENOENT\)/);
    expect(signing(file('empty.pem', 'hello'))).toThrow(/it holds no PEM block/);
    const { privateKey } = generateKeyPairSync('x25519');
    const wrong = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(signing(file('wrong.pem', wrong))).toThrow(/is no readable Ed25519 key/);
    expect(signing(file('open.pem', newPem().open))).toThrow(/verify and do not sign/);
  });
});

test('the id of a key is that of its public half', () => {
  const { secret, open } = newPem();
  const [fromSecret, fromOpen] = [secret, open].map((pem) => readSigningKeys(pem, 'x').publicKeys);
  expect(fromSecret).toEqual(fromOpen);
  for (const [id, publicKey] of fromSecret ?? []) {
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(keyIdOf(publicKey)).toBe(id);
  }
});

describe('keyed hashes', () => {
  const hasher = createSubjectHasher('11'.repeat(32));

  test('stay the same, or nobody suppressed would be recognised', () => {
    expect(hasher.hash('customer', 'customer_id', '42')).toBe(
      '978d44e9e693b3a71c22d95d219fb84851ce02c274b527be7eb840bc4ef13ef1',
    );
  });

  test('differ by identifier, by kind of subject, and by key', () => {
    const other = createSubjectHasher('22'.repeat(32));
    const hashes = [
      hasher.hash('customer', 'customer_id', '42'),
      hasher.hash('customer', 'order_id', '42'),
      hasher.hash('supplier', 'customer_id', '42'),
      // Names that run together are still two names.
      hasher.hash('customer_', 'id', '42'),
      other.hash('customer', 'customer_id', '42'),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('can be made by an engine that is given the key of one identifier', async () => {
    const { createHmac } = await import('node:crypto');
    const key = Buffer.from(hasher.keyOf('customer', 'email'), 'hex');
    const hash = createHmac('sha256', key).update('ana@example.org').digest('hex');
    expect(hasher.hash('customer', 'email', 'ana@example.org')).toBe(hash);
  });
});
