/** A certificate as a document for people: headings, facts and tables, before any markup. */
import { formatBytes } from '../units.ts';
import type { Certificate, SignedCertificate, TableErasure } from './certificate.ts';
import { givenUp, limitRows } from './limits.ts';

export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [string, string])[] }
  | {
      readonly kind: 'table';
      /** One that begins with `>` holds numbers. */
      readonly headings: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly kind: 'code'; readonly text: string };

const DAY_MS = 86_400_000;

export function describeCertificate(signed: SignedCertificate): readonly Block[] {
  const { certificate } = signed;
  return [
    { kind: 'heading', level: 1, text: `Certificate of erasure ${certificate.certificateId}` },
    { kind: 'text', text: summaryOf(certificate) },
    ...section('The request', requestOf(certificate)),
    ...section('At the source', sourcesOf(certificate)),
    ...section('In the lake, table by table', ...tablesOf(certificate)),
    ...section('Checked by counting', ...oracleOf(certificate)),
    ...section('Verified by a second reader', ...verificationOf(certificate)),
    ...section('What could not be checked', ...limitsOf(certificate)),
    ...section('What remains, and until when', remainsOf(certificate)),
    ...section('How to check this certificate', ...checkOf(signed)),
  ];
}

function section(title: string, ...blocks: readonly Block[]): readonly Block[] {
  return [{ kind: 'heading', level: 2, text: title }, ...blocks];
}

