/** Statements on the policies that took effect. */
import type { PolicyVersion } from '../activities/ledger-port.ts';
import { jsonText, type Queryable } from './connection.ts';

interface RawVersion {
  readonly digest: string;
  readonly documents: PolicyVersion['documents'];
  readonly applied_by: string;
  readonly applied_at: Date;
}

/** Adds nothing when the newest version is the same. Answers whether it was added. */
export async function insertPolicyVersion(db: Queryable, version: PolicyVersion): Promise<boolean> {
  const { rows } = await db.query(
    `insert into icewright.policy_version (digest, documents, applied_by, applied_at)
     select $1, $2, $3, $4
     where $1 is distinct from
       (select digest from icewright.policy_version order by version_no desc limit 1)
     returning version_no`,
    [version.digest, jsonText(version.documents), version.appliedBy, version.appliedAt],
  );
  return rows.length > 0;
}

export async function selectPolicyVersion(db: Queryable): Promise<PolicyVersion | null> {
  const { rows } = await db.query(
    `select digest, documents, applied_by, applied_at
     from icewright.policy_version order by version_no desc limit 1`,
    [],
  );
  const row = (rows as RawVersion[])[0];
  if (row === undefined) return null;
  return {
    digest: row.digest,
    documents: row.documents,
    appliedBy: row.applied_by,
    appliedAt: row.applied_at.toISOString(),
  };
}
