/** What fails in an erasure is told without the person whom it is about. */
import { IcewrightError } from '../../domain/errors.ts';
import { type ErasureDeps, valuesOf } from './deps.ts';

/** Shorter values are met by chance, and then say nothing: `7` in a port. */
const WHOLE_WORD_CHARS = 6;
/** A path may hold partition values, and file names what a writer liked. */
const ADDRESS = /\b(s3[an]?|gs|abfss?|hdfs|file):\/\/[^\s'"),;]+/gi;

interface Named {
  readonly requestId?: string;
  readonly batchId?: string;
}

type DiscreetDeps = Pick<ErasureDeps, 'erasures' | 'open'>;

/**
 * Wraps an activity: errors of engines, catalogs and stores quote what they were at. Their texts go
 * into the ledger, Temporal, logs and terminals; details and causes are left out altogether.
 */
export function discreetly<In extends Named, Out>(
  deps: DiscreetDeps,
  activity: (input: In) => Promise<Out>,
): (input: In) => Promise<Out> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw discreetError(error, await knownValues(deps, input));
    }
  };
}

/** @param values `null`: nobody knows what must not be told, and nothing is */
export function discreetError(error: unknown, values: readonly string[] | null): unknown {
  if (!(error instanceof Error) || error.name === 'CancelledFailure') return error;
  const plain = values === null ? 'it failed, and why cannot be told' : error.message;
  const message = withoutValues(plain, values ?? []);
  if (!(error instanceof IcewrightError)) return new IcewrightError('Internal', message);
  const { table, ended } = error.details;
  const told = Object.entries({ table, ended }).filter(([, value]) => value !== undefined);
  return new IcewrightError(error.code, message, Object.fromEntries(told));
}

/** The text without addresses of files, and with a dash in place of each value. */
export function withoutValues(text: string, values: readonly string[]): string {
  let told = text.replace(ADDRESS, '(a file)');
  for (const value of [...values].sort((a, b) => b.length - a.length)) {
    const plain = value.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if (plain === '') continue;
    const whole = [...value.trim()].length < WHOLE_WORD_CHARS || /^\d+$/.test(plain);
    told = told.replace(new RegExp(whole ? `(?<![\\w.])${plain}(?![\\w])` : plain, 'giu'), '–');
  }
  return told;
}

/** `null`: they could not be read. */
async function knownValues(deps: DiscreetDeps, input: Named): Promise<readonly string[] | null> {
  try {
    const ids = input.requestId === undefined ? await idsOf(deps, input) : [input.requestId];
    const found = await Promise.all(ids.map((id) => valuesOf(deps, id).catch(destroyed)));
    return found.flatMap((one) => Object.values(one).flat());
  } catch {
    return null;
  }
}

/** Destroyed values can be in no text that is made now. */
function destroyed(error: unknown): Readonly<Record<string, readonly string[]>> {
  if (error instanceof IcewrightError && error.code === 'SafetyRefused') return {};
  throw error;
}

async function idsOf({ erasures }: DiscreetDeps, { batchId }: Named): Promise<readonly string[]> {
  if (batchId === undefined) return [];
  return (await erasures.listRequests({ batchId, limit: 1_000 })).map((one) => one.requestId);
}
