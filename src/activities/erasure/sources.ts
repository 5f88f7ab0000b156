/** The sources first: what they still hold would come back with the next ingestion. */
import type { SourceErasure } from '../../domain/erasure/certificate.ts';
import type { Subject, SubjectValues } from '../../domain/erasure/privacy.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { tableKey } from '../../domain/table.ts';
import type { Suppression } from '../erasure-ports.ts';
import { requestsOf } from './batches.ts';
import { type ErasureDeps, mergeValues, subjectOf, valuesOf } from './deps.ts';
import { readSources, saveSources } from './work.ts';

/**
 * Suppresses the subjects, then removes them at each source. Repeating it removes nothing more; the
 * rows that an earlier try removed stay counted.
 */
export async function forgetSources(deps: ErasureDeps, batchId: string): Promise<void> {
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'forgetting');
  const [first] = requests;
  if (first === undefined) return;
  const { subject } = await subjectOf(deps, first.subject);
  const known = new Map((await readSources(deps, batchId)).map((one) => [one.name, one]));
  const values = await suppressAll(deps, requests, subject);
  const done: SourceErasure[] = [];
  for (const source of subject.sources) {
    const removed = await deps.sources.forget(source, values);
    const rowsRemoved = (known.get(source.name)?.rowsRemoved ?? 0) + removed;
    const finishedAt = new Date(deps.nowMs()).toISOString();
    done.push({ name: source.name, rowsRemoved, finishedAt });
    await saveSources(deps, batchId, done);
  }
}

/** By every identifier that makes a row the subject's: also rows without the key stay away. */
export async function suppressAll(
  deps: ErasureDeps,
  requests: readonly ErasureRequest[],
  subject: Subject,
): Promise<SubjectValues> {
  const hasher = deps.hasher();
  const links = subject.identifiers.filter((one) => one.links).map((one) => one.name);
  const list: Suppression[] = [];
  const all: SubjectValues[] = [];
  for (const { requestId } of requests) {
    const values = await valuesOf(deps, requestId);
    all.push(values);
    for (const identifier of links) {
      for (const value of values[identifier] ?? []) {
        const hash = hasher.hash(subject.name, identifier, value);
        list.push({ subject: subject.name, identifier, hash, requestId });
      }
    }
  }
  await deps.erasures.suppress(list);
  const keyed = list.map(({ identifier, hash }) => ({
    identifier,
    hash,
    key: hasher.keyOf(subject.name, identifier),
  }));
  for (const source of subject.sources) await deps.sources.suppress(source, keyed);
  return mergeValues(all);
}

/**
 * Runs that had read a source before it forgot may still write what they read: those of models that
 * are made from sources.
 */
export async function ingestionsUnderWay(deps: ErasureDeps): Promise<readonly string[]> {
  const models = await deps.project.models();
  const fed = new Set(
    models.filter(({ sources }) => sources.length > 0).map(({ target }) => tableKey(target)),
  );
  const runs = await deps.ledger.listRuns({
    kind: 'transform',
    states: ['running', 'queued'],
    limit: 1_000,
  });
  return runs.flatMap(({ table }) => (table !== null && fed.has(table) ? [table] : []));
}
