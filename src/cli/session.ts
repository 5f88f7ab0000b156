/** The connections of one command: opened when first asked for, all closed at its end. */
import { userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import type { ErasureLedger } from '../activities/erasure-ports.ts';
import type { Ledger } from '../activities/ledger-port.ts';
import type { Catalog, Project } from '../activities/ports.ts';
import type { TableFiles } from '../activities/table-files.ts';
import { type Config, readConfig } from '../config.ts';
import type { EngineCores } from '../domain/engine.ts';
import { parseTable, type TableRef } from '../domain/table.ts';
import type { AskFloors } from '../floors.ts';
import type { ClosableLedger } from '../ledger/ledger.ts';
import type { ErasureKeys } from '../proof/keys.ts';

export interface Session {
  readonly config: Config;
  temporal(): Promise<Client>;
  ledger(): Promise<Ledger>;
  erasures(): Promise<ErasureLedger>;
  /** Read from their files when first used. */
  keys(): Promise<ErasureKeys>;
  catalog(): Promise<Catalog>;
  files(): Promise<TableFiles>;
  project(): Promise<Project>;
  /** What Trino's catalog refuses by age; asks Trino. */
  floors(): Promise<AskFloors>;
  /** How many tasks each engine runs at once, as far as they say. */
  cores(): Promise<EngineCores>;
  /** A table name as people write it, in the default catalog when it names none. */
  table(text: string): TableRef;
  /** `cli:<user>`: recorded with each run. */
  readonly requestedBy: string;
  close(): Promise<void>;
}

export function openSession(environment: NodeJS.ProcessEnv = process.env): Session {
  const closers: (() => Promise<void>)[] = [];
  const config = once(() => readConfig(environment));
  const keys = once(async () => {
    const { openKeys } = await import('../proof/keys.ts');
    return openKeys(config().erasure);
  });
  const ledger = once(async (): Promise<ClosableLedger> => {
    const { createLedger } = await import('../ledger/ledger.ts');
    const { sealer } = await keys();
    const opened = createLedger({ url: config().ledgerUrl, sealer });
    closers.push(() => opened.close());
    return opened;
  });
  return {
    get config() {
      return config();
    },
    temporal: once(async () => {
      const { connectTemporal } = await import('../temporal/connect.ts');
      const { client, close } = await connectTemporal(config().temporal);
      closers.push(close);
      return client;
    }),
    ledger,
    erasures: async () => (await ledger()).erasures,
    keys,
    catalog: once(async () => {
      const { openCatalog } = await import('../lake.ts');
      return openCatalog(config());
    }),
    files: once(async () => {
      const { openCatalog, openTableFiles } = await import('../lake.ts');
      return openTableFiles(config(), openCatalog(config()));
    }),
    project: once(async () => {
      const { openProject } = await import('../project/project.ts');
      const { modelsDir, policiesDir, catalog } = config();
      return openProject({ modelsDir, policiesDir, catalogName: catalog.name });
    }),
    floors: once(async () => {
      const { openFloors } = await import('../floors.ts');
      const { ask, close } = openFloors(config());
      closers.push(close);
      return ask;
    }),
    cores: once(async () => {
      const { askSparkCores } = await import('../spark-cores.ts');
      const spark = await askSparkCores(config());
      return spark === null ? {} : { spark };
    }),
    table: (text) => parseTable(text, config().catalog.name),
    requestedBy: `cli:${userName()}`,
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A user without a passwd entry (containers) has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
