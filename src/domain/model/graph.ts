/** Which model comes after which, and which of them a pattern selects. */
import type { EngineName } from '../engine.ts';
import { IcewrightError } from '../errors.ts';
import { tableKey } from '../table.ts';
import { LAYERS, type Model } from './model.ts';

type Named = Pick<Model, 'name' | 'layer' | 'target' | 'inputs'>;

export interface ModelGraph<M extends Named = Model> {
  /** By layer, then by name. */
  readonly models: readonly M[];
  /** Model → the models whose tables it reads. */
  readonly before: ReadonlyMap<string, readonly string[]>;
  /** Model → the models that read its table. */
  readonly after: ReadonlyMap<string, readonly string[]>;
}

/** Edges come from inputs that are some model's target; other inputs make none. */
export function buildGraph<M extends Named>(models: readonly M[]): ModelGraph<M> {
  const sorted = [...models].sort(
    (a, b) => LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer) || compare(a.name, b.name),
  );
  const byTable = new Map(sorted.map((model) => [tableKey(model.target), model.name]));
  const before = new Map(
    sorted.map((model) => {
      const names = model.inputs
        .map((key) => byTable.get(key))
        .filter((name) => name !== undefined);
      return [model.name, [...new Set(names)]];
    }),
  );
  const readersOf = (name: string) =>
    sorted.map((model) => model.name).filter((other) => before.get(other)?.includes(name));
  const after = new Map(sorted.map((model) => [model.name, readersOf(model.name)]));
  return { models: sorted, before, after };
}

/** The models of a cycle in order, the first one again at the end: `a → b → a`. */
export function findCycle(graph: ModelGraph<Named>): readonly string[] | null {
  const done = new Set<string>();
  for (const { name } of graph.models) {
    const cycle = walkToCycle(graph, name, [], done);
    if (cycle !== null) return cycle;
  }
  return null;
}

function walkToCycle(
  graph: ModelGraph<Named>,
  name: string,
  path: readonly string[],
  done: Set<string>,
): readonly string[] | null {
  const at = path.indexOf(name);
  if (at >= 0) return [...path.slice(at), name];
  if (done.has(name)) return null;
  for (const next of graph.after.get(name) ?? []) {
    const cycle = walkToCycle(graph, next, [...path, name], done);
    if (cycle !== null) return cycle;
  }
  done.add(name);
  return null;
}

/**
 * Groups that must run one after another; the members of one group may run at the same time.
 * Throws `ModelInvalid` when the models form a cycle.
 */
export function stagesOf<M extends Named>(graph: ModelGraph<M>): readonly (readonly M[])[] {
  const cycle = findCycle(graph);
  if (cycle !== null) {
    throw new IcewrightError('ModelInvalid', `the models form a cycle: ${cycle.join(' → ')}`);
  }
  const stages: M[][] = [];
  const placed = new Set<string>();
  while (placed.size < graph.models.length) {
    const stage = graph.models.filter(
      ({ name }) => !placed.has(name) && graph.before.get(name)?.every((one) => placed.has(one)),
    );
    for (const { name } of stage) placed.add(name);
    stages.push(stage);
  }
  return stages;
}

/**
 * The selected models, in an order in which they can run one by one. A pattern is a name or holds
 * `*`; `+` before it adds everything it is made from, `+` after it everything made from it. No
 * pattern selects all. Throws `UsageInvalid` for a pattern that selects nothing, and as
 * {@link stagesOf}.
 */
export function selectModels<M extends Named>(
  models: readonly M[],
  patterns: readonly string[],
): readonly M[] {
  const graph = buildGraph(models);
  const sorted = stagesOf(graph).flat();
  if (patterns.length === 0) return sorted;
  const names = new Set(patterns.flatMap((pattern) => selectOne(graph, pattern)));
  return sorted.filter((model) => names.has(model.name));
}

function selectOne(graph: ModelGraph<Named>, pattern: string): readonly string[] {
  const up = pattern.startsWith('+');
  const down = pattern.endsWith('+');
  const core = pattern.replace(/^\+|\+$/g, '');
  const literals = core.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'));
  const matcher = new RegExp(`^${literals.join('.*')}$`);
  const found = graph.models.map((model) => model.name).filter((name) => matcher.test(name));
  if (found.length === 0) {
    const known = graph.models.map((model) => model.name).join(', ');
    throw new IcewrightError('UsageInvalid', `no model is called "${core}"; there are: ${known}`, {
      pattern,
    });
  }
  const ancestors = up ? found.flatMap((name) => reach(graph.before, name)) : [];
  const descendants = down ? found.flatMap((name) => reach(graph.after, name)) : [];
  return [...found, ...ancestors, ...descendants];
}

function reach(edges: ModelGraph['before'], from: string): readonly string[] {
  const seen = new Set<string>();
  const waiting = [...(edges.get(from) ?? [])];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    waiting.push(...(edges.get(name) ?? []));
  }
  return [...seen];
}

/** One model of a night. */
export interface NightModel {
  readonly model: string;
  /** Table key. */
  readonly table: string;
  readonly engine: EngineName;
  /** Models of this night that must be done before it starts. */
  readonly after: readonly string[];
}

/**
 * The selected models in an order in which they can run one by one; those whose `after` are done
 * may run at the same time. Throws as {@link selectModels}.
 */
export function nightOf(
  models: readonly Model[],
  patterns: readonly string[],
): readonly NightModel[] {
  const { before } = buildGraph(models);
  const selected = selectModels(models, patterns);
  const names = new Set(selected.map((model) => model.name));
  return selected.map((model) => ({
    model: model.name,
    table: tableKey(model.target),
    engine: model.engine,
    // Also across models that are left out: order costs nothing and keeps layers apart.
    after: reach(before, model.name)
      .filter((name) => names.has(name))
      .sort(compare),
  }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
