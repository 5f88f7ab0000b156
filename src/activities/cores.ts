/** What is known of the engines' cores: asked rarely, never waited for long. */
import type { EngineCores } from '../domain/engine.ts';

/** A cluster that grew is noticed after so long. */
const KNOWN_FOR_MS = 10 * 60_000;
/** An engine that did not answer is asked again after so long. */
const UNKNOWN_FOR_MS = 30_000;
/** Planning goes on without the figure; an answer that comes later serves the next plan. */
const WAIT_MS = 3_000;

export interface CoresDeps {
  readonly readSparkCores: () => Promise<number | null>;
  readonly nowMs: () => number;
  /** Default 3 s. */
  readonly waitMs?: number;
}

/** Never rejects. The last figure stands while an engine is away. */
export function rememberCores(deps: CoresDeps): () => Promise<EngineCores> {
  let known: number | null = null;
  let askAgainAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;

  const ask = async () => {
    const found = await deps.readSparkCores().catch(() => null);
    known = found ?? known;
    askAgainAtMs = deps.nowMs() + (found === null ? UNKNOWN_FOR_MS : KNOWN_FOR_MS);
    asking = null;
  };

  return async () => {
    if (deps.nowMs() >= askAgainAtMs) {
      asking ??= ask();
      // A figure of before does for now.
      if (known === null) await atMost(asking, deps.waitMs ?? WAIT_MS);
    }
    return known === null ? {} : { spark: known };
  };
}

async function atMost(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
