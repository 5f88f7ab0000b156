/** Certificates of erasure: handing them out, and checking one that somebody hands in. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ErasureLedger } from '../../activities/erasure-ports.ts';
import { canonicalText } from '../../domain/erasure/canonical.ts';
import type { SignedCertificate } from '../../domain/erasure/certificate.ts';
import type { ProofEntry, ProofFault } from '../../domain/erasure/chain.ts';
import { renderHtml, renderMarkdown } from '../../domain/erasure/render.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { type Command, type CommandInput, type CommandResult, stringValue } from '../command.ts';
import { openErasures } from '../erasures.ts';
import type { Session } from '../session.ts';

const PAGE = 1_000;

/** One line, byte for byte what was signed: a change of any byte is a change. */
const FORMATS: Readonly<Record<string, (signed: SignedCertificate) => string>> = {
  json: (signed) => `${canonicalText(signed)}\n`,
  markdown: renderMarkdown,
  html: renderHtml,
};

export const eraseCertificate: Command = {
  name: 'erase certificate',
  summary: 'Hands out the certificate of a request: the signed JSON, or a page for people.',
  usage: '<requestId or certificateId> [options]',
  options: { format: { type: 'string' }, out: { type: 'string' } },
  help: {
    format: `${Object.keys(FORMATS).join(', ')} (default json)`,
    out: 'write it to this file',
  },
  examples: [
    'icewright erase certificate 20261121T020000-4f2a9c --out certificate.json',
    'icewright erase certificate 20261121T020000-4f2a9c --format html --out certificate.html',
  ],
  positionals: { min: 1, max: 1 },
  run: async ({ values, positionals, session, terminal }) => {
    const format = stringValue(values, 'format') ?? 'json';
    const render = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (render === undefined) {
      const message = `--format "${format}": expected ${Object.keys(FORMATS).join(', ')}`;
      throw new IcewrightError('UsageInvalid', message);
    }
    const signed = await findCertificate(await session.erasures(), positionals[0] as string);
    const text = render(signed);
    const out = stringValue(values, 'out');
    if (out !== null) {
      writeFileSync(out, text);
      terminal.print(`certificate ${signed.certificate.certificateId} written to ${out}`);
    } else if (!terminal.json) {
      terminal.print(text.trimEnd());
    }
    return { json: JSON.parse(canonicalText(signed)) };
  },
};

export const eraseVerify: Command = {
  name: 'erase verify',
  summary: 'Checks a certificate: signature, place in the chain of the ledger, and the lake.',
  usage: '<file or certificateId> [options]',
  options: {
    'public-key': { type: 'string' },
    offline: { type: 'boolean' },
    lake: { type: 'boolean' },
  },
  help: {
    'public-key': 'believe the Ed25519 keys in this PEM file instead of the configured ones',
    offline: 'without a ledger: the file and its signature alone',
    lake: 'read all tables of the subject again: is a file or a row of theirs back?',
  },
  examples: [
    'icewright erase verify certificate.json',
    'icewright erase verify certificate.json --lake',
    'icewright erase verify certificate.json --offline --public-key icewright.pem --json',
  ],
  positionals: { min: 1, max: 1 },
  run: verify,
};

async function verify({
  values,
  positionals,
  session,
  terminal,
}: CommandInput): Promise<CommandResult> {
  const name = positionals[0] as string;
  const offline = values.offline === true;
  if (offline && values.lake === true) {
    throw new IcewrightError('UsageInvalid', '--lake needs the ledger: leave --offline out');
  }
  const given = existsSync(name) ? readText(name) : null;
  if (given === null && offline) {
    throw new IcewrightError('UsageInvalid', `there is no file ${name}: --offline needs one`);
  }
  const signed =
    given === null ? await findCertificate(await session.erasures(), name) : parse(given, name);
  const publicKeys = await readPublicKeys(session, stringValue(values, 'public-key'));
  const { saysOneThing, verifyCertificate, verifyDocument } = await import('../../proof/verify.ts');
  const { certificateId, requestId } = idsOf(signed);
  const faults: ProofFault[] = [];
  if (given !== null && !saysOneThing(given, signed)) faults.push(AMBIGUOUS);
  let entries = 0;
  if (offline) faults.push(...verifyDocument(signed, publicKeys));
  else {
    const ledger = await session.erasures();
    // Asked first: what is appended meanwhile makes the chain longer, never too short.
    const expected = await ledger.countChain();
    const checked = await verifyCertificate(signed, chainOf(ledger), publicKeys, expected);
    entries = checked.entries;
    faults.push(...checked.faults);
  }
  const lake = values.lake === true && isSigned(signed) ? await lookAtLake(session, signed) : null;
  faults.push(...(lake?.faults ?? []));
  for (const one of faults) terminal.print(terminal.red(`${one.code}: ${one.message}`));
  for (const { table, because } of lake?.notChecked ?? []) {
    terminal.print(terminal.yellow(`not checked: ${table}: ${because}`));
  }
  const read = lake === null ? '' : `, and ${lake.rowsRead} rows of ${lake.tables} tables`;
  const scope = offline ? 'its signature' : `its signature and the chain of ${entries} entries`;
  terminal.print(
    faults.length === 0
      ? `certificate ${certificateId} of request ${requestId} stands: checked ${scope}${read}`
      : `the certificate does NOT stand: ${faults.length} faults`,
  );
  const json = {
    ...{ ok: faults.length === 0, certificateId, requestId, offline, entries, faults },
    ...(lake === null ? {} : { lake: { ...lake, faults: undefined } }),
  };
  return faults.length === 0 ? { json } : { json, exitCode: 1 };
}

