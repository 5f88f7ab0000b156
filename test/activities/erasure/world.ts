/** A ledger, a catalog with one table, and a store, in memory: as the steps of a batch see them. */
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import type {
  CarriedFiles,
  ErasureAct,
  ErasureFile,
  ErasureFilter,
  FileFilter,
  TableWork,
} from '../../../src/activities/erasure-ports.ts';
import type { Certificate } from '../../../src/domain/erasure/certificate.ts';
import type { ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { applyAct } from '../../../src/domain/erasure/transitions.ts';
import { IcewrightError } from '../../../src/domain/errors.ts';
import { type TableRef, tableFromKey, tableKey } from '../../../src/domain/table.ts';
import { AT } from '../../proof/fixture.ts';

export const TABLE = 'lake.a.t';
export const PLACE = 's3://lake/a/t';
export const NOW_MS = Date.parse(AT);
const mapping = { table: TABLE, action: 'delete', because: null, match: {}, holds: {} } as const;
const subjectNamed = (name: string) => ({
  ...{ name, key: 'customer_id', sources: [], tables: [mapping] },
  identifiers: [{ name: 'customer_id', type: 'bigint', links: true, trace: false }],
});
const POLICY = {
  ...{ kind: 'privacy', name: 'p', sinks: [] },
  subjects: [subjectNamed('customer'), subjectNamed('employee')],
};

export interface World {
  requests: ErasureRequest[];
  /** Refs of the table, with their snapshots; `null`: it cannot be read. */
  refs: Record<string, string> | null;
  /** Name and identity of the table in the catalog; `null`: there is none. */
  table: string | null;
  uuid: string;
  /** Addresses in the store. */
  objects: string[];
  properties: Record<string, string>;
  collectMs: number;
  batches: { batchId: string; openedAt: string; closedAt: string | null }[];
  works: TableWork[];
  files: ErasureFile[];
  carried: string[];
  certificates: Certificate[];
  woken: string[];
  started: string[];
}

export function worldOf(...requests: ErasureRequest[]): World {
  return {
    requests,
    ...{ refs: { main: '1' }, table: TABLE, uuid: 'u1', collectMs: 60_000, properties: {} },
    ...{ objects: [], batches: [], works: [], files: [], carried: [], certificates: [] },
    ...{ woken: [], started: [] },
  };
}

export function depsOf(world: World): ErasureDeps {
  return {
    nowMs: () => NOW_MS,
    privacy: async () => [{ ...POLICY, collectMs: world.collectMs }],
    wake: async (id: string) => void world.woken.push(id),
    startBatch: async (id: string) => void world.started.push(id),
    project: { models: async () => [] },
    ledger: { latestReports: async () => [] },
    versions: {
      findLock: async () => null,
      listVersions: async function* (prefix: string) {
        for (const uri of world.objects) if (uri.startsWith(prefix)) yield { uri, versionId: 'v' };
      },
    },
    files: {
      version: async () => ({ location: PLACE, properties: {} }),
      places: async () => ({ table: TABLE, places: [PLACE] }),
    },
    catalog: {
      listTables: async () => (world.table === null ? [] : [tableFromKey(world.table)]),
      tableExists: async (table: TableRef) => tableKey(table) === world.table,
      measureTable: (table: TableRef) => measure(world, tableKey(table)),
    },
    erasures: ledgerOf(world),
  } as unknown as ErasureDeps;
}

async function measure(world: World, table: string) {
  if (table !== world.table) throw new IcewrightError('TableNotFound', 'there is no such table');
  if (world.refs === null) throw new IcewrightError('CatalogRejected', 'it is broken');
  const refs = Object.entries(world.refs).map(([name, snapshotId]) => ({
    ...{ name, snapshotId, type: name === 'main' ? 'branch' : 'tag' },
  }));
  const snapshots = Object.values(world.refs).map((snapshotId) => ({
    ...{ snapshotId, parentSnapshotId: null, committedAtMs: NOW_MS, summary: {} },
  }));
  const { properties, uuid: tableUuid } = world;
  return { table, tableUuid, location: PLACE, snapshotId: '1', refs, snapshots, properties };
}

function ledgerOf(world: World) {
  const find = (id: string) => world.requests.findIndex((one) => one.requestId === id);
  const actOn = async ({ requestId, act, ...who }: ErasureAct) => {
    const result = applyAct(world.requests[find(requestId)] as ErasureRequest, act, who);
    if (!result.ok) throw new IcewrightError('SafetyRefused', result.because);
    world.requests[find(requestId)] = result.request;
    return { acted: true, request: result.request };
  };
  return {
    actOn,
    readRequest: async (id: string) => world.requests[find(id)] ?? null,
    listBatches: async () => world.batches,
    listTableWork: async (id: string) => world.works.filter((one) => one.batchId === id),
    listFiles: async ({ batchId }: FileFilter) =>
      world.files.filter((one) => one.batchId === batchId),
    openBatch: async (batchId: string, openedAt: string) => {
      if (world.batches.some((one) => one.batchId === batchId)) return;
      world.batches.push({ batchId, openedAt, closedAt: null });
    },
    joinBatch: async (requestId: string, batchId: string, at: string) => {
      if (world.batches.find((one) => one.batchId === batchId)?.closedAt !== null) return false;
      const act = { kind: 'amend', patch: { batchId } } as const;
      return (await actOn({ requestId, act, by: 'workflow', at })).acted;
    },
    closeBatch: async () => undefined,
    carryFiles: async ({ from, to }: CarriedFiles) =>
      void world.carried.push(`${from.batchId} ${from.table} to ${to.batchId} ${to.table}`),
    listRequests: async ({ batchId }: ErasureFilter) =>
      world.requests.filter((one) => one.batchId === batchId).reverse(),
    issueCertificate: async (certificate: Certificate, by: string, at: string) => {
      const { requestId, certificateId } = certificate;
      await actOn({
        requestId,
        act: { kind: 'move', to: 'done', patch: { certificateId } },
        by,
        at,
      });
      world.certificates.push(certificate);
      return { certificate };
    },
  };
}
