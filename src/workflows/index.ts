/** The bundle's entry: exports workflow functions and nothing else. */
export { erasure } from './erasure.ts';
export { erasureBatch } from './erasure-batch.ts';
export { health } from './health.ts';
export { nightly, transformRun } from './nightly.ts';
export { sweep } from './sweep.ts';
export { table } from './table.ts';
export { tableErasure } from './table-erasure.ts';
export { tableMaintenance } from './table-maintenance.ts';
export { tableTransform } from './table-transform.ts';
