/** A night of models without Temporal: real engines and catalog, namespaces of its own. */
import { readConfig } from '../../src/config.ts';
import type { EngineRow, Statement } from '../../src/domain/engine.ts';
import { IcewrightError } from '../../src/domain/errors.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { inputsChanged } from '../../src/domain/model/changes.ts';
import { selectModels } from '../../src/domain/model/graph.ts';
import type { Model } from '../../src/domain/model/model.ts';
import { tableFromKey, tableKey } from '../../src/domain/table.ts';
import { ancestry } from '../../src/domain/watermark.ts';
import { compileModel as compileSpark } from '../../src/engines/spark/compile-model.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { compileModel as compileTrino } from '../../src/engines/trino/compile-model.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { openCatalog } from '../../src/lake.ts';
import { requireModels } from '../../src/project/models.ts';

const config = readConfig();
const MODELS = new URL('../../models', import.meta.url).pathname;

/** Model → `unchanged`, or the snapshot before and after its write. */
export type Night = ReadonlyMap<string, 'unchanged' | { before: string | null; after: string }>;

export interface ShopLake {
  /** Runs the selected models one after another. */
  night(...patterns: readonly string[]): Promise<Night>;
  measure(table: string): Promise<TableHealth | null>;
  query(sql: string): Promise<readonly EngineRow[]>;
  /** `silver` → the namespace that stands for it here. */
  namespaceOf(layer: string): string;
  close(): Promise<void>;
}

/** @param prefix of the namespaces, so that no other test's tables are met */
export function openShopLake(prefix: string): ShopLake {
  const catalogName = config.catalog.name;
  const deployment = `${prefix}-${process.pid}`;
  const spark = createSparkRunner({
    url: config.spark.url,
    catalog: catalogName,
    deployment,
  });
  const trino = createTrinoRunner({ ...config.trino, catalog: catalogName });
  const catalog = openCatalog(config);
  const namespaceOf = (layer: string) => `${prefix}_${layer}`;
  let serial = 0;
  const run = async (statement: Statement, session: string) => {
    serial += 1;
    const runner = statement.engine === 'spark' ? spark : trino;
    const result = await runner.run(statement, { key: `${deployment}/${serial}`, session });
    await result.release();
    return result.rows;
  };
  const measure = (table: string) => measureOrNull(catalog, table);
  const runOne = async (model: Model) => {
    const table = tableKey(model.target);
    const target = await measure(table);
    const found = await Promise.all(
      model.inputs.map(async (key) => [key, (await measure(key)) as TableHealth] as const),
    );
    const lines = found.map(
      ([key, one]) => [key, ancestry(one.snapshots, one.snapshotId)] as const,
    );
    if (target !== null && model.inputs.length > 0) {
      const { changed } = inputsChanged({
        targetSnapshots: ancestry(target.snapshots, target.snapshotId),
        inputs: Object.fromEntries(lines),
        modelDigest: model.digest,
      });
      if (!changed) return 'unchanged' as const;
    }
    const inputs = Object.fromEntries(found.map(([key, one]) => [key, one.snapshotId as string]));
    const { pseudonymKey } = config;
    const context = { runId: `${deployment}-${serial}`, inputs, pseudonymKey };
    const compile = model.engine === 'spark' ? compileSpark : compileTrino;
    const { ensure, write } = compile(model, context);
    for (const statement of target === null ? ensure : []) await run(statement, model.name);
    await run(write, model.name);
    const after = (await measure(table))?.snapshotId as string;
    return { before: target?.snapshotId ?? null, after };
  };
  return {
    measure,
    namespaceOf,
    query: (sql) => run({ engine: 'trino', sql }, 'query'),
    night: async (...patterns) => {
      const models = await requireModels(MODELS, catalogName);
      const done = new Map<string, 'unchanged' | { before: string | null; after: string }>();
      for (const model of selectModels(models, patterns)) {
        done.set(model.name, await runOne(moved(model, namespaceOf)));
      }
      return done;
    },
    close: async () => {
      await Promise.all([spark.close(), trino.close()]);
    },
  };
}

async function measureOrNull(
  catalog: ReturnType<typeof openCatalog>,
  table: string,
): Promise<TableHealth | null> {
  try {
    const options = { nowMs: Date.now(), depth: 'metadata' } as const;
    return await catalog.measureTable(tableFromKey(table), options);
  } catch (error) {
    if (error instanceof IcewrightError && error.code === 'TableNotFound') return null;
    throw error;
  }
}

/** The same model with its table and its inputs in other namespaces. */
function moved(model: Model, namespaceOf: (layer: string) => string): Model {
  const keyOf = (key: string) => {
    const table = tableFromKey(key);
    return tableKey({ ...table, namespace: namespaceOf(table.namespace) });
  };
  return {
    ...model,
    target: { ...model.target, namespace: namespaceOf(model.target.namespace) },
    inputs: model.inputs.map(keyOf),
    sql: model.sql.replace(/input\('(\w+)\./g, (_, layer) => `input('${namespaceOf(layer)}.`),
  };
}
