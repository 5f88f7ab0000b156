/**
 * The second reader: says of one table, for every request of a batch, whether anything of the
 * subject is left. Reads the object store by itself and shares no code with what deletes, nor with
 * the reader of health: a fault there is not repeated here.
 */
import type { Trace } from '../domain/erasure/certificate.ts';
import { openSource } from './byte-source.ts';
import { type Examined, examine } from './examine.ts';
import { beginsAnyValueOf } from './explain.ts';
import { createFindings, type Findings, type Target } from './findings.ts';
import type { Look } from './look.ts';
import type { FileSuspicion } from './manifest-look.ts';
import { askForOld, versionsOf } from './old-objects.ts';
import { asFolder, lookAtPath, normalPath } from './paths.ts';
import { compilePlaces, type Places } from './places.ts';
import { forEachAtOnce } from './pool.ts';
import type { StoredVersion, Verified, VerifyInput, VersionedStore } from './ports.ts';
import { readText } from './raw-look.ts';
import { type LakeTable, parseTableMetadata } from './table-metadata.ts';
import { Unreadable, unreadableReason, withoutAddress } from './unreadable.ts';
import { compileWanted, type Wanted } from './wanted.ts';

const DEFAULT_CONCURRENCY = 4;

/**
 * Lists every version under the table's location, reads what is there and what the table reaches,
 * and asks for every old path and version. Traces tell what is left; none: nothing was found,
 * within the `limits` that are told with them.
 *
 * Rejects with `PolicyInvalid` when the table has no column that its mapping matches by, with the
 * signal's reason when cancelled, and with what the store fails with (`StorageUnavailable`,
 * `CredentialsRejected`): that is no verification, and to be tried again. No error names a path.
 */
export async function verifyTable(input: VerifyInput, store: VersionedStore): Promise<Verified> {
  try {
    return await verify(input, store);
  } catch (cause) {
    throw withoutAddress(cause);
  }
}

interface Context {
  readonly input: VerifyInput;
  readonly store: VersionedStore;
  readonly wanted: Wanted;
  readonly findings: Findings;
  readonly table: LakeTable;
  readonly places: Places;
  /** Address → what the table says it is, of all that it reaches. */
  readonly reached: Map<string, Trace['kind']>;
  /** Latest versions that were read, or tried. */
  readonly done: Set<string>;
  /** With the manifest that each stands in. */
  readonly suspicions: (readonly [FileSuspicion, Target])[];
}

async function verify(input: VerifyInput, store: VersionedStore): Promise<Verified> {
  const wanted = compileWanted(input);
  const findings = createFindings(input, wanted);
  const table = await readTable(input, store, findings);
  if (table === null) return findings.result(null, new Set());
  const places = compilePlaces(input.mapping, table, wanted);
  const context: Context = {
    ...{ input, store, wanted, findings, table, places },
    reached: new Map(),
    done: new Set(),
    suspicions: [],
  };
  await walkTable(context);
  await readListed(context);
  await readElsewhere(context);
  await settleSuspicions(context);
  await askForOld(input, store, foldersOf(table), findings);
  // A cancelled reading may look like damaged files: it is no verification.
  input.signal?.throwIfAborted();
  return findings.result(table.currentSnapshotId, places.uncompared);
}

/** `null`: the metadata file cannot be read, which is the trace that is left. */
async function readTable(
  input: VerifyInput,
  store: VersionedStore,
  findings: Findings,
): Promise<LakeTable | null> {
  const uri = normalPath(input.metadataLocation);
  try {
    const head = await store.headVersion(uri, null);
    if (head === null) throw new Unreadable('missing');
    const { signal } = input;
    const onBytes = () => undefined;
    const source = openSource({
      store,
      uri,
      versionId: null,
      size: head.sizeBytes,
      signal,
      onBytes,
    });
    return parseTableMetadata(await readText(source));
  } catch (cause) {
    const because = unreadableReason(cause);
    if (because === null) throw cause;
    findings.unreadable({ uri, versionId: null, kind: 'metadata' }, because);
    return null;
  }
}

