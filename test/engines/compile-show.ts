/** Compiled statements as readable text, side by side. */
import type { Compiled } from '../../src/domain/engine.ts';
import type { Operation } from '../../src/domain/operation.ts';
import type { TableRef } from '../../src/domain/table.ts';
import * as spark from '../../src/engines/spark/compile.ts';
import * as trino from '../../src/engines/trino/compile.ts';

export const TABLE: TableRef = { catalog: 'lake', namespace: 'bronze', name: 'raw_orders' };

/** The SQL, then the settings that go with it. */
export function show(compiled: Compiled): string {
  if ('refused' in compiled) return `REFUSED ${compiled.refused}`;
  return compiled
    .map(({ sql, settings }) => [sql, ...(settings ? [JSON.stringify(settings)] : [])].join('\n'))
    .join(';\n');
}

export function both(operation: Operation, table = TABLE) {
  return {
    spark: show(spark.compileOperation(table, operation)),
    trino: show(trino.compileOperation(table, operation)),
  };
}
