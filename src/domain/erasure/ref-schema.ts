import type { RefSchema } from '../health/health.ts';
import type { ColumnPath, Holds } from './privacy.ts';

/**
 * Where a ref's rows hold what a policy names by the columns of today. A column that was not there
 * yet held nothing; one that is no more is looked for by its name.
 */
export function holdsAt(holds: Holds, schema: RefSchema): Holds {
  const entries = Object.entries(holds).map(([identifier, paths]) => {
    return [identifier, paths.flatMap((path) => pathAt(path, schema) ?? [])] as const;
  });
  return Object.fromEntries(entries.filter(([, paths]) => paths.length > 0));
}

/** Of a path the longest part that is a column; what is below it lies in JSON. */
function pathAt(path: ColumnPath, { names, columns }: RefSchema): ColumnPath | null {
  const steps = path.split('.');
  for (let length = steps.length; length > 0; length -= 1) {
    const was = names[steps.slice(0, length).join('.')];
    if (was === null) return null;
    if (was !== undefined) return [was, ...steps.slice(length)].join('.');
  }
  return columns.some(({ name }) => name === steps[0]) ? path : null;
}
