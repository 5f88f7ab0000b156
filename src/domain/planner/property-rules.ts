/**
 * Which table properties may be changed. Some are no properties at all but commands in disguise,
 * some change what is safe or how files are written and must be stated by a person.
 */
import type { TableHealth } from '../health/health.ts';
import type { Reason, SetPropertiesOperation } from '../operation.ts';
import { FORMAT_VERSION, propertiesOf } from '../table-facts.ts';
import { refusalReason } from './reasons.ts';

/** Iceberg's reserved names, and those that Spark's `ALTER TABLE` takes as another command. */
const NEVER: Readonly<Record<string, string>> = {
  location: 'would move the table: its files stay where they are',
  'current-snapshot-id': 'would roll the table back',
  'cherry-pick-snapshot-id': 'would publish a snapshot',
  'sort-order': 'is the sort order, which ALTER TABLE … WRITE ORDERED BY sets',
  'identifier-fields': 'are fields, which ALTER TABLE … SET IDENTIFIER FIELDS sets',
  provider: 'is reserved',
  format: 'is reserved',
  uuid: 'is reserved',
  'snapshot-count': 'is reserved',
  'current-snapshot-summary': 'is reserved',
  'current-snapshot-timestamp-ms': 'is reserved',
  'current-schema': 'is reserved',
  'default-partition-spec': 'is reserved',
  'default-sort-order': 'is reserved',
};

/** Regular expression of names → what changing them does. */
const STATED: readonly (readonly [RegExp, string])[] = [
  [/^format-version$/, 'cannot be undone, and older readers fail'],
  [/^gc\.enabled$/, 'decides whether expiry and orphan removal may delete files'],
  [
    /^write\.(data|metadata|object-storage|folder-storage)\.path$/,
    'decides where files are written, and so what an orphan is',
  ],
  [/^write\.object-storage\./, 'decides where files are written'],
  [/^write\.location-provider\.impl$/, 'decides where files are written'],
  [/^write\.(delete\.)?format\.default$/, 'decides the format of new files'],
  [/^write\.metadata\.delete-after-commit\.enabled$/, 'lets every commit delete metadata files'],
  [/^history\.expire\./, 'lets any engine expire snapshots and refs unasked'],
  [
    /^write\.(delete|update|merge)\.isolation-level$/,
    'decides which conflicts of writers are seen',
  ],
  [/^write\.wap\.enabled$/, 'lets commits go unpublished'],
  [/^schema\.name-mapping\.default$/, 'decides how files without ids are read'],
  [/^encryption\./, 'decides whether files can be read'],
];

/**
 * One refusal for each property that must not be changed so; empty: all may.
 * @param stated names that the request says are meant
 */
export function judgeProperties(
  health: TableHealth,
  { set, remove }: Pick<SetPropertiesOperation, 'set' | 'remove'>,
  stated: readonly string[],
): readonly Reason[] {
  return [...Object.keys(set), ...remove].flatMap((name) => {
    const because = against(health, name, set[name] ?? null, stated);
    return because === null ? [] : [refusalReason('property', `${name} ${because}`)];
  });
}

function against(
  health: TableHealth,
  name: string,
  value: string | null,
  stated: readonly string[],
): string | null {
  const never = NEVER[name.toLowerCase()];
  if (never !== undefined) return `cannot be changed as a property: it ${never}`;
  if (name === FORMAT_VERSION) {
    if (value === null) return 'cannot be removed';
    if (!/^[123]$/.test(value)) return `${value} is not known: there are 1, 2 and 3`;
    if (value < (propertiesOf(health)[FORMAT_VERSION] ?? '')) {
      return `cannot go down from ${health.formatVersion} to ${value}`;
    }
  }
  const rule = STATED.find(([names]) => names.test(name));
  if (rule === undefined || stated.includes(name)) return null;
  return `is changed only when a person says so: it ${rule[1]} (--allow ${name})`;
}
