/** The engine's vote: of a list of ours, the files that it calls orphans too. */
import type { EngineRunner } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { KEEPING_SESSION } from '../../domain/ids.ts';
import type { StoredFile } from '../../domain/orphans/files.ts';
import type { TableRef } from '../../domain/table.ts';
import type { Compiler } from '../ports.ts';
import { type Look, refusal } from './look.ts';

export interface VoteInput {
  readonly table: TableRef;
  readonly look: Look;
  readonly files: readonly StoredFile[];
  /** Identity of the statements, new for each attempt: a dry run may be made again. */
  readonly key: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Voted {
  readonly files: readonly StoredFile[];
  readonly engineOperationId: string | null;
}

/** A statement names so many files at most: about 300 KB of SQL. */
const FILES_PER_VOTE = 2_000;

/** Rejects with `SafetyRefused` when the engine refuses to say. */
export async function askEngine(
  engine: { readonly runner: EngineRunner; readonly compiler: Compiler },
  input: VoteInput,
): Promise<Voted> {
  const { table, files } = input;
  if (engine.compiler.compileOrphanVote === undefined) {
    throw refusal(table, `${engine.runner.name} cannot be asked which files are orphans`);
  }
  const agreed: StoredFile[] = [];
  let engineOperationId: string | null = null;
  for (let start = 0; start < files.length; start += FILES_PER_VOTE) {
    const batch = files.slice(start, start + FILES_PER_VOTE);
    const told = await askBatch(engine, { ...input, files: batch, key: `${input.key}/${start}` });
    const orphans = new Set(told.orphans);
    agreed.push(...batch.filter((file) => orphans.has(file.uri)));
    engineOperationId = told.engineOperationId;
  }
  return { files: agreed, engineOperationId };
}

async function askBatch(
  { runner, compiler }: { readonly runner: EngineRunner; readonly compiler: Compiler },
  { table, look, files, key, signal }: VoteInput,
) {
  const name = `icewright_orphans_${key.replace(/[^A-Za-z0-9]/g, '_')}`;
  const { location } = look.reach;
  const input = { table, location, files, cutoffMs: look.cutoffMs, name };
  const vote = compiler.compileOrphanVote?.(input);
  if (vote === undefined) throw new IcewrightError('Internal', 'the engine has no vote');
  const run = (statement: typeof vote.ask, part: string) =>
    runner.run(statement, { key: `${key}/${part}`, session: KEEPING_SESSION, signal });
  try {
    await (await run(vote.prepare, 'list')).release();
    const answer = await run(vote.ask, 'ask');
    await answer.release();
    const { engineOperationId } = answer;
    return { orphans: vote.readVote(answer.rows), engineOperationId };
  } catch (cause) {
    if (!(cause instanceof IcewrightError) || cause.code !== 'EngineRejected') throw cause;
    throw refusal(table, `${runner.name} does not agree to a removal: ${cause.message}`, cause);
  } finally {
    // A view of a session that ends by itself: nothing depends on its going.
    void run(vote.cleanUp, 'drop').then(
      (done) => done.release(),
      () => undefined,
    );
  }
}
