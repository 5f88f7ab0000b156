/** Gathers what readers find, for each request of a batch. */
import type {
  TableVerification,
  Trace,
  UnreadableReason,
  VerificationLimit,
} from '../domain/erasure/certificate.ts';
import { type Hit, MIN_TRACE_CHARS } from './hit.ts';
import type { How } from './look.ts';
import { pathHash } from './paths.ts';
import type { VerifyInput, VerifyProgress } from './ports.ts';
import type { Wanted } from './wanted.ts';

export interface Target {
  readonly uri: string;
  /** `null`: the store tells none. */
  readonly versionId: string | null;
  readonly kind: Trace['kind'];
}

export interface Findings {
  readonly progress: { -readonly [key in keyof VerifyProgress]: number };
  found(target: Target, hit: Hit, how: How): void;
  /** Of every request. */
  stillThere(target: Target): void;
  unreadable(target: Target, because: UnreadableReason): void;
  limited(target: Target, kind: VerificationLimit['kind']): void;
  gone(): void;
  /** @param uncompared identifiers in columns of types that are not compared */
  result(
    snapshotId: string | null,
    uncompared: ReadonlySet<string>,
  ): ReadonlyMap<string, TableVerification>;
}

/** What a certificate or a page can show. */
const MAX_TRACES = 1_000;

interface Gathered {
  readonly seen: Set<string>;
  readonly traces: Trace[];
}

export function createFindings(input: VerifyInput, wanted: Wanted): Findings {
  const startedAt = new Date().toISOString();
  const progress = { objectsListed: 0, objectsRead: 0, bytesRead: 0, rowsRead: 0 };
  const gathered = input.subjects.map((): Gathered => ({ seen: new Set(), traces: [] }));
  const limits = new Map<VerificationLimit['kind'], Set<string>>();
  let gone = 0;
  const add = (subject: number, trace: Trace) => {
    if (input.subjects[subject]?.isExcepted?.(trace.pathHash) === true) return;
    const { seen, traces } = gathered[subject] as Gathered;
    const key = JSON.stringify([trace.pathHash, trace.versionId, trace.identifier, trace.how]);
    if (seen.has(key)) return;
    seen.add(key);
    if (traces.length < MAX_TRACES) traces.push(trace);
  };
  const addToAll = (trace: Trace) => {
    input.subjects.forEach((_, subject) => {
      add(subject, trace);
    });
  };
  return {
    progress,
    found: (target, { subject, identifier }, how) =>
      add(subject, traceOf(target, identifier, how, null)),
    stillThere: (target) => addToAll(traceOf(target, null, 'still_there', null)),
    unreadable: (target, because) => addToAll(traceOf(target, null, 'unreadable', because)),
    limited: ({ uri, versionId }, kind) => {
      limits.set(kind, (limits.get(kind) ?? new Set()).add(`${versionId ?? ''} ${uri}`));
    },
    gone: () => {
      gone += 1;
    },
    result: (snapshotId, uncompared) =>
      new Map(
        input.subjects.map(({ requestId }, subject) => {
          const { seen, traces } = gathered[subject] as Gathered;
          const verification: TableVerification = {
            table: input.table,
            snapshotId,
            ...{ startedAt, finishedAt: new Date().toISOString() },
            ...progress,
            gone,
            traces,
            tracesFound: seen.size,
            limits: [
              ...limitsOf(limits),
              ...shortLimits(wanted, subject),
              ...[...uncompared].map((one) => limitOf('not_compared', one)),
            ],
          };
          return [requestId, verification];
        }),
      ),
  };
}

function traceOf(
  { uri, versionId, kind }: Target,
  identifier: string | null,
  how: How,
  because: UnreadableReason | null,
): Trace {
  return { pathHash: pathHash(uri), versionId, kind, identifier, how, because };
}

function limitsOf(
  limits: ReadonlyMap<VerificationLimit['kind'], ReadonlySet<string>>,
): readonly VerificationLimit[] {
  return [...limits].map(([kind, objects]) => ({ kind, identifier: null, objects: objects.size }));
}

/** Values of fewer than {@link MIN_TRACE_CHARS} characters. */
function shortLimits({ shortOnes }: Wanted, subject: number): readonly VerificationLimit[] {
  const own = shortOnes.filter((one) => one.subject === subject).map((one) => one.identifier);
  return [...new Set(own)].map((identifier) => limitOf('short_value', identifier));
}

function limitOf(kind: VerificationLimit['kind'], identifier: string): VerificationLimit {
  return { kind, identifier, objects: 0 };
}
