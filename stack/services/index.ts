/** The services of the embedded stack, in the order in which they are shown. */
import { buildCatalog } from './catalog.ts';
import { buildMinio } from './minio.ts';
import { buildPostgres } from './postgres.ts';
import { buildPrometheus } from './prometheus.ts';
import type { Service, ServiceName, StackContext } from './service.ts';
import { buildSpark } from './spark.ts';
import { buildTemporal } from './temporal.ts';
import { buildTrino } from './trino.ts';
import { buildWorker } from './worker.ts';

const BUILDERS: Readonly<Record<ServiceName, (context: StackContext) => Service>> = {
  postgres: buildPostgres,
  minio: buildMinio,
  temporal: buildTemporal,
  catalog: buildCatalog,
  trino: buildTrino,
  spark: buildSpark,
  worker: buildWorker,
  prometheus: buildPrometheus,
};

/** Builds the named services; a need outside the list is taken as met elsewhere. */
export function buildServices(context: StackContext, names: readonly ServiceName[]): Service[] {
  return names.map((name) => {
    const service = BUILDERS[name](context);
    const needs = service.needs.filter((need) => names.some((other) => other === need));
    return { ...service, needs };
  });
}
