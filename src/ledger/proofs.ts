/** Statements on the chain of proof. */
import type { Sealer } from '../activities/erasure-ports.ts';
import { canonicalText } from '../domain/erasure/canonical.ts';
import type { Certificate, SignedCertificate } from '../domain/erasure/certificate.ts';
import { CHAIN_START, type ProofEntry } from '../domain/erasure/chain.ts';
import type { ErasureEvent } from '../domain/erasure/event.ts';
import type { Queryable } from './connection.ts';

/** The same as in the migration: held by whoever appends until the transaction ends. */
const LOCK_KEY = 1_229_149_523;

const COLUMNS = `entry, request_id, certificate_id, document, previous, digest,
  key_id, public_key, signature`;

interface RawEntry {
  readonly entry: string;
  readonly request_id: string;
  readonly certificate_id: string | null;
  readonly document: string;
  readonly previous: string;
  readonly digest: string;
  readonly key_id: string;
  readonly public_key: string;
  readonly signature: string;
}

/** Appends one entry and answers its number; `db` is a transaction. */
export async function appendProof(
  db: Queryable,
  sealer: Sealer,
  document: ErasureEvent | Certificate,
): Promise<number> {
  const text = canonicalText(document);
  await db.query('select pg_advisory_xact_lock($1)', [LOCK_KEY]);
  const { rows } = await db.query(
    'select entry, digest from icewright.proof order by entry desc limit 1',
    [],
  );
  const last = (rows as { entry: string; digest: string }[])[0];
  const entry = Number(last?.entry ?? 0) + 1;
  const previous = last?.digest ?? CHAIN_START;
  const { digest, signature } = sealer.seal(entry, previous, text);
  await db.query(
    `insert into icewright.proof
       (entry, document, previous, digest, key_id, public_key, signature)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [entry, text, previous, digest, signature.keyId, signature.publicKey, signature.value],
  );
  return entry;
}

/** `db` is a transaction that holds its request. */
export async function insertCertificate(
  db: Queryable,
  sealer: Sealer,
  certificate: Certificate,
): Promise<void> {
  const entry = await appendProof(db, sealer, certificate);
  await db.query('update icewright.erasure_request set last_entry = $2 where request_id = $1', [
    certificate.requestId,
    entry,
  ]);
}

/** By its own id or that of its request. */
export async function selectCertificate(
  db: Queryable,
  id: string,
): Promise<SignedCertificate | null> {
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.proof
     where certificate_id is not null and (certificate_id = $1 or request_id = $1)`,
    [id],
  );
  const row = (rows as RawEntry[])[0];
  if (row === undefined) return null;
  const { entry, previous, digest, document, seal } = entryOf(row);
  return {
    certificate: JSON.parse(document) as Certificate,
    chain: { entry, previous, digest },
    signature: { algorithm: 'Ed25519', ...seal },
  };
}

export async function selectChain(
  db: Queryable,
  after: number,
  limit: number,
): Promise<readonly ProofEntry[]> {
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.proof where entry > $1 order by entry limit $2`,
    [after, limit],
  );
  return (rows as RawEntry[]).map(entryOf);
}

/** As the requests know it: entries cut off the end of the chain are missed by it. */
export async function selectChainCount(db: Queryable): Promise<number> {
  const { rows } = await db.query('select max(last_entry) as n from icewright.erasure_request', []);
  return Number((rows as { n: string | null }[])[0]?.n ?? 0);
}

function entryOf(row: RawEntry): ProofEntry {
  return {
    entry: Number(row.entry),
    requestId: row.request_id,
    kind: row.certificate_id === null ? 'event' : 'certificate',
    certificateId: row.certificate_id,
    document: row.document,
    previous: row.previous,
    digest: row.digest,
    seal: { keyId: row.key_id, publicKey: row.public_key, value: row.signature },
  };
}
