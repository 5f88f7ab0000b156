/** Moves main back to an earlier snapshot, as one atomic update of the catalog. */
import type { MainMove } from '../activities/operate/rollback.ts';
import { IcewrightError } from '../domain/errors.ts';
import { messageOf, type RestClient } from './rest-client.ts';

/** Ids are 64-bit numbers: they go into the text as the digits that they are. */
const SNAPSHOT_ID = /^\d{1,19}$/;

/** @param path of the table, below the client's base. See {@link Rollback} for what it rejects with. */
export async function rollBack(client: RestClient, path: string, move: MainMove): Promise<boolean> {
  const answer = await client.send(path, { method: 'POST', body: updateText(move) });
  if (answer.status === 200) return true;
  if (answer.status === 409) return false;
  const message = `${client.url} answered HTTP ${answer.status}: ${messageOf(answer)}`;
  const code = answer.status === 404 ? 'TableNotFound' : 'CatalogRejected';
  throw new IcewrightError(code, message, { status: answer.status });
}

function updateText({ tableUuid, from, to }: MainMove): string {
  for (const id of [from, to]) {
    if (SNAPSHOT_ID.test(id)) continue;
    throw new IcewrightError('Internal', `${JSON.stringify(id)} is not a snapshot id`);
  }
  const uuid = JSON.stringify(tableUuid);
  return `{"requirements": [
    {"type": "assert-table-uuid", "uuid": ${uuid}},
    {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": ${from}}
  ], "updates": [
    {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": ${to}}
  ]}`;
}
