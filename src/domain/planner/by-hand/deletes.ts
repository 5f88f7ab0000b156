import type { HandRequest } from '../../hand-request.ts';
import type { TableHealth } from '../../health/health.ts';
import type { Decision, Reason } from '../../operation.ts';
import {
  byHand,
  checkPredicate,
  type HandPlanInput,
  MIN_INPUT_FILES_BY_HAND,
  send,
  skip,
} from './decision.ts';

type DeletesRequest = Extract<HandRequest, { kind: 'rewrite_deletes' }>;

export function deletesByHand(
  { health, policy }: HandPlanInput,
  request: DeletesRequest,
): Decision {
  const { where, rewriteAll } = request;
  checkPredicate(health, where);
  const found = positionDeletes(health);
  if (!found.met) return skip('rewrite_deletes', [byHand(), found]);
  const minInputFiles = MIN_INPUT_FILES_BY_HAND;
  const operation = { kind: 'rewrite_deletes', where, minInputFiles, rewriteAll } as const;
  const wish = request.engine ?? policy.settings.rewriteDeletes.engine;
  return send(health, operation, wish, [found], null);
}

function positionDeletes({ detail, deleteFiles }: TableHealth): Reason {
  const files = detail === null ? deleteFiles : detail.deletes.positionFiles;
  const others =
    detail === null
      ? ''
      : `, ${detail.deletes.vectors} deletion vectors and ${detail.deletes.equalityFiles} ` +
        'equality delete files, which a compaction alone removes';
  return {
    metric: 'position_delete_files',
    value: files,
    threshold: 1,
    met: files > 0,
    because: `the table has ${files} position delete files${others}`,
  };
}
