/**
 * Reads the lake again, long after an erasure: whether a file that was removed is back, or a row of
 * whom nobody knows any more who they were. Values are compared by their keyed hashes.
 */
import type { Config } from './config.ts';
import type { Certificate, Trace } from './domain/erasure/certificate.ts';
import type { ProofFault, ProofFaultCode } from './domain/erasure/chain.ts';
import type { Subject } from './domain/erasure/privacy.ts';
import { IcewrightError } from './domain/errors.ts';
import { tableFromKey } from './domain/table.ts';
import { openCatalog } from './lake.ts';
import { createObjectStore, type ObjectStore } from './storage/object-store.ts';
import { asFolder, pathHash } from './verify/paths.ts';
import type { HashedValues } from './verify/ports.ts';
import { verifyTable } from './verify/verify-table.ts';

export interface LakeCheck {
  readonly faults: readonly ProofFault[];
  readonly tables: number;
  readonly objectsRead: number;
  readonly rowsRead: number;
}

export interface LakeCheckInput {
  readonly certificate: Certificate;
  /** As today's policy has it: tables that came since are read as well. */
  readonly subject: Subject;
  readonly hashed: HashedValues;
}

/** Rejects with what the catalog or the store fails with: that is no verification. */
export async function checkLake(config: Config, input: LakeCheckInput): Promise<LakeCheck> {
  const { certificate, subject, hashed } = input;
  const catalog = openCatalog(config);
  const store = createObjectStore(config.storage);
  const faults: ProofFault[] = [];
  const read = { tables: 0, objectsRead: 0, rowsRead: 0 };
  try {
    for (const mapping of subject.tables.filter(({ action }) => action !== 'keep')) {
      const { table } = mapping;
      const loaded = await ifThere(() => catalog.loadTable(tableFromKey(table), { fresh: true }));
      if (loaded === null) continue;
      faults.push(...(await filesBack(store, certificate, table, loaded.metadata.location)));
      const verified = await verifyTable(
        {
          ...{ table, subject, mapping, hashed, oldObjects: [] },
          metadataLocation: loaded.metadataLocation ?? '',
          subjects: [{ requestId: certificate.requestId, values: {} }],
        },
        store,
      );
      const seen = verified.get(certificate.requestId);
      read.tables += 1;
      read.objectsRead += seen?.objectsRead ?? 0;
      read.rowsRead += seen?.rowsRead ?? 0;
      if (isExcepted(certificate, table)) continue;
      faults.push(...(seen?.traces ?? []).map((trace) => traceFault(table, trace)));
    }
    return { faults, ...read };
  } finally {
    store.close();
  }
}

/** What the certificate itself says is still there, and why. */
function isExcepted({ remains }: Certificate, table: string): boolean {
  return remains.some(({ where }) => where.startsWith(`${table}, `));
}

async function filesBack(
  store: ObjectStore,
  { tables }: Certificate,
  table: string,
  location: string,
): Promise<readonly ProofFault[]> {
  const removed = new Set(
    tables.flatMap((one) => (one.table === table ? one.filesRemoved : [])).map((f) => f.pathHash),
  );
  const back = new Set<string>();
  if (removed.size === 0) return [];
  for await (const { uri } of store.listVersions(asFolder(location))) {
    const hash = pathHash(uri);
    if (removed.has(hash)) back.add(hash);
  }
  return [...back].map((hash) =>
    fault('file_back', `file ${hash} of ${table} was removed and is there again`),
  );
}

function traceFault(table: string, { pathHash: hash, kind, how, because, identifier }: Trace) {
  if (how === 'unreadable') {
    return fault('lake_unreadable', `${kind} ${hash} of ${table} cannot be read: ${because}`);
  }
  const message = `${identifier} of the subject is in ${kind} ${hash} of ${table} (${how})`;
  return fault('subject_back', message);
}

function fault(code: ProofFaultCode, message: string): ProofFault {
  return { code, entry: null, message };
}

async function ifThere<T>(load: () => Promise<T>): Promise<T | null> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof IcewrightError && error.code === 'TableNotFound') return null;
    throw error;
  }
}
