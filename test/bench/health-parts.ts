/** Tables for `bench:health`, and the times of readers that are not ours. */
import avro from 'avsc';
import type { Config } from '../../src/config.ts';
import type { EngineRunner } from '../../src/domain/engine.ts';
import type { TableRef } from '../../src/domain/table.ts';
import { createRestCatalog, type RestCatalog } from '../../src/iceberg/rest-catalog.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';

export const NAMESPACE = 'bench_health';

export interface Reading {
  objects: number;
  bytes: number;
  readonly uris: string[];
}

/** A catalog client that remembers nothing, and counts what it reads from the store. */
export function freshCatalog(config: Config, store: ObjectStore) {
  const reading: Reading = { objects: 0, bytes: 0, uris: [] };
  const catalog = createRestCatalog({
    ...config.catalog,
    readObject: async (uri, maxBytes) => {
      const bytes = await store.get(uri, maxBytes);
      reading.objects += 1;
      reading.bytes += bytes.length;
      reading.uris.push(uri);
      return bytes;
    },
  });
  return { catalog, reading };
}

/** Bare requests to the catalog, with nothing around them. */
export function bareCatalog({ catalog }: Config) {
  const headers = { Authorization: `Bearer ${catalog.token ?? ''}` };
  const base = `${catalog.url}/v1/namespaces`;
  const at = (name: string) => `${base}/${NAMESPACE}/tables/${name}`;
  const post = (url: string, body: object) =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }).then((answer) => answer.text());
  return {
    createNamespace: () => post(base, { namespace: [NAMESPACE] }),
    create: (name: string) => {
      const schema = {
        type: 'struct',
        fields: [{ id: 1, name: 'id', type: 'long', required: false }],
      };
      return post(`${base}/${NAMESPACE}/tables`, { name, schema });
    },
    /** The status: 304 where nothing changed. */
    conditional: async (name: string, etag: string) => {
      const answer = await fetch(`${at(name)}?snapshots=all`, {
        headers: { ...headers, Accept: 'application/json', 'If-None-Match': etag },
      });
      await answer.text();
      return answer.status;
    },
    drop: (name: string) => fetch(at(name), { method: 'DELETE', headers }),
  };
}

export function tableRef(config: Config, name: string): TableRef {
  return { catalog: config.catalog.name, namespace: NAMESPACE, name };
}

/** All at once, so many at a time. */
export async function atOnce<T>(
  width: number,
  items: readonly T[],
  action: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

export async function time(body: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await body();
  return performance.now() - begin;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** In turn, so that a change of the machine's speed meets all; medians by name. */
export async function compare<Name extends string>(
  runs: number,
  bodies: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Readonly<Record<Name, number>>> {
  const names = Object.keys(bodies) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let run = -1; run < runs; run += 1) {
    for (const name of names) {
      const took = await time(bodies[name]);
      if (run >= 0) times.get(name)?.push(took);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Readonly<
    Record<Name, number>
  >;
}

let statements = 0;

/** Runs one query to its last row. */
export async function query(runner: EngineRunner, sql: string): Promise<void> {
  statements += 1;
  const key = `bench-health/${process.pid}/${statements}`;
  const result = await runner.run({ engine: runner.name, sql }, { key, session: 'bench' });
  await result.release();
}

/** The manifests of a table, by our own reading of its list. */
export async function manifestsOf(
  { catalog, reading }: { readonly catalog: RestCatalog; readonly reading: Reading },
  table: TableRef,
): Promise<readonly string[]> {
  await catalog.measureTable(table, { nowMs: Date.now(), depth: 'files' });
  return reading.uris.slice(1);
}

/** Every field of every entry, as `avsc` decodes a file. */
export function decodeAll(bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let records = 0;
    const decoder = new avro.streams.BlockDecoder();
    decoder.on('data', () => {
      records += 1;
    });
    decoder.once('error', reject);
    decoder.once('end', () => resolve(records));
    decoder.end(bytes);
  });
}
