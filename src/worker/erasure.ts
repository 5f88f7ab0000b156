/** Joins what erasure needs: keys, sources, the second reader, versions of objects. */
import type { Client } from '@temporalio/client';
import type { ErasureDeps } from '../activities/erasure/deps.ts';
import type { ErasureLedger } from '../activities/erasure-ports.ts';
import type { PlanningDeps } from '../activities/planning/inputs.ts';
import type { TableFiles } from '../activities/table-files.ts';
import type { Config } from '../config.ts';
import type { EngineRunner } from '../domain/engine.ts';
import { privacyPolicies } from '../domain/erasure/privacy.ts';
import { IcewrightError } from '../domain/errors.ts';
import { tableFromKey } from '../domain/table.ts';
import * as sparkCompile from '../engines/spark/compile.ts';
import * as sparkCount from '../engines/spark/compile-count.ts';
import * as compileErasure from '../engines/spark/compile-erasure.ts';
import * as compileSteps from '../engines/spark/compile-erasure-steps.ts';
import { compileModel } from '../engines/spark/compile-model.ts';
import type { RestCatalog } from '../iceberg/rest-catalog.ts';
import { openFileWalk } from '../lake.ts';
import { openValues, sealValues } from '../proof/keyring.ts';
import type { ErasureKeys } from '../proof/keys.ts';
import { createSourceEraser } from '../sources/postgres.ts';
import { createObjectStore } from '../storage/object-store.ts';
import { startBatch, wakeErasure } from '../temporal/erasures.ts';
import { verifyTable } from '../verify/verify-table.ts';

export interface ErasureParts {
  readonly config: Config;
  readonly planning: PlanningDeps;
  readonly erasures: ErasureLedger;
  readonly spark: EngineRunner;
  readonly files: TableFiles;
  readonly catalog: RestCatalog;
  readonly keys: ErasureKeys;
  readonly client: Client;
}

export function erasureDeps(parts: ErasureParts): ErasureDeps {
  const { config, planning, erasures, spark, files, catalog, keys, client } = parts;
  const store = createObjectStore(config.storage);
  const { project } = planning;
  return {
    ...planning,
    erasures,
    privacy: async () => privacyPolicies(await project.policies(), config.catalog.name),
    spark: {
      runner: spark,
      compiler: {
        ...{ ...sparkCompile, ...sparkCount, compileModel },
        ...{ ...compileErasure, ...compileSteps },
      },
    },
    files: { ...files, ...openFileWalk(config, catalog) },
    versions: { listVersions: store.listVersions, delete: store.delete, findLock: store.findLock },
    sources: createSourceEraser({ urls: config.sources }),
    verifier: {
      verify: async ({ table, ...request }) => {
        const { metadataLocation } = await files.version(tableFromKey(table));
        return verifyTable({ table, metadataLocation, ...request }, store);
      },
    },
    seal: (requestId, values) => sealValues(keys.keyring(), requestId, values),
    open: (requestId, sealed) => openValues(keys.keyring(), requestId, sealed),
    hasher: () => keys.hasher(),
    startBatch: (batchId) => startBatch(client, batchId),
    wake: async (requestId) => {
      const request = await erasures.readRequest(requestId);
      if (request === null) throw new IcewrightError('RunNotFound', `no request ${requestId}`);
      await wakeErasure(client, requestId);
    },
  };
}
