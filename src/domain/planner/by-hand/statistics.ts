import type { HandRequest } from '../../hand-request.ts';
import type { Decision } from '../../operation.ts';
import { statisticsOperation } from '../proposals/statistics.ts';
import { checkColumns, type HandPlanInput, send } from './decision.ts';

type StatisticsRequest = Extract<HandRequest, { kind: 'compute_statistics' | 'drop_statistics' }>;

export function statisticsByHand(
  { health, policy }: HandPlanInput,
  request: StatisticsRequest,
): Decision {
  if (request.kind === 'drop_statistics') {
    return send(health, { kind: 'drop_statistics' }, request.engine ?? 'auto', [], null);
  }
  const { settings } = policy;
  const columns = request.columns.length > 0 ? request.columns : settings.statistics.columns;
  checkColumns(health, columns);
  const wish = request.engine ?? settings.statistics.engine;
  return send(health, statisticsOperation(health, columns, wish), wish, [], null);
}
