/** `icewright erase …` as a process, on a ledger that somebody has tampered with. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROJECT_DIR } from '../../src/config.ts';
import { readKeyring, sealValues } from '../../src/proof/keyring.ts';
import { readSigningKeys } from '../../src/proof/sign.ts';
import { useOwnLedger } from '../ledger/own-ledger.ts';
import { AT, certificate, newErasure, newHexKey, newPem } from '../proof/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'icewright-erase-'));
const pem = newPem();
const keyFile = join(folder, 'signing.pem');
const openFile = join(folder, 'public.pem');
const document = join(folder, 'certificate.json');
const { sealer } = readSigningKeys(pem.secret, 'a test');
const own = useOwnLedger('erase_verify', {
  sealer: () => {
    if (sealer === null) throw new Error('no private key');
    return sealer;
  },
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: Record<string, never>;
}

function icewright(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const main = join(PROJECT_DIR, 'src/cli/main.ts');
  const env = {
    ...process.env,
    ICEWRIGHT_HOME: join(folder, 'nowhere'),
    ICEWRIGHT_LEDGER_URL: own.url,
    ICEWRIGHT_SIGNING_KEY_FILE: keyFile,
    ...environment,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], { env }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, stdout, stderr, json: words.includes('--json') ? JSON.parse(stdout) : {} });
    });
  });
}

const verify = (what = document, ...more: string[]) =>
  icewright(['erase', 'verify', what, '--json', ...more]);
const codesOf = (ended: Ended) =>
  ((ended.json.faults ?? []) as { code: string; entry: number | null }[])
    .map((one) => `${one.code} ${one.entry}`)
    .sort();

beforeAll(async () => {
  writeFileSync(keyFile, pem.secret, { mode: 0o600 });
  writeFileSync(openFile, pem.open);
  const keyring = readKeyring(`k1:${newHexKey()}`, 'a test');
  const { erasures } = own.ledger;
  const move = (requestId: string, to: 'found' | 'verifying') =>
    erasures.actOn({ requestId, act: { kind: 'move', to }, by: 'workflow', at: AT });
  for (const requestId of ['e0', 'e1', 'e2']) {
    await erasures.openRequest(newErasure(requestId), sealValues(keyring, requestId, {}));
  }
  await move('e1', 'found');
  await move('e1', 'verifying');
  await erasures.issueCertificate(certificate(), 'workflow', AT);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** As a superuser may: with the triggers off, and everything put back afterwards. */
async function tampered(statement: string, body: () => Promise<void>): Promise<void> {
  const off = 'alter table icewright.proof disable trigger all';
  const on = `alter table icewright.proof enable always trigger proof_follows;
    alter table icewright.proof enable always trigger proof_append_only`;
  const columns = 'entry, document, previous, digest, key_id, public_key, signature';
  await own.sql(`create table public.kept as select ${columns} from icewright.proof`);
  try {
    await own.sql(`${off}; ${statement}`);
    await body();
  } finally {
    await own.sql(`${off}; delete from icewright.proof;
      insert into icewright.proof (${columns}) select ${columns} from public.kept order by entry;
      ${on}; drop table public.kept`);
  }
}

