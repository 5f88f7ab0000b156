/** What to keep true, read from `policies/`: maintenance of tables, and the nightly run. */

import type { EngineName } from '../engine.ts';
import type { PrivacyPolicy } from '../erasure/privacy.ts';
import type { CompactStrategy } from '../operation.ts';
import type { Budget } from './budget.ts';
import type { TableSelector } from './match.ts';
import type { Trigger } from './trigger.ts';
import type { MissedRule, WindowPolicy } from './window.ts';

export type { Blackout, MissedRule, WindowPolicy } from './window.ts';
export type { Budget };

export interface CompactPolicy {
  readonly enabled: boolean;
  /** `auto`: the first engine of the capability matrix that can. */
  readonly engine: EngineName | 'auto';
  readonly strategy: CompactStrategy;
  /** Sort or Z-order columns, in order; empty for bin-pack. */
  readonly columns: readonly string[];
  readonly targetFileSizeBytes: number;
  /** Fewest small files of a partition that are worth a rewrite. */
  readonly minInputFiles: number;
  /** `auto`: options are chosen from the table and the engine's cores; `off`: the engine's own. */
  readonly tuning: 'auto' | 'off';
  /** `auto`: level 1 of zstd where the table names none; `keep`: the level of the engine. */
  readonly compression: 'auto' | 'keep';
  readonly trigger: Trigger;
}

export interface ExpirePolicy {
  readonly enabled: boolean;
  /** Only snapshots older than this may go. */
  readonly olderThanMs: number;
  /** So many newest snapshots of every branch stay, however old. */
  readonly keepLast: number;
  readonly trigger: Trigger;
}

export interface ManifestsPolicy {
  readonly enabled: boolean;
  readonly engine: EngineName | 'auto';
  readonly trigger: Trigger;
}

export interface DeletesPolicy {
  readonly enabled: boolean;
  readonly engine: EngineName | 'auto';
  readonly trigger: Trigger;
}

export interface OrphansPolicy {
  readonly enabled: boolean;
  /** Younger files stay. At least 72 hours, whatever is written. */
  readonly olderThanMs: number;
  /** More candidates than this, or than `maxShare` of the live files, need a person. */
  readonly maxFiles: number;
  /** 0 to 1. */
  readonly maxShare: number;
  readonly trigger: Trigger;
}

export interface StatisticsPolicy {
  readonly enabled: boolean;
  readonly engine: EngineName | 'auto';
  /** Empty: all columns that the engine can. */
  readonly columns: readonly string[];
  readonly trigger: Trigger;
}

/** Table properties that shall hold; what is not named is left alone. */
export interface PropertiesPolicy {
  readonly enabled: boolean;
  readonly set: Readonly<Record<string, string>>;
}

export interface CadencePolicy {
  /** Shortest time between two runs of one operation on one table. */
  readonly minIntervalMs: number;
  /** Wait after the first failure; doubles with each further one. */
  readonly failureBackoffMs: number;
  /** The doubling ends here. */
  readonly failureBackoffMaxMs: number;
  /** After so many failures in a row the operation is paused until an operator resumes it. */
  readonly breakerFailures: number;
  /** From so many runs in a row that found nothing to do, the pause between two grows. */
  readonly noopBackoffAfter: number;
  /** What grows, by half with each further run in vain; at least `minIntervalMs` is taken. */
  readonly noopBackoffMs: number;
  /** The growth ends here. */
  readonly noopBackoffMaxMs: number;
  /** An operation that is due and has not run for so long goes before all others. */
  readonly mustRunWithinMs: number | null;
  /** Each table waits up to so much longer than `minIntervalMs`, always the same time. */
  readonly spreadMs: number;
  /** When operations may begin; `null`: always. */
  readonly window: WindowPolicy | null;
}

/** What the tables themselves may decide, by their properties. */
export interface OverridesPolicy {
  /** Field paths as the files write them, `compact.targetFileSize` or `compact.*`. */
  readonly allow: readonly string[];
}

export interface MaintenanceSettings {
  readonly compact: CompactPolicy;
  readonly rewriteDeletes: DeletesPolicy;
  readonly expire: ExpirePolicy;
  readonly rewriteManifests: ManifestsPolicy;
  readonly orphans: OrphansPolicy;
  readonly statistics: StatisticsPolicy;
  readonly properties: PropertiesPolicy;
  readonly cadence: CadencePolicy;
  readonly overrides: OverridesPolicy;
}

/** Settings of which any may be missing: a policy says only what it wants to change. */
export type PartialSettings = {
  readonly [Section in keyof MaintenanceSettings]?: Partial<MaintenanceSettings[Section]>;
};

/** Where a value was written. Line 0: built into Icewright. */
export interface Origin {
  readonly policy: string;
  readonly file: string;
  readonly line: number;
}

/** Field path, for example `compact.targetFileSizeBytes`, → where it came from. */
export type Origins = Readonly<Record<string, Origin>>;