/** From the snapshots to lists, manifests and the files that they name. */
async function walkTable(context: Context): Promise<void> {
  const { table, reached, input } = context;
  const lists = table.snapshots.flatMap((one) => one.manifestList ?? []).map(normalPath);
  const manifests = new Set(table.snapshots.flatMap((one) => one.manifests).map(normalPath));
  for (const uri of [input.metadataLocation, ...table.metadataLog]) {
    reached.set(normalPath(uri), 'metadata');
  }
  for (const uri of table.statistics) reached.set(normalPath(uri), 'statistics');
  for (const uri of table.partitionStatistics) reached.set(normalPath(uri), 'statistics');
  const width = input.concurrency ?? DEFAULT_CONCURRENCY;
  await forEachAtOnce(new Set(lists), width, async (uri) => {
    reached.set(uri, 'manifest_list');
    const read = await readLatest(context, uri);
    for (const one of read?.manifests ?? []) manifests.add(normalPath(one));
  });
  await forEachAtOnce(manifests, width, async (uri) => {
    reached.set(uri, 'manifest');
    const read = await readLatest(context, uri);
    for (const entry of read?.entries ?? []) {
      const path = normalPath(entry.uri);
      // A later snapshot may have deleted what an earlier one, which is still there, reads.
      if (entry.isDeleted) continue;
      reached.set(path, entry.isDeletes ? 'deletes' : 'data');
    }
  });
}

function foldersOf({ location, otherLocations }: LakeTable): readonly string[] {
  return [...new Set([location, ...otherLocations].map(asFolder))];
}

/** Everything under the table's folders: versions, delete markers, and what nothing names. */
async function readListed(context: Context): Promise<void> {
  const { table, store, input, findings } = context;
  const old = new Map(input.oldObjects.map((one) => [normalPath(one.uri), one.kind]));
  const folders = foldersOf(table);
  const roots = folders.filter(
    (one) => !folders.some((other) => other !== one && one.startsWith(other)),
  );
  const width = input.concurrency ?? DEFAULT_CONCURRENCY;
  for (const root of roots) {
    await forEachAtOnce(store.listVersions(root), width, async (version) => {
      findings.progress.objectsListed += 1;
      const uri = normalPath(version.uri);
      const kind = old.get(uri) ?? context.reached.get(uri) ?? 'unknown';
      const target: Target = { uri, versionId: version.versionId, kind };
      lookAtPath(
        uri,
        lookFor(context, () => target),
      );
      if (old.has(uri)) findings.stillThere(target);
      if (!version.isDeleteMarker) await readVersion(context, version, uri);
    });
  }
}

async function readVersion(context: Context, version: StoredVersion, uri: string): Promise<void> {
  const { done, reached } = context;
  const { isLatest, versionId, sizeBytes } = version;
  if (isLatest) {
    if (done.has(uri)) return;
    if (reached.has(uri)) done.add(uri);
  }
  await readObject(context, { uri, versionId: isLatest ? null : versionId, size: sizeBytes });
}

/** What the table reaches outside of its folders, in all versions, and what is missing in them. */
async function readElsewhere(context: Context): Promise<void> {
  const { reached, done, input, store, table } = context;
  const folders = foldersOf(table);
  const left = [...reached].filter(([uri]) => !done.has(uri));
  await forEachAtOnce(left, input.concurrency ?? DEFAULT_CONCURRENCY, async ([uri, kind]) => {
    const target: Target = { uri, versionId: null, kind };
    lookAtPath(
      uri,
      lookFor(context, () => target),
    );
    await readLatest(context, uri);
    if (folders.some((one) => uri.startsWith(one))) return;
    for (const version of await versionsOf(store, uri)) {
      if (!version.isLatest && !version.isDeleteMarker) await readVersion(context, version, uri);
    }
  });
}

