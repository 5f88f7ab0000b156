/** Models built from the few things that a test is about. */
import type { Layer, Model } from '../../../src/domain/model/model.ts';

/** A model `silver.orders` on Spark that replaces its table, unless told otherwise. */
export function modelOf(name: string, change: Partial<Model> = {}): Model {
  const [layer = 'silver', table = 'orders'] = name.split('.');
  return {
    name,
    layer: layer as Layer,
    target: { catalog: 'lake', namespace: layer, name: table },
    engine: 'spark',
    materialization: 'replace',
    key: [],
    inputs: [],
    sources: [],
    columns: [{ name: 'order_id', type: 'bigint', pii: 'none' }],
    partitioning: [],
    sortOrder: [],
    gates: [],
    properties: {},
    deletedWhen: null,
    changedWhen: null,
    owner: null,
    description: 'Orders.',
    sql: 'SELECT 1 AS order_id',
    file: `${layer}/${table}.sql`,
    sqlLine: 1,
    digest: 'd1',
    ...change,
  };
}