export interface MaintenancePolicy {
  readonly kind: 'maintenance';
  readonly name: string;
  readonly file: string;
  readonly tables: readonly TableSelector[];
  readonly settings: PartialSettings;
  readonly origins: Origins;
}

export interface NightlyPolicy {
  readonly kind: 'nightly';
  readonly name: string;
  readonly file: string;
  /** Five fields, in `zone`. */
  readonly cron: string;
  /** IANA name, for example `Europe/Berlin`. */
  readonly zone: string;
  /** Model selection as the command line takes it; empty: all. */
  readonly models: readonly string[];
  readonly maintenance: boolean;
  readonly paused: boolean;
  /** Tables maintained at once. */
  readonly concurrency: number;
  readonly missed: MissedRule;
}

/** Maintenance without anybody asking: looks at its tables again and again, and acts on some. */
export interface SweepPolicy {
  readonly kind: 'sweep';
  readonly name: string;
  readonly file: string;
  readonly tables: readonly TableSelector[];
  /** From the beginning of one look to that of the next. */
  readonly everyMs: number;
  readonly window: WindowPolicy | null;
  readonly budget: Budget;
  readonly paused: boolean;
}

export type Policy = MaintenancePolicy | NightlyPolicy | SweepPolicy | PrivacyPolicy;

/** The policy of one table after all that apply were laid over each other. */
export interface EffectivePolicy {
  readonly settings: MaintenanceSettings;
  readonly origins: Origins;
  /** Properties of the table that ask for something and are not heard; absent: none. */
  readonly ignored?: readonly IgnoredProperty[];
}

/** A property `icewright.…` of a table that changes nothing, and why. */
export interface IgnoredProperty {
  readonly property: string;
  readonly value: string;
  readonly because: string;
}

const DAY_MS = 86_400_000;

/**
 * What holds where no policy says otherwise (design §5). Target 512 MB, five input files: Iceberg's
 * own defaults. A reduction of four files is what five files becoming one gives.
 */
export const DEFAULT_SETTINGS: MaintenanceSettings = {
  compact: {
    enabled: true,
    engine: 'auto',
    strategy: 'binpack',
    columns: [],
    targetFileSizeBytes: 512 * 2 ** 20,
    minInputFiles: 5,
    tuning: 'auto',
    compression: 'auto',
    trigger: { kind: 'at_least', metric: 'file_reduction', atLeast: 4 },
  },
  rewriteDeletes: {
    enabled: true,
    engine: 'auto',
    trigger: { kind: 'at_least', metric: 'delete_ratio', atLeast: 0.1 },
  },
  expire: {
    enabled: true,
    olderThanMs: 7 * DAY_MS,
    keepLast: 5,
    trigger: { kind: 'at_least', metric: 'expirable_snapshots', atLeast: 1 },
  },
  rewriteManifests: {
    enabled: true,
    engine: 'auto',
    // Iceberg merges manifests by itself at 100 (commit.manifest.min-count-to-merge).
    trigger: { kind: 'at_least', metric: 'manifests', atLeast: 100 },
  },
  // Deleting what nothing reaches is asked for, never assumed.
  orphans: {
    enabled: false,
    olderThanMs: 7 * DAY_MS,
    maxFiles: 1_000,
    maxShare: 0.05,
    trigger: { kind: 'at_least', metric: 'hours_since_last_run', atLeast: 7 * 24 },
  },
  statistics: {
    enabled: false,
    engine: 'auto',
    columns: [],
    trigger: { kind: 'at_least', metric: 'hours_since_last_run', atLeast: 7 * 24 },
  },
  properties: { enabled: true, set: {} },
  cadence: {
    minIntervalMs: 0,
    failureBackoffMs: 3_600_000,
    failureBackoffMaxMs: DAY_MS,
    breakerFailures: 3,
    noopBackoffAfter: 3,
    noopBackoffMs: 3_600_000,
    noopBackoffMaxMs: DAY_MS,
    mustRunWithinMs: null,
    spreadMs: 0,
    window: null,
  },
  overrides: { allow: [] },
};

/** Every section of the settings. */
export const SECTIONS = [
  'compact',
  'rewriteDeletes',
  'expire',
  'rewriteManifests',
  'orphans',
  'statistics',
  'properties',
  'cadence',
  'overrides',
] as const satisfies readonly (keyof MaintenanceSettings)[];

/** Lays settings over others, field by field. */
export function overlay(base: MaintenanceSettings, over: PartialSettings): MaintenanceSettings {
  return {
    compact: { ...base.compact, ...over.compact },
    rewriteDeletes: { ...base.rewriteDeletes, ...over.rewriteDeletes },
    expire: { ...base.expire, ...over.expire },
    rewriteManifests: { ...base.rewriteManifests, ...over.rewriteManifests },
    orphans: { ...base.orphans, ...over.orphans },
    statistics: { ...base.statistics, ...over.statistics },
    properties: { ...base.properties, ...over.properties },
    cadence: { ...base.cadence, ...over.cadence },
    overrides: { ...base.overrides, ...over.overrides },
  };
}
