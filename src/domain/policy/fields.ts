/**
 * Every field of a maintenance policy: its name in the files, its place in the settings, what it
 * takes. The schema of the files, the overrides by table properties and the documentation are all
 * made from, or held against, this one list.
 */
import { DEFAULT_SETTINGS, type MaintenanceSettings } from './policy.ts';

export type Section = keyof MaintenanceSettings;

export type FieldType =
  | { readonly kind: 'flag' }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'size'; readonly minBytes: number }
  | { readonly kind: 'duration'; readonly minMs: number; readonly floor?: string }
  | { readonly kind: 'count'; readonly min: number; readonly max: number }
  /** 0 to 1. */
  | { readonly kind: 'share' }
  /** Columns, field paths. */
  | { readonly kind: 'names' }
  | { readonly kind: 'pairs' }
  | { readonly kind: 'trigger' }
  | { readonly kind: 'window' };

export interface Field {
  readonly section: Section;
  /** As the files write it: `targetFileSize`. */
  readonly key: string;
  /** As the settings have it, with its unit: `targetFileSizeBytes`. */
  readonly name: string;
  readonly type: FieldType;
  /** One sentence for editors and for people. */
  readonly about: string;
}

const FLAG: FieldType = { kind: 'flag' };
const ENGINE: FieldType = { kind: 'choice', of: ['auto', 'spark', 'trino'] };
const TRIGGER: FieldType = { kind: 'trigger' };
const COLUMNS: FieldType = { kind: 'names' };
const TIME: FieldType = { kind: 'duration', minMs: 0 };

/**
 * No file younger than this may be removed as an orphan: its writer may not have committed yet.
 * Iceberg's own procedure refuses less than 24 hours and warns of less than three days.
 */
const ORPHAN_AGE: FieldType = {
  kind: 'duration',
  minMs: 72 * 3_600_000,
  floor: 'a younger file may belong to a commit that is still under way',
};

type Line = readonly [key: string, type: FieldType, about: string, name?: string];

const ENABLED: Line = ['enabled', FLAG, 'false: it is never done without being asked for by hand.'];
const BY: Line = [
  'engine',
  ENGINE,
  'auto: the first engine that can. A named engine that cannot is refused.',
];
const WHEN: Line = ['trigger', TRIGGER, 'What must have been measured for it to run.'];

function count(min: number, max: number): FieldType {
  return { kind: 'count', min, max };
}

const LINES: Readonly<Record<Section, readonly Line[]>> = {
  compact: [
    ENABLED,
    BY,
    [
      'strategy',
      { kind: 'choice', of: ['binpack', 'sort', 'zorder'] },
      'Join files only, or order their rows as well.',
    ],
    ['columns', COLUMNS, 'Sort or Z-order columns.'],
    [
      'targetFileSize',
      { kind: 'size', minBytes: 2 ** 20 },
      'Size to aim at, for example 512MB (the default).',
      'targetFileSizeBytes',
    ],
    [
      'minInputFiles',
      count(2, 10_000),
      'Fewest small files of a partition that are worth a rewrite; default 5.',
    ],
    [
      'tuning',
      { kind: 'choice', of: ['auto', 'off'] },
      'auto: sizes and file groups are chosen so that no core of the engine idles.',
    ],
    [
      'compression',
      { kind: 'choice', of: ['auto', 'keep'] },
      'auto: level 1 of zstd where the table names no level; keep: the level of the engine.',
    ],
    WHEN,
  ],
  rewriteDeletes: [ENABLED, BY, WHEN],
  expire: [
    ENABLED,
    ['olderThan', TIME, 'Only older snapshots may go; default 7d.', 'olderThanMs'],
    ['keepLast', count(1, 100_000), 'Newest snapshots that stay, per branch; default 5.'],
    WHEN,
  ],
  rewriteManifests: [ENABLED, BY, WHEN],
  orphans: [
    ENABLED,
    ['olderThan', ORPHAN_AGE, 'Younger files stay; default 7d, at least 72h.', 'olderThanMs'],
    ['maxFiles', count(0, 1_000_000), 'More candidates need a person; default 1000.'],
    [
      'maxShare',
      { kind: 'share' },
      'Candidates as a share of the live files: more need a person; default 0.05.',
    ],
    WHEN,
  ],
  statistics: [
    ENABLED,
    BY,
    ['columns', COLUMNS, 'Columns to compute for; default: all that the engine can.'],
    WHEN,
  ],
  properties: [
    ENABLED,
    ['set', { kind: 'pairs' }, 'Table properties that shall hold; others are left alone.'],
  ],
  cadence: [
    ['minInterval', TIME, 'Shortest time between two runs; default 0s.', 'minIntervalMs'],
    [
      'failureBackoff',
      TIME,
      'Wait after a failure, doubled each time; default 1h.',
      'failureBackoffMs',
    ],
    ['failureBackoffMax', TIME, 'The doubling ends here; default 1d.', 'failureBackoffMaxMs'],
    ['breakerFailures', count(1, 100), 'Failures in a row until it is paused; default 3.'],
    ['noopBackoffAfter', count(1, 100), 'Runs in vain until the pause grows; default 3.'],
    ['noopBackoff', TIME, 'What grows, by half with each run in vain; 1h.', 'noopBackoffMs'],
    ['noopBackoffMax', TIME, 'The growth ends here; default 1d.', 'noopBackoffMaxMs'],
    [
      'mustRunWithin',
      { kind: 'duration', minMs: 60_000 },
      'What is due and has not run for so long goes before all others; default: no such limit.',
      'mustRunWithinMs',
    ],
    ['spread', TIME, 'Each table waits up to so much longer; default 0s.', 'spreadMs'],
    ['window', { kind: 'window' }, 'When operations may begin; "always" lifts an inherited one.'],
  ],
  overrides: [
    ['allow', { kind: 'names' }, 'Fields that table properties may set: compact.targetFileSize.'],
  ],
};

/** In the order of the sections. */
export const FIELDS: readonly Field[] = (Object.keys(DEFAULT_SETTINGS) as Section[]).flatMap(
  (section) =>
    LINES[section].map(([key, type, about, name = key]) => ({ section, key, name, type, about })),
);

/** `compact.targetFileSize`: how people name a field. */
export function fieldPath({ section, key }: Field): string {
  return `${section}.${key}`;
}

/** `compact.targetFileSizeBytes`, as origins have it → `compact.targetFileSize`. */
export function pathOfSetting(setting: string): string {
  const found = FIELDS.find(({ section, name }) => `${section}.${name}` === setting);
  return found === undefined ? setting : fieldPath(found);
}
