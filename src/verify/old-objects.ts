/** Objects that must be gone, wherever they lay: every path and every version is asked for. */
import type { Findings } from './findings.ts';
import { normalPath } from './paths.ts';
import { forEachAtOnce } from './pool.ts';
import type { StoredVersion, VerifyInput, VersionedStore } from './ports.ts';

/** Questions to the store that carry no bytes. */
const ASKED_AT_ONCE = 16;

/**
 * Each of them must be answered with "not found". Outside of `folders`, which are listed anyway, a
 * path is listed by itself as well: behind a delete marker "not found" says nothing of versions,
 * and whoever removed the object may not have known them.
 */
export async function askForOld(
  { oldObjects, signal }: Pick<VerifyInput, 'oldObjects' | 'signal'>,
  store: VersionedStore,
  folders: readonly string[],
  findings: Findings,
): Promise<void> {
  await forEachAtOnce(oldObjects, ASKED_AT_ONCE, async ({ uri: given, kind, versionIds }) => {
    const uri = normalPath(given);
    for (const versionId of [null, ...versionIds]) {
      signal?.throwIfAborted();
      const answer = await store.headVersion(uri, versionId);
      if (answer === null) findings.gone();
      else findings.stillThere({ uri, versionId, kind });
    }
    if (folders.some((one) => uri.startsWith(one))) return;
    for (const { versionId } of await versionsOf(store, uri)) {
      findings.stillThere({ uri, versionId, kind });
    }
  });
}

/** Of one object, and of none whose name begins like its. */
export async function versionsOf(
  store: VersionedStore,
  uri: string,
): Promise<readonly StoredVersion[]> {
  const versions: StoredVersion[] = [];
  for await (const one of store.listVersions(uri)) {
    if (normalPath(one.uri) === uri) versions.push(one);
  }
  return versions;
}