async function readLatest(context: Context, uri: string): Promise<Examined | null> {
  const { store, findings, reached, done } = context;
  if (done.has(uri)) return null;
  done.add(uri);
  const head = await store.headVersion(uri, null);
  if (head !== null) {
    return readObject(context, { uri, versionId: null, size: head.sizeBytes });
  }
  const kind = reached.get(uri) ?? 'unknown';
  // Old metadata and statistics may be gone: nobody needs them to read the table.
  if (kind !== 'metadata' && kind !== 'statistics')
    findings.unreadable({ uri, versionId: null, kind }, 'missing');
  return null;
}

interface ReadTarget {
  readonly uri: string;
  readonly versionId: string | null;
  readonly size: number;
}

async function readObject(context: Context, target: ReadTarget): Promise<Examined | null> {
  const { store, findings, input, table, reached, suspicions } = context;
  const { progress } = findings;
  const { uri, versionId, size } = target;
  const { signal, onProgress } = input;
  const expected = reached.get(uri) ?? null;
  let kind: Trace['kind'] = expected ?? 'unknown';
  const onBytes = (bytes: number) => {
    progress.bytesRead += bytes;
    onProgress?.({ ...progress });
  };
  const source = openSource({ store, uri, versionId, size, signal, onBytes });
  const look = lookFor(context, () => ({ uri, versionId, kind }));
  const onRows = (rows: number) => {
    progress.rowsRead += rows;
  };
  try {
    const suspect = (one: FileSuspicion) => {
      suspicions.push([one, { uri, versionId, kind }]);
    };
    const onKind = (seen: Trace['kind']) => {
      kind = seen;
    };
    return await examine({ source, uri, look, table, expected, suspect, onRows, onKind });
  } catch (cause) {
    signal?.throwIfAborted();
    const because = unreadableReason(cause);
    if (because === null) throw cause;
    // Between listing and reading, an object may have gone: then it holds nothing.
    const left = because === 'missing' ? await store.headVersion(uri, versionId) : target;
    if (left !== null || expected !== null) findings.unreadable({ uri, versionId, kind }, because);
    return null;
  } finally {
    progress.objectsRead += 1;
    onProgress?.({ ...progress });
  }
}

function lookFor({ wanted, places, findings }: Context, target: () => Target): Look {
  return {
    wanted,
    places,
    found: (hit, how) => findings.found(target(), hit, how),
    limited: (kind) => findings.limited(target(), kind),
  };
}

/** A cut bound in a manifest is a trace, unless another's value in the file it is of begins so. */
async function settleSuspicions(context: Context): Promise<void> {
  const { suspicions, store, wanted, input, findings, table } = context;
  const groups = Map.groupBy(suspicions, ([one]) => `${one.fieldId} ${one.entry.uri}`);
  await forEachAtOnce(groups.values(), input.concurrency ?? DEFAULT_CONCURRENCY, async (group) => {
    const [[{ entry, fieldId }]] = group as [readonly [FileSuspicion, Target]];
    const uri = normalPath(entry.uri);
    const head = await store.headVersion(uri, null);
    const onBytes = (bytes: number) => {
      findings.progress.bytesRead += bytes;
    };
    const size = head?.sizeBytes ?? 0;
    const source = openSource({ store, uri, versionId: null, size, signal: input.signal, onBytes });
    const suspected = group.map(([one]) => one);
    const named = table.fields.filter(({ id }) => id === fieldId).map(({ name }) => name);
    const column = { fieldId, names: new Set(named) };
    const explained = await beginsAnyValueOf(source, column, suspected, wanted).catch((cause) => {
      if (unreadableReason(cause) === null) throw cause;
      return [];
    });
    group.forEach(([{ hit }, target], at) => {
      if (explained[at] !== true) findings.found(target, hit, 'bounds');
    });
  });
}