describe('icewright erase', () => {
  test('hands out the certificate, byte for byte as it was signed', async () => {
    const words = ['erase', 'certificate', 'e1'];
    const written = await icewright([...words, '--out', document, '--json']);
    expect(written.code).toBe(0);
    const text = readFileSync(document, 'utf8');
    expect(JSON.parse(text)).toEqual(written.json);
    expect((await icewright(words)).stdout).toBe(text);
    expect(JSON.parse(text)).toMatchObject({ certificate: certificate(), chain: { entry: 6 } });
    const page = await icewright([...words, '--format', 'html']);
    expect(page.stdout).toContain('<h1>Certificate of erasure c1</h1>');
    const markdown = await icewright([...words, '--format', 'markdown']);
    expect(markdown.stdout).toContain('# Certificate of erasure c1');
    expect((await icewright([...words, '--format', 'pdf'])).code).toBe(2);
    expect((await icewright(['erase', 'certificate', 'e2', '--json'])).json).toMatchObject({
      error: { code: 'RunNotFound' },
    });
  });

  test('lists and shows requests', async () => {
    const { json } = await icewright(['erase', 'list', '--json']);
    const requests = json.requests as { requestId: string; state: string }[] | undefined;
    expect(requests?.map((one) => `${one.requestId} ${one.state}`)).toEqual([
      'e2 requested',
      'e1 done',
      'e0 requested',
    ]);
    const shown = await icewright(['erase', 'status', 'e1', '--json']);
    expect(shown.json).toMatchObject({ requestId: 'e1', state: 'done', certificateId: 'c1' });
    expect((await icewright(['erase', 'status', 'e1'])).stdout).toContain('certificate c1');
    expect((await icewright(['erase', 'status', 'e9'])).code).toBe(2);
    expect((await icewright(['erase', 'list', '--state', 'x'])).code).toBe(2);
  });

  test('verifies the file, the id, and the file alone with a public key', async () => {
    const whole = { ok: true, certificateId: 'c1', requestId: 'e1', entries: 7, faults: [] };
    expect(await verify()).toMatchObject({ code: 0, json: whole });
    expect(await verify('c1')).toMatchObject({ code: 0, json: whole });
    const alone = await icewright(
      ['erase', 'verify', document, '--offline', '--public-key', openFile, '--json'],
      { ICEWRIGHT_LEDGER_URL: 'postgres://127.0.0.1:1/none', ICEWRIGHT_SIGNING_KEY_FILE: '' },
    );
    expect(alone).toMatchObject({ code: 0, json: { ok: true, offline: true } });
    const keyless = await icewright(['erase', 'verify', document, '--json'], {
      ICEWRIGHT_SIGNING_KEY_FILE: '',
    });
    expect(keyless).toMatchObject({ code: 2, json: { error: { code: 'ConfigInvalid' } } });
  });
});

describe('what was tampered with does not stand', () => {
  const changed = join(folder, 'changed.json');
  const text = () => readFileSync(document, 'utf8');

  test.each([
    ['a count', '"rowsMatched":3', '"rowsMatched":2', ['certificate_changed null']],
    ['one character', 'sums over days', 'sums over dayz', ['certificate_changed null']],
    ['a field twice', '"ground":', '"ground":"none","ground":', ['unsigned_field null']],
  ])('a certificate with %s changed', async (_, from, to, codes) => {
    expect(text()).toContain(from);
    writeFileSync(changed, text().replace(from, to));
    const ended = await verify(changed);
    expect([ended.code, ended.json.ok]).toEqual([1, false]);
    expect(codesOf(ended)).toEqual(expect.arrayContaining(codes));
  });

  test('a certificate of another installation', async () => {
    writeFileSync(changed, newPem().open);
    const ended = await verify(document, '--public-key', changed);
    expect(codesOf(ended)).toContain('key_unknown null');
  });

  test.each([
    ['a removed row', 'delete from icewright.proof where entry = 2', ['entry_missing 2']],
    ['the first removed', 'delete from icewright.proof where entry = 1', ['entry_missing 1']],
    ['the last removed', 'delete from icewright.proof where entry = 7', ['entry_missing 7']],
    ['the certificate removed', 'delete from icewright.proof where entry = 6', ['entry_missing 6']],
    [
      'a changed document',
      `update icewright.proof set document = replace(document, 'ana', 'eve') where entry = 2`,
      ['entry_changed 2'],
    ],
    [
      'a changed document with its digest',
      `update icewright.proof set document = replace(document, 'ana', 'eve') where entry = 2;
       update icewright.proof set digest =
         encode(sha256(convert_to(entry || E'\\n' || previous || E'\\n' || document, 'UTF8')), 'hex')
         where entry = 2`,
      ['link_broken 3', 'signature_wrong 2'],
    ],
    [
      'rows exchanged',
      `update icewright.proof set entry = 100 where entry = 2;
       update icewright.proof set entry = 2 where entry = 3;
       update icewright.proof set entry = 3 where entry = 100`,
      ['entry_changed 2', 'entry_changed 3'],
    ],
    ['everything removed', 'delete from icewright.proof', ['entry_missing 1']],
  ])('a ledger with %s', async (_, statement, codes) => {
    await tampered(statement, async () => {
      const ended = await verify();
      expect([ended.code, ended.json.ok]).toEqual([1, false]);
      expect(codesOf(ended)).toEqual(codes);
    });
  });

  test('and what was put back stands again', async () => {
    expect((await verify()).json).toMatchObject({ ok: true, entries: 7 });
  });
});
