/** Tables that share or nest a location: removing one's orphans would remove the other's files. */
import type { Finding } from './health.ts';

export interface TableLocation {
  readonly table: string;
  /** `null`: never measured. */
  readonly location: string | null;
}

/** Others that are named in a finding. */
const NAMED_MAX = 3;

/** `s3a://lake/a/` → `s3://lake/a/`: one spelling for each place, and always a closing slash. */
export function normalizeLocation(location: string): string {
  const plain = location.trim().replace(/^s3[an]:\/\//, 's3://');
  return `${plain.replace(/\/+$/, '')}/`;
}

/** Table → finding, for those that share, contain or lie within another's location. */
export function sharedLocations(tables: readonly TableLocation[]): ReadonlyMap<string, Finding> {
  const places = tables
    .flatMap(({ table, location }) =>
      location === null ? [] : [{ table, at: normalizeLocation(location) }],
    )
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.table < b.table ? -1 : 1));
  const others = new Map<string, string[]>();
  const open: typeof places = [];
  for (const place of places) {
    // Sorted: whatever contains this place is still open, everything else is behind us.
    while (open.length > 0 && !place.at.startsWith(open.at(-1)?.at ?? '')) open.pop();
    const nearest = open.at(-1);
    if (nearest !== undefined) {
      addTo(others, place.table, nearest.table);
      addTo(others, nearest.table, place.table);
    }
    open.push(place);
  }
  return new Map([...others].map(([table, names]) => [table, findingOf(names)]));
}

function addTo(map: Map<string, string[]>, key: string, value: string): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, [value]);
  else found.push(value);
}

function findingOf(others: readonly string[]): Finding {
  const named = others.slice(0, NAMED_MAX).join(', ');
  const more = others.length > NAMED_MAX ? ` and ${others.length - NAMED_MAX} more` : '';
  return {
    code: 'location_shared',
    severity: 'critical',
    message:
      `its location overlaps with that of ${named}${more}: ` +
      'orphan removal on either would delete files of the other; move one of them',
  };
}
