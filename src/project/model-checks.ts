/** What is wrong with models only when they are seen together. */
import { buildGraph, findCycle } from '../domain/model/graph.ts';
import type { Model } from '../domain/model/model.ts';
import { tableFromKey, tableKey } from '../domain/table.ts';
import type { Fault } from './faults.ts';
import type { ReadModel } from './model-file.ts';
import { suggest } from './policy-faults.ts';

/**
 * @param sound models without a fault of their own
 * @param all also the faulty ones: an input that such a file promises is not called unknown
 */
export function checkTogether(
  sound: readonly ReadModel[],
  all: readonly ReadModel[],
): readonly Fault[] {
  return [...duplicateTargets(sound), ...unknownInputs(sound, all), ...cycle(sound)];
}

function duplicateTargets(sound: readonly ReadModel[]): readonly Fault[] {
  const first = new Map<string, string>();
  return sound.flatMap(({ model, faultAt }) => {
    const { target, file } = model as Model;
    const key = tableKey(target).toLowerCase();
    const other = first.get(key);
    if (other === undefined) first.set(key, file);
    return other === undefined
      ? []
      : [faultAt(['target'], `${key} is already the target of ${other}: one model, one table`)];
  });
}

function unknownInputs(sound: readonly ReadModel[], all: readonly ReadModel[]): readonly Fault[] {
  const known = sound.map(({ model }) => tableKey((model as Model).target));
  const promised = new Set(all.map((one) => one.expected));
  return sound.flatMap(({ model, faultAt }) =>
    (model as Model).inputs.flatMap((key, index) => {
      const { namespace, name } = tableFromKey(key);
      if (known.includes(key) || promised.has(`${namespace}.${name}`)) return [];
      const message =
        `no model makes the input ${key}${suggest(key, known)}; ` +
        'a table from outside belongs under "sources"';
      return [faultAt(['inputs', index], message)];
    }),
  );
}

function cycle(sound: readonly ReadModel[]): readonly Fault[] {
  const path = findCycle(buildGraph(sound.map(({ model }) => model as Model)));
  if (path === null) return [];
  const [from, to] = path as [string, string];
  const reader = sound.find(({ model }) => model?.name === to);
  const read = sound.find(({ model }) => model?.name === from)?.model;
  if (reader?.model == null || read == null) return [];
  const index = reader.model.inputs.indexOf(tableKey(read.target));
  return [reader.faultAt(['inputs', index], `the models form a cycle: ${path.join(' → ')}`)];
}