function summaryOf(certificate: Certificate): string {
  const rows = sum(certificate.tables, (one) => one.rowsMatched);
  const inSources = sum(certificate.sources, (one) => one.rowsRemoved);
  const traces = sum(certificate.verification.tables, (one) => one.tracesFound);
  const elsewhere = sum(certificate.tables, (one) => one.rowsElsewhere);
  const held = certificate.tables.filter((one) => one.rowsMatched + one.rowsElsewhere > 0).length;
  const refs = elsewhere === 0 ? '' : `, and ${elsewhere} in tags and branches`;
  const inMain = `${counted(rows, 'row')} in ${counted(held, 'table')}`;
  const erased =
    rows === 0 && inSources === 0 && elsewhere === 0
      ? `No data of this ${certificate.subject} were found in any table or source.`
      : `The data of one ${certificate.subject} were erased: ${inMain}${refs}.`;
  const isLimited = limitRows(certificate).length > 0 || givenUp(certificate).length > 0;
  const within = isLimited ? ', within the limits that are told below' : '';
  const verified =
    traces === 0
      ? `A second reader then read the storage itself and found no trace${within}.`
      : `THE SECOND READER STILL FOUND ${traces} TRACES: THIS PROVES NO ERASURE.`;
  const kept = certificate.remains.length;
  const places = `${counted(kept, 'place')} outside ${kept === 1 ? 'keeps' : 'keep'}`;
  const remains = kept === 0 ? '' : ` ${places} copies for a time, see below.`;
  return `${erased} ${verified}${remains}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function requestOf(certificate: Certificate): Block {
  const days = (Date.parse(certificate.finishedAt) - Date.parse(certificate.requestedAt)) / DAY_MS;
  return {
    kind: 'facts',
    rows: [
      ['Request', certificate.requestId],
      ['Whose data', `one ${certificate.subject}, named here by a keyed hash alone`],
      ['Keyed hash', certificate.subjectHash],
      ['Ground', certificate.ground],
      ['Requested', `${certificate.requestedAt} by ${certificate.requestedBy}`],
      [
        'Approved',
        certificate.approvedAt === null
          ? 'not needed: nothing was found'
          : `${certificate.approvedAt} by ${approverOf(certificate)}`,
      ],
      ['Answer due', certificate.deadlineAt],
      ['Finished', `${certificate.finishedAt}, after ${counted(Number(days.toFixed(1)), 'day')}`],
      ['Inventory worked through', `privacy policy with SHA-256 ${certificate.policyDigest}`],
    ],
  };
}

function approverOf({ approvedBy, approvedAccount }: Certificate): string {
  const account = approvedAccount == null ? '' : `, with the account ${approvedAccount}`;
  return `${approvedBy}${account}`;
}

function sourcesOf({ sources }: Certificate): Block {
  if (sources.length === 0) return { kind: 'text', text: 'No source outside the lake is listed.' };
  return {
    kind: 'table',
    headings: ['source', '>rows removed (of all requests done together)', 'finished'],
    rows: sources.map((one) => [one.name, String(one.rowsRemoved), one.finishedAt]),
  };
}

function tablesOf({ tables }: Certificate): readonly Block[] {
  return [
    {
      kind: 'text',
      text:
        'Rows were deleted, every file that held them was rewritten, and the old files, snapshots, ' +
        'manifests and metadata were removed from storage with all their versions.',
    },
    {
      kind: 'table',
      headings: [
        ...['table', 'what was done', '>rows of this subject', '>in tags and branches'],
        ...[
          '>files removed',
          '>bytes removed',
          '>versions removed',
          '>snapshots expired',
          'now at snapshot',
        ],
      ],
      rows: tables.map((one) => [
        one.table,
        actionOf(one),
        String(one.rowsMatched),
        String(one.rowsElsewhere),
        String(one.filesRemoved.length),
        formatBytes(sum(one.filesRemoved, (file) => file.bytes)),
        String(sum(one.filesRemoved, (file) => file.versions)),
        String(one.snapshotsExpired),
        one.snapshotAfter ?? 'none',
      ]),
    },
  ];
}

function actionOf({ action, because }: TableErasure): string {
  const words = {
    delete: 'rows deleted',
    recompute: 'rows deleted, then computed anew from what is left',
    keep: 'kept',
    none: 'nothing',
  }[action];
  return because === null ? words : `${words}: ${because}`;
}

function oracleOf({ tables }: Certificate): readonly Block[] {
  return [
    {
      kind: 'text',
      text:
        'Counted over all requests that were done together: rows after are rows before less rows ' +
        'erased, none of the erased is left, and the checksum over all other rows is the same.',
    },
    {
      kind: 'table',
      headings: ['table', '>before', '>erased', '>after', '>left of them', 'others', 'adds up'],
      rows: tables
        .filter(isTouched)
        .flatMap(({ table, oracle, otherTries = [] }) => [
          countOf(table, oracle),
          ...otherTries.map((one) => countOf(`${table} (another try)`, one)),
        ]),
    },
  ];
}

/** Nothing was counted in the others. */
function isTouched({ tableUuid }: TableErasure): boolean {
  return tableUuid !== '';
}

function countOf(table: string, oracle: TableErasure['oracle']): readonly string[] {
  return [
    table,
    String(oracle.before),
    String(oracle.matched),
    String(oracle.after),
    String(oracle.matchedAfter),
    oracle.othersBefore === oracle.othersAfter ? 'unchanged' : 'CHANGED',
    addsUp(oracle) ? 'yes' : 'NO',
  ];
}

function addsUp(oracle: TableErasure['oracle']): boolean {
  const { before, matched, after, matchedAfter, othersBefore, othersAfter } = oracle;
  return after === before - matched && matchedAfter === 0 && othersBefore === othersAfter;
}

function verificationOf({ verification }: Certificate): readonly Block[] {
  const { reader, startedAt, finishedAt, tables } = verification;
  return [
    {
      kind: 'text',
      text:
        `${reader}, from ${startedAt} to ${finishedAt}. It shares no code with the deletion: it ` +
        'lists the storage with all versions, reads every remaining file, and asks for each ' +
        'removed one.',
    },
    {
      kind: 'table',
      headings: [
        ...['table', '>objects listed', '>objects read', '>bytes read', '>rows read'],
        ...['>removed files that are gone', '>traces'],
      ],
      rows: tables.map((one) => [
        one.table,
        String(one.objectsListed),
        String(one.objectsRead),
        formatBytes(one.bytesRead),
        String(one.rowsRead),
        String(one.gone),
        String(one.tracesFound),
      ]),
    },
  ];
}

function limitsOf(certificate: Certificate): readonly Block[] {
  const unread = givenUp(certificate).map((table) => ['it was not read', '', table, '']);
  const rows = [...unread, ...limitRows(certificate)];
  if (rows.length === 0) return [{ kind: 'text', text: 'Nothing that is known of.' }];
  const headings = ['what', 'identifier', 'tables', '>objects'];
  return [{ kind: 'table', headings, rows }];
}

function remainsOf({ remains }: Certificate): Block {
  if (remains.length === 0) return { kind: 'text', text: 'Nothing that is known of.' };
  return {
    kind: 'table',
    headings: ['where', 'owner', 'why', 'until'],
    rows: remains.map((one) => [one.where, one.owner, one.because, one.until ?? 'no end is known']),
  };
}

function checkOf({ certificate, chain, signature }: SignedCertificate): readonly Block[] {
  return [
    {
      kind: 'text',
      text:
        'The certificate is the JSON document; this page only shows it. Its signature, and its ' +
        'place among all others in the ledger, are checked by:',
    },
    { kind: 'code', text: `icewright erase verify ${certificate.certificateId}` },
    {
      kind: 'facts',
      rows: [
        ['Entry in the ledger', String(chain.entry)],
        ['Digest (SHA-256)', chain.digest],
        ['Digest of the entry before', chain.previous],
        ['Signing key', `${signature.algorithm} ${signature.keyId}`],
        ['Signature', signature.value],
      ],
    },
  ];
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
