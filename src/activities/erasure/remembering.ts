import { tableKey } from '../../domain/table.ts';
import type { ErasureDeps } from './deps.ts';

/**
 * What is asked about tables and batches for each of many requests is asked once, for the length of
 * one activity. What fails is asked again.
 */
export function remembering(deps: ErasureDeps): ErasureDeps {
  const { catalog, erasures, files, ledger, versions } = deps;
  return {
    ...deps,
    privacy: once(deps.privacy),
    catalog: {
      ...catalog,
      listTables: once(catalog.listTables),
      tableExists: once(catalog.tableExists, tableKey),
      measureTable: once(
        catalog.measureTable,
        (table, { depth }) => `${tableKey(table)} ${depth ?? ''}`,
      ),
    },
    ledger: { ...ledger, latestReports: once(ledger.latestReports) },
    files: {
      ...files,
      version: once(files.version, tableKey),
      places: once(files.places, tableKey),
    },
    versions: { ...versions, findLock: once(versions.findLock) },
    erasures: {
      ...erasures,
      listTableWork: once(erasures.listTableWork),
      listFiles: once(erasures.listFiles),
    },
  };
}

function once<Asked extends readonly unknown[], Answer>(
  ask: (...asked: Asked) => Promise<Answer>,
  keyOf: (...asked: Asked) => string = (...asked) => JSON.stringify(asked),
): (...asked: Asked) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (...asked) => {
    const key = keyOf(...asked);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(...asked);
    answers.set(key, answer);
    answer.catch(() => answers.delete(key));
    return answer;
  };
}
