/** Object lock: what the store will not delete before its time, whoever asks. */
import type { Requests } from './requests.ts';
import { listVersions, type ObjectVersion } from './versions.ts';

/**
 * Versions that are asked for their own lock, where the bucket allows locks at all. What is locked
 * beyond them is told when it is to be deleted: the store refuses.
 */
const ASKED_MAX = 20_000;
const ASKED_AT_ONCE = 16;

interface SdkError {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/**
 * A sentence for the first lock on objects below a prefix; `null`: there is none. A store that does
 * not know locks, or does not tell, has none: it refuses when something is deleted.
 */
export async function findLock(requests: Requests, prefix: string): Promise<string | null> {
  const rule = await requests.attempt(prefix, async ({ sdk, client }, { bucket }) => {
    try {
      const input = { Bucket: bucket };
      const { ObjectLockConfiguration: lock } = await client.send(
        new sdk.GetObjectLockConfigurationCommand(input),
      );
      return lock?.ObjectLockEnabled === 'Enabled' ? (lock.Rule?.DefaultRetention ?? {}) : null;
    } catch (cause) {
      const { name, $metadata } = cause as SdkError;
      const untold = [400, 403, 404, 405, 501].includes($metadata?.httpStatusCode ?? 0);
      if (untold || name === 'ObjectLockConfigurationNotFoundError') return null;
      throw cause;
    }
  });
  if (rule === null) return null;
  const { Mode: mode, Days: days, Years: years } = rule;
  if (days !== undefined || years !== undefined) {
    const time = days === undefined ? `${years} years` : `${days} days`;
    return `its bucket locks every object for ${time} (${mode}): none can be deleted before`;
  }
  return lockedVersion(requests, prefix);
}

async function lockedVersion(requests: Requests, prefix: string): Promise<string | null> {
  let asked: ObjectVersion[] = [];
  let count = 0;
  for await (const version of listVersions(requests, prefix)) {
    if (version.isDeleteMarker) continue;
    asked.push(version);
    count += 1;
    if (asked.length < ASKED_AT_ONCE) continue;
    const locked = await firstLock(requests, asked);
    if (locked !== null || count >= ASKED_MAX) return locked;
    asked = [];
  }
  return firstLock(requests, asked);
}

async function firstLock(
  requests: Requests,
  versions: readonly ObjectVersion[],
): Promise<string | null> {
  const told = await Promise.all(versions.map((one) => lockOf(requests, one)));
  return told.find((one) => one !== null) ?? null;
}

function lockOf(requests: Requests, { uri, versionId }: ObjectVersion): Promise<string | null> {
  return requests.attempt(uri, async ({ sdk, client }, { bucket, key }) => {
    try {
      const input = { Bucket: bucket, Key: key, VersionId: versionId };
      const head = await client.send(new sdk.HeadObjectCommand(input));
      if (head.ObjectLockLegalHoldStatus === 'ON') return 'an object of it is under a legal hold';
      const until = head.ObjectLockRetainUntilDate;
      if (until === undefined || until.getTime() <= Date.now()) return null;
      return `an object of it is locked until ${until.toISOString()} (${head.ObjectLockMode})`;
    } catch (cause) {
      // It went since it was listed.
      if ((cause as SdkError).$metadata?.httpStatusCode === 404) return null;
      throw cause;
    }
  });
}
