import type { HandRequest } from '../../hand-request.ts';
import type { Decision, SetPropertiesOperation } from '../../operation.ts';
import { propertiesOf } from '../../table-facts.ts';
import { judgeProperties } from '../property-rules.ts';
import { propertiesWanting } from '../reasons.ts';
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
  const wanting = propertiesWanting([...setting.map(([name]) => name), ...removing], {
    some: 'the table has other values of',
    none: 'the table has exactly these properties',
  });
  if (!wanting.met) return skip('set_properties', [byHand(), wanting]);
  return dispatch(health, operation, 'auto', [byHand(), wanting]);
}
