/** A privacy policy as it is written → as it is used. */
import type { PrivacyDocument } from '../domain/erasure/privacy.schema.ts';
import type {
  Holds,
  PrivacyPolicy,
  SourceMapping,
  Subject,
  TableMapping,
} from '../domain/erasure/privacy.ts';

const DAY_MS = 86_400_000;
/** Art. 12(3) GDPR: one month. */
const DEADLINE_MS = 30 * DAY_MS;
const WARN_AT_MS = [20 * DAY_MS, 25 * DAY_MS] as const;

type SubjectDocument = PrivacyDocument['subjects'][string];

/** Lays the defaults in. Tables are named as they are written, perhaps without their catalog. */
export function privacyOf(document: PrivacyDocument, file: string): PrivacyPolicy {
  return {
    kind: 'privacy',
    name: document.name,
    file,
    subjects: Object.entries(document.subjects).map(([name, one]) => subjectOf(name, one)),
    sinks: (document.sinks ?? []).map(({ name, owner, retention, note }) => ({
      name,
      owner,
      retentionMs: retention ?? null,
      note: note ?? 'a copy that this erasure does not reach',
    })),
    deadlineMs: document.deadline ?? DEADLINE_MS,
    warnAtMs: [...(document.warnAt ?? WARN_AT_MS)].sort((a, b) => a - b),
    collectMs: document.collect ?? 0,
  };
}

function subjectOf(name: string, document: SubjectDocument): Subject {
  return {
    name,
    key: document.key,
    identifiers: Object.entries(document.identifiers).map(([identifier, one]) => ({
      name: identifier,
      type: one.type ?? 'string',
      links: one.links ?? false,
      trace: one.trace ?? false,
    })),
    sources: (document.sources ?? []).map((source): SourceMapping => source),
    tables: document.tables.map((one): TableMapping => {
      const { table, action = 'delete', because = null, match = {}, holds = {} } = one;
      return { table, action, because, match: match as Holds, holds: holds as Holds };
    }),
  };
}
