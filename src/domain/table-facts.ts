/** What a plan or an operation takes for given about a table, and how it is told when it moved. */
import type { SnapshotInfo, TableHealth } from './health/health.ts';
import type { TableFacts } from './operation.ts';

export function factsOf(health: TableHealth): TableFacts {
  const { definition } = health;
  const columns = health.columns.map(({ name, type }) => `${name} ${type}`).join(', ');
  const fields = health.partitionFields.map(({ source, transform }) => `${transform}(${source})`);
  return {
    location: health.location,
    formatVersion: health.formatVersion,
    schema: `${definition?.schemaId ?? '?'}: ${columns}`,
    partitionSpec: `${definition?.specId ?? '?'}: ${fields.join(', ')}`,
    sortOrderId: definition?.sortOrderId ?? 0,
    properties: health.properties,
  };
}

/** Names of properties of which `matters` says so that were added, changed or removed; sorted. */
export function changedProperties(
  before: TableFacts['properties'],
  after: TableFacts['properties'],
  matters: (name: string) => boolean,
): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => matters(name) && before[name] !== after[name]).sort();
}

/** The line of main from its head down to, and without, `snapshotId`; `null`: it is not on it. */
export function lineSince(
  health: TableHealth,
  snapshotId: string | null,
): readonly SnapshotInfo[] | null {
  const byId = new Map(health.snapshots.map((one) => [one.snapshotId, one]));
  const line: SnapshotInfo[] = [];
  let at = health.snapshotId;
  while (at !== null && at !== snapshotId) {
    const snapshot = byId.get(at);
    if (snapshot === undefined) return null;
    line.push(snapshot);
    at = snapshot.parentSnapshotId;
  }
  return at === snapshotId ? line : null;
}

/** `append 4711 at 2026-11-21T16:00:00.000Z by trino query 2026…` */
export function describeCommit({ operation, snapshotId, committedAtMs, summary }: SnapshotInfo) {
  const at = new Date(committedAtMs).toISOString();
  return `${operation} ${snapshotId} at ${at} by ${writerOf(summary)}`;
}

/** As far as the writer has told; never a person's name. */
function writerOf(summary: SnapshotInfo['summary']): string {
  const { 'engine-name': engine, 'app-id': application, 'spark.app.id': spark } = summary;
  if (summary['icewright.run-id'] !== undefined) return `run ${summary['icewright.run-id']}`;
  if (summary.trino_query_id !== undefined) return `trino query ${summary.trino_query_id}`;
  const name = engine ?? (spark === undefined ? 'an unnamed writer' : 'spark');
  const id = spark ?? application;
  return id === undefined ? name : `${name} application ${id}`;
}

/** The properties as an engine shows them: the format version is among them. */
export function propertiesOf(
  health: Pick<TableHealth, 'properties' | 'formatVersion'>,
): Readonly<Record<string, string>> {
  return { ...health.properties, [FORMAT_VERSION]: String(health.formatVersion) };
}

/** Set like a property, kept as a field of its own. */
export const FORMAT_VERSION = 'format-version';
