/** Gauges of maintenance that is due or paused, of nights, and of erasures with their deadlines. */
import type { Registry } from 'prom-client';
import type { RunState } from '../activities/ledger-port.ts';
import { ENDED_STATES, ERASURE_STATES, type ErasureState } from '../domain/erasure/request.ts';
import type { TablePlan } from '../domain/operation.ts';
import type { Receipt } from '../domain/receipt.ts';
import { tableFromKey } from '../domain/table.ts';
import { addGauge } from './table-gauges.ts';

/** Operations that are due or paused, at most this many: the longest due ones are shown. */
const UPKEEP_MAX = 1_000;
const DAY_MS = 86_400_000;

export interface OpenErasure {
  readonly state: ErasureState;
  readonly deadlineAtMs: number;
}

export interface UpkeepGauges {
  /** What a night found due or paused; what it names no longer is neither. */
  planned(tables: readonly TablePlan[], atMs: number): void;
  ended(receipt: Receipt, table: string): void;
  /** All tables that a catalog lists: of others nothing is due any more. */
  keepTables(catalog: string, tables: readonly { readonly table: string }[]): void;
  nightEnded(state: RunState, atMs: number): void;
  /** All that are not done; replaces those of before. */
  erasuresOpen(erasures: readonly OpenErasure[]): void;
}

interface Upkeep {
  readonly table: string;
  readonly operation: string;
  readonly dueSinceMs: number | null;
  readonly breakerOpen: boolean;
}

/** `null`: nobody has told yet. */
interface Erasures {
  open: readonly OpenErasure[] | null;
}

interface Nights {
  state?: RunState;
  endedAtMs?: number;
  succeededAtMs?: number;
}

export function createUpkeepGauges(registry: Registry, nowMs: () => number): UpkeepGauges {
  const upkeep = new Map<string, Upkeep>();
  const nights: Nights = {};
  const erasures: Erasures = { open: null };
  registerUpkeep(registry, upkeep);
  registerNights(registry, nights);
  registerErasures(registry, erasures, nowMs);
  return {
    planned: (tables, atMs) => notePlanned(upkeep, tables, atMs),
    ended: ({ operation, status }, table) => {
      if (status === 'done' || status === 'noop') upkeep.delete(`${table} ${operation}`);
    },
    keepTables: (catalog, tables) => {
      const listed = new Set(tables.map((one) => one.table));
      for (const [key, { table }] of upkeep) {
        if (tableFromKey(table).catalog === catalog && !listed.has(table)) upkeep.delete(key);
      }
    },
    nightEnded: (state, atMs) => {
      Object.assign(nights, { state, endedAtMs: atMs });
      if (state === 'done') nights.succeededAtMs = atMs;
    },
    erasuresOpen: (open) => {
      erasures.open = open;
    },
  };
}

function notePlanned(
  upkeep: Map<string, Upkeep>,
  tables: readonly TablePlan[],
  atMs: number,
): void {
  for (const { table, decisions } of tables) {
    for (const { kind, action, reasons } of decisions) {
      const key = `${table} ${kind}`;
      const dueSinceMs = action === 'run' ? (upkeep.get(key)?.dueSinceMs ?? atMs) : null;
      const breakerOpen = reasons.some((one) => one.metric === 'consecutive_failures' && !one.met);
      if (dueSinceMs === null && !breakerOpen) upkeep.delete(key);
      else upkeep.set(key, { table, operation: kind, dueSinceMs, breakerOpen });
    }
  }
  // Longest due first: the map keeps the order in which they came.
  for (const key of [...upkeep.keys()].slice(UPKEEP_MAX)) upkeep.delete(key);
}

function registerUpkeep(registry: Registry, upkeep: ReadonlyMap<string, Upkeep>): void {
  const gauges: readonly (readonly [string, string, (one: Upkeep) => number | null])[] = [
    [
      'icewright_operation_due_since_timestamp_seconds',
      'Since when an operation that a plan wants is waiting to succeed, in seconds since 1970.',
      ({ dueSinceMs }) => (dueSinceMs === null ? null : dueSinceMs / 1000),
    ],
    [
      'icewright_breaker_open',
      '1: paused after failures in a row, until a run by hand succeeds.',
      ({ breakerOpen }) => (breakerOpen ? 1 : null),
    ],
  ];
  const labelNames = ['catalog', 'namespace', 'table', 'operation'];
  for (const [name, help, read] of gauges) {
    addGauge(registry, { name, help, labelNames }, (gauge) => {
      for (const one of upkeep.values()) {
        const value = read(one);
        const { catalog, namespace, name: table } = tableFromKey(one.table);
        if (value !== null) {
          gauge.set({ catalog, namespace, table, operation: one.operation }, value);
        }
      }
    });
  }
}

function registerNights(registry: Registry, nights: Readonly<Nights>): void {
  const gauges: readonly (readonly [string, string, () => number | undefined])[] = [
    [
      'icewright_nightly_last_end_timestamp_seconds',
      'When the last night ended, in seconds since 1970.',
      () => nights.endedAtMs && nights.endedAtMs / 1000,
    ],
    [
      'icewright_nightly_last_success_timestamp_seconds',
      'When the last night that was done ended, in seconds since 1970.',
      () => nights.succeededAtMs && nights.succeededAtMs / 1000,
    ],
    [
      'icewright_nightly_last_failed',
      '1: the last night did not end as done.',
      () => nights.state && Number(nights.state !== 'done'),
    ],
  ];
  for (const [name, help, read] of gauges) {
    addGauge(registry, { name, help, labelNames: [] }, (gauge) => {
      const value = read();
      if (value !== undefined) gauge.set(value);
    });
  }
}

/** No request has a series of its own: there may be thousands, and each would stay for ever. */
function registerErasures(
  registry: Registry,
  erasures: Readonly<Erasures>,
  nowMs: () => number,
): void {
  const daysLeft = {
    name: 'icewright_erasure_days_left',
    help: 'Days to the nearest deadline of all erasures that have not ended; negative: missed.',
    labelNames: [],
  };
  addGauge(registry, daysLeft, (gauge) => {
    const deadlines = (erasures.open ?? []).map(({ deadlineAtMs }) => deadlineAtMs);
    if (deadlines.length > 0) gauge.set((Math.min(...deadlines) - nowMs()) / DAY_MS);
  });
  const open = {
    name: 'icewright_erasures_open',
    help: 'Erasures that have not ended, by state.',
    labelNames: ['state'],
  };
  addGauge(registry, open, (gauge) => {
    if (erasures.open === null) return;
    for (const state of ERASURE_STATES.filter((one) => !ENDED_STATES.includes(one))) {
      gauge.set({ state }, erasures.open.filter((one) => one.state === state).length);
    }
  });
}