function isSigned(signed: unknown): signed is SignedCertificate {
  const { certificate } = (signed ?? {}) as Partial<SignedCertificate>;
  return typeof certificate?.requestId === 'string' && Array.isArray(certificate.tables);
}

/** By the hashes of the suppression list: the values are destroyed. */
async function lookAtLake(session: Session, { certificate }: SignedCertificate) {
  const { requestId, subject: name, subjectHash } = certificate;
  const { erasures, keys, privacy } = await openErasures(session);
  const subject = (await privacy()).flatMap((one) => one.subjects).find((s) => s.name === name);
  if (subject === undefined) {
    throw new IcewrightError('PolicyInvalid', `no privacy policy speaks of "${name}" any more`);
  }
  const list = await erasures.listSuppressed(name);
  // Of somebody who asked twice, the first request has the hashes.
  const first = list.find((one) => one.identifier === subject.key && one.hash === subjectHash);
  const hashes = new Map([[subject.key, new Set([subjectHash])]]);
  for (const one of list) {
    if (one.requestId !== requestId && one.requestId !== first?.requestId) continue;
    hashes.set(one.identifier, (hashes.get(one.identifier) ?? new Set()).add(one.hash));
  }
  const hasher = keys.hasher();
  const hashOf = (identifier: string, value: string) => hasher.hash(name, identifier, value);
  const { checkLake } = await import('../../second-reader.ts');
  const hashed = { hashes, hashOf };
  const request = await erasures.readRequest(requestId);
  const exceptions = await openExcepted(session.config, certificate, request);
  return checkLake(session.config, { certificate, subject, hashed, ...exceptions });
}

/** Exceptions count that the request has, and that the signed certificate tells of. */
async function openExcepted(
  config: Session['config'],
  { remains }: SignedCertificate['certificate'],
  request: ErasureRequest | null,
) {
  const [{ exceptedFiles }, { openCatalog, openFileWalk, openTableFiles }] = await Promise.all([
    import('../../activities/erasure/excepted.ts'),
    import('../../lake.ts'),
  ]);
  const catalog = openCatalog(config);
  const files = { ...openTableFiles(config, catalog), ...openFileWalk(config, catalog) };
  const certified = new Set(remains.map(({ where }) => where));
  const blockers = (request?.blockers ?? []).filter(({ table, kind, name }) =>
    certified.has(`${table}, ${kind} ${name}`),
  );
  const deps = { catalog, files, nowMs: Date.now };
  const lost = blockers.filter(({ kind }) => kind === 'unreachable');
  return {
    exceptedFiles: (table: string) => exceptedFiles(deps, { blockers }, table),
    givenUp: new Set(lost.map(({ table }) => table)),
  };
}

async function readPublicKeys(session: Session, file: string | null) {
  if (file === null) return (await session.keys()).publicKeys();
  const [{ readKeyFile }, { readSigningKeys }] = await Promise.all([
    import('../../proof/keys.ts'),
    import('../../proof/sign.ts'),
  ]);
  return readSigningKeys(readKeyFile(file), file).publicKeys;
}

async function* chainOf(ledger: ErasureLedger): AsyncGenerator<ProofEntry> {
  for (let after = 0; ; ) {
    const page = await ledger.readChain(after, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.entry ?? after;
  }
}

async function findCertificate(ledger: ErasureLedger, id: string): Promise<SignedCertificate> {
  const found = await ledger.readCertificate(id);
  if (found !== null) return found;
  throw new IcewrightError(
    'RunNotFound',
    `there is no certificate ${id}: requests have one once they are done, see "icewright erase list"`,
    { id },
  );
}

const AMBIGUOUS: ProofFault = {
  code: 'unsigned_field',
  entry: null,
  message: 'the file holds a field twice, or a number in another form than was signed',
};

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new IcewrightError('UsageInvalid', `${path} cannot be read`);
  }
}

/** What it holds is not taken for granted: the checks tell what is missing. */
function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new IcewrightError('UsageInvalid', `${path} is no JSON`);
  }
}

function idsOf(signed: unknown): { certificateId: string | null; requestId: string | null } {
  const { certificate } = (signed ?? {}) as Partial<SignedCertificate>;
  const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    certificateId: textOrNull(certificate?.certificateId),
    requestId: textOrNull(certificate?.requestId),
  };
}
