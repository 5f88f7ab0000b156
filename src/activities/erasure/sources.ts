/** The sources first: what they still hold would come back with the next ingestion. */
import type { Subject, SubjectValues } from '../../domain/erasure/privacy.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { tableKey } from '../../domain/table.ts';
import type { Suppression } from '../erasure-ports.ts';
import { act, requestsOf } from './batches.ts';
import { type ErasureDeps, mergeValues, subjectOf, type TellingRow, valuesOf } from './deps.ts';
import { readSources, saveSources } from './work.ts';

/** Of different machines' clocks. */
const SKEW_MS = 60_000;

/**
 * Lets each source tell what it knows the subjects by, suppresses them, and then removes them
 * there. Repeating it removes what has come since; rows that an earlier try removed stay counted.
 * Answers whether a source told anything that nobody knew: then the lake is to be looked at again.
 */
export async function forgetSources(deps: ErasureDeps, batchId: string): Promise<boolean> {
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'forgetting');
  const [first] = requests;
  if (first === undefined) return false;
  const { subject } = await subjectOf(deps, first.subject);
  const known = mergeValues(
    await Promise.all(requests.map((one) => valuesOf(deps, one.requestId))),
  );
  let hasNews = false;
  for (const source of subject.sources) {
    const rows = await deps.sources.tell(source, known);
    if (await learn(deps, requests, subject, rows)) hasNews = true;
  }
  const values = await suppressAll(deps, requests, subject);
  for (const source of subject.sources) {
    const { rowsRemoved, told } = await deps.sources.forget(source, values);
    // What came in between asking and forgetting.
    const isLate = await learn(deps, requests, subject, told);
    if (isLate) await suppressAll(deps, requests, subject);
    hasNews ||= isLate;
    await countForgotten(deps, batchId, { name: source.name, rowsRemoved, hasNews });
  }
  return hasNews;
}

async function countForgotten(
  deps: ErasureDeps,
  batchId: string,
  { name, rowsRemoved, hasNews }: { name: string; rowsRemoved: number; hasNews: boolean },
): Promise<void> {
  const known = new Map((await readSources(deps, batchId)).map((one) => [one.name, one]));
  const before = known.get(name);
  // Ingestions that began before are waited for: as little as must be.
  if (before !== undefined && rowsRemoved === 0 && !hasNews) return;
  const total = (before?.rowsRemoved ?? 0) + rowsRemoved;
  const now = new Date(deps.nowMs()).toISOString();
  const finishedAt = before === undefined || hasNews ? now : before.finishedAt;
  known.set(name, { name, rowsRemoved: total, finishedAt });
  await saveSources(deps, batchId, [...known.values()]);
}

/**
 * Whose a row is, its key tells. What is new is sought from now on, also where no ref has moved:
 * until then its snapshots count as not looked at.
 */
async function learn(
  deps: ErasureDeps,
  requests: readonly ErasureRequest[],
  { key, identifiers }: Subject,
  rows: readonly TellingRow[],
): Promise<boolean> {
  if (rows.some((row) => row[key] == null)) {
    const message = `a query of "tell" answers rows without ${key}: nobody knows whose they are`;
    throw new IcewrightError('PolicyInvalid', message);
  }
  const links = identifiers.filter(({ name, links }) => links && name !== key);
  let hasNews = false;
  for (const { requestId, found } of rows.length === 0 ? [] : requests) {
    const values = await valuesOf(deps, requestId);
    const own = new Set(values[key] ?? []);
    const news: Record<string, string[]> = {};
    for (const row of rows.filter((one) => own.has(one[key] ?? ''))) {
      for (const { name } of links) {
        const value = row[name];
        if (value == null || values[name]?.includes(value)) continue;
        news[name] = [...(news[name] ?? []), value];
      }
    }
    if (Object.keys(news).length === 0) continue;
    hasNews = true;
    const unseen = found.map(({ table, refs }) => ({
      table,
      refs: refs.map(({ snapshotId: _looked, ...ref }) => ref),
    }));
    await act(deps, requestId, { kind: 'amend', patch: { found: unseen } });
    const all = mergeValues([values, news]);
    await deps.erasures.saveValues(requestId, deps.seal(requestId, all));
  }
  return hasNews;
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
 * are made from sources. Later ones are not handed the subject any more.
 */
export async function ingestionsUnderWay(
  deps: ErasureDeps,
  batchId: string,
): Promise<readonly string[]> {
  const forgotten = (await readSources(deps, batchId)).map((one) => Date.parse(one.finishedAt));
  const untilMs = Math.max(...forgotten, 0) + SKEW_MS;
  if (forgotten.length === 0) return [];
  const models = await deps.project.models();
  const fed = new Set(
    models.filter(({ sources }) => sources.length > 0).map(({ target }) => tableKey(target)),
  );
  const runs = await deps.ledger.listRuns({
    kind: 'transform',
    states: ['running', 'queued'],
    limit: 1_000,
  });
  return runs.flatMap(({ table, startedAt }) => {
    const isBefore = startedAt !== null && Date.parse(startedAt) < untilMs;
    return table !== null && fed.has(table) && isBefore ? [table] : [];
  });
}
