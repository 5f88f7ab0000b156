/** Retention floors of Trino's catalog, as configured here: asked seldom, and never waited for long. */
import type { Config } from './config.ts';
import type { RetentionFloors } from './domain/catalog-traits.ts';
import type { EngineRunner } from './domain/engine.ts';
import { readRetentionFloors } from './engines/trino/floors.ts';
import { createTrinoRunner } from './engines/trino/run.ts';

/** Floors change with a restart of Trino, which is seldom. */
const REMEMBERED_MS = 3_600_000;
/** A Trino that does not answer is left alone for so long. */
const FORGIVEN_MS = 60_000;
/** A plan does not wait for an engine that it may not need. */
const PATIENCE_MS = 3_000;

export type AskFloors = () => Promise<RetentionFloors | null>;

/** Remembers the answer, also one that comes late; `null` while there is none. */
export function rememberFloors(
  ask: () => Promise<RetentionFloors>,
  nowMs: () => number,
): AskFloors {
  let known: { readonly floors: RetentionFloors | null; readonly untilMs: number } | null = null;
  let asking: Promise<RetentionFloors | null> | null = null;
  const remember = (floors: RetentionFloors | null) => {
    known = { floors, untilMs: nowMs() + (floors === null ? FORGIVEN_MS : REMEMBERED_MS) };
    asking = null;
    return floors;
  };
  return async () => {
    if (known !== null && nowMs() < known.untilMs) return known.floors;
    asking ??= ask().then(remember, () => remember(null));
    return impatient(asking);
  };
}

async function impatient(asked: Promise<RetentionFloors | null>): Promise<RetentionFloors | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE_MS);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks with a runner that is there, as the worker has one. */
export function floorsOf(runner: EngineRunner, catalog: string): AskFloors {
  return rememberFloors(() => readRetentionFloors(runner, catalog), Date.now);
}

/** A runner of its own, for whoever plans without a worker. */
export function openFloors(config: Config): { readonly ask: AskFloors; close(): Promise<void> } {
  const catalog = config.catalog.name;
  const runner = createTrinoRunner({ ...config.trino, catalog });
  return { ask: floorsOf(runner, catalog), close: () => runner.close() };
}
