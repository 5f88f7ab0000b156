/** The ledger: what was planned, run and done, in PostgreSQL. */
import type { ErasureLedger, Sealer } from '../activities/erasure-ports.ts';
import type { Ledger } from '../activities/ledger-port.ts';
import type { ManifestCache } from '../activities/ports.ts';
import { type LedgerOptions, ledgerError, openPool, type Queryable } from './connection.ts';
import { createErasureLedger } from './erasure-ledger.ts';
import {
  deleteReports,
  rollUpHistory,
  selectHistories,
  selectReports,
  upsertReports,
} from './health.ts';
import { selectDigests, upsertDigests } from './manifest-digests.ts';
import {
  insertReceipt,
  insertStarted,
  selectReceipt,
  selectReceipts,
  selectReceiptsBetween,
  selectReceiptsOfEach,
  selectRecentReceipts,
  selectStarted,
} from './operations.ts';
import { insertLook, selectApproval, selectLook, selectLookUntil } from './orphan-looks.ts';
import { insertPauseEvent, selectPauseEvents } from './pauses.ts';
import { deletePins, selectLivePins, upsertPins } from './pins.ts';
import { insertPlan, selectPlan, selectPlanDigest } from './plans.ts';
import { insertPolicyVersion, selectPolicyVersion } from './policy-versions.ts';
import { selectRun, selectRunning, selectRuns, upsertRun } from './runs.ts';
import {
  deleteSweepPlans,
  selectEngineWork,
  selectSweepNotes,
  selectSweepPlans,
  upsertSweepNotes,
  upsertSweepPlans,
} from './sweep.ts';

export interface ClosableLedger extends Ledger {
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Digests of manifests, for the reader of tables. */
  readonly manifests: ManifestCache;
  readonly erasures: ErasureLedger;
}

/** @property sealer signs what is appended to the chain of proof; readers need none */
export type LedgerSettings = LedgerOptions & { readonly sealer?: () => Sealer };

/**
 * Opens no connection until it is used. Every call rejects with `LedgerUnavailable` (may be tried
 * again), `CredentialsRejected` or `Internal`; the message names host, port and database.
 */
export function createLedger(options: LedgerSettings): ClosableLedger {
  const pool = openPool(options);
  const db: Queryable = {
    query: async (sql, values) => {
      try {
        return await pool.query(sql, [...values]);
      } catch (error) {
        throw ledgerError(error, options.url);
      }
    },
  };
  return {
    ping: async () => {
      await db.query('select 1', []);
    },
    close: () => pool.end(),
    erasures: createErasureLedger(pool, db, options),
    manifests: {
      load: (paths) => selectDigests(db, paths),
      save: (entries) => upsertDigests(db, entries),
    },
    savePlan: (plan, digest) => insertPlan(db, plan, digest),
    readPlan: (planId) => selectPlan(db, planId),
    readPlanDigest: (planId) => selectPlanDigest(db, planId),
    saveRun: (run) => upsertRun(db, run),
    readRun: (runId) => selectRun(db, runId),
    runningRuns: (table) => selectRunning(db, table),
    listRuns: (filter) => selectRuns(db, filter),
    startOperation: (started) => insertStarted(db, started),
    readStartedOperation: (runId, ordinal) => selectStarted(db, runId, ordinal),
    saveReceipt: (runId, ordinal, table, receipt) =>
      insertReceipt(db, runId, ordinal, table, receipt),
    readReceipt: (runId, ordinal) => selectReceipt(db, runId, ordinal),
    listReceipts: (runId) => selectReceipts(db, runId),
    recentReceipts: (table, limit) => selectRecentReceipts(db, table, limit),
    receiptsOfEach: (table, limit) => selectReceiptsOfEach(db, table, limit),
    receiptsBetween: (since, until) => selectReceiptsBetween(db, since, until),
    recordPause: (event) => insertPauseEvent(db, event),
    pauseEvents: () => selectPauseEvents(db),
    recordPolicies: (version) => insertPolicyVersion(db, version),
    appliedPolicies: () => selectPolicyVersion(db),
    pinSnapshots: (runId, pins, expiresAt) => upsertPins(db, runId, pins, expiresAt),
    unpinSnapshots: (runId) => deletePins(db, runId),
    livePins: (table, now) => selectLivePins(db, table, now),
    latestReports: async (catalog) => (await selectReports(db, catalog, null)).reports,
    reportsSince: (catalog, mark) => selectReports(db, catalog, mark),
    saveReports: (reports) => upsertReports(db, reports),
    forgetReports: (catalog, tables) => deleteReports(db, catalog, tables),
    healthHistory: async (table, sinceMs) =>
      (await selectHistories(db, [table], sinceMs)).get(table) ?? [],
    healthHistories: (tables, sinceMs) => selectHistories(db, tables, sinceMs),
    rollUpHistory: (cutoffs) => rollUpHistory(db, cutoffs),
    saveLook: (look) => insertLook(db, look),
    readLook: (lookId) => selectLook(db, lookId),
    approvalLook: (table, digest) => selectApproval(db, table, digest),
    lastLook: (table, until) => selectLookUntil(db, table, until),
    sweepNotes: (tables) => selectSweepNotes(db, tables),
    saveSweepNotes: (notes) => upsertSweepNotes(db, notes),
    saveSweepPlans: (sweepId, plans) => upsertSweepPlans(db, sweepId, plans),
    sweepPlans: (sweepId) => selectSweepPlans(db, sweepId),
    forgetSweepPlans: (sweepId) => deleteSweepPlans(db, sweepId),
    engineWork: (limit) => selectEngineWork(db, limit),
  };
}
