import { propertiesOf } from '../../effect.ts';
import type { HandRequest } from '../../hand-request.ts';
import type { Decision, Reason, SetPropertiesOperation } from '../../operation.ts';
import { judgeProperties } from '../property-rules.ts';
import { byHand, dispatch, failUsage, type HandPlanInput, refuse, skip } from './decision.ts';

type PropertiesRequest = Extract<HandRequest, { kind: 'set_properties' }>;

export function propertiesByHand({ health }: HandPlanInput, request: PropertiesRequest): Decision {
  const { set, remove, allow } = request;
  const names = Object.keys(set);
  if (names.length + remove.length === 0) {
    failUsage(health, 'no property is named: add --set name=value or --unset name');
  }
  const twice = remove.find((name) => names.includes(name));
  if (twice !== undefined) failUsage(health, `${twice} is to be set and to be removed`);
  const is = propertiesOf(health);
  const setting = Object.entries(set).filter(([name, value]) => is[name] !== value);
  const removing = [...new Set(remove)].filter((name) => name in is);
  const operation: SetPropertiesOperation = {
    kind: 'set_properties',
    set: Object.fromEntries(setting),
    remove: removing,
  };
  const against = judgeProperties(health, operation, allow);
  if (against.length > 0) return refuse('set_properties', null, [byHand(), ...against]);
  const wanting = wantingReason([...setting.map(([name]) => name), ...removing]);
  if (!wanting.met) return skip('set_properties', [byHand(), wanting]);
  return dispatch(health, operation, 'auto', [byHand(), wanting]);
}

function wantingReason(names: readonly string[]): Reason {
  return {
    metric: 'properties_wanting',
    value: names.length,
    threshold: 1,
    met: names.length > 0,
    because:
      names.length > 0
        ? `the table has other values of ${names.join(', ')}`
        : 'the table has exactly these properties',
  };
}
