/** One model file: a YAML header in a leading block comment, then a SELECT. */
import { createHash } from 'node:crypto';
import {
  gateOf,
  type ModelHeader,
  modelHeaderJsonSchema,
  modelHeaderSchema,
} from '../domain/model/header.schema.ts';
import type { Layer, Model, ModelColumn } from '../domain/model/model.ts';
import { parseMacros } from '../domain/model/sql.ts';
import { parsePartition } from '../domain/model/types.ts';
import { nameInCatalog, parseTable, tableKey } from '../domain/table.ts';
import type { Fault } from './faults.ts';
import { faultsOf, suggest } from './policy-faults.ts';
import { readYaml, type YamlPath, type YamlSource } from './yaml-source.ts';

export interface ModelPlace {
  /** Path inside the models directory, and the same as faults show it. */
  readonly file: string;
  readonly place: string;
  /** The target that the path asks for: `silver.orders`. */
  readonly expected: string;
  readonly defaultCatalog: string;
}

export interface ReadModel {
  /** `null` when there are faults. */
  readonly model: Model | null;
  readonly faults: readonly Fault[];
  /** What the path promises, also when the file is faulty. */
  readonly expected: string;
  /** Makes a fault at a place of the header, for checks over several files. */
  readonly faultAt: (path: YamlPath, message: string) => Fault;
}

interface Parts {
  /** The header with everything before it blanked out, so that lines and columns stay true. */
  readonly yaml: string;
  readonly sql: string;
  readonly sqlStart: number;
}

/** Reads one model from the text of its file. */
export function readModel(text: string, place: ModelPlace): ReadModel {
  const parts = splitFile(text);
  if (parts === null) {
    const message = 'begins with no header: write /*, the header in YAML on lines of its own, */';
    return failed(place, [{ file: place.place, line: 1, column: 1, message }]);
  }
  const source = readYaml(parts.yaml, place.place);
  if (source.faults.length > 0) return failed(place, source.faults);
  const parsed = modelHeaderSchema.safeParse(source.value);
  if (!parsed.success) {
    const schema = modelHeaderJsonSchema();
    const { issues } = parsed.error;
    return failed(place, faultsOf(issues, { file: place.place, source, schema }));
  }
  const model = modelOf(parsed.data, parts, text, place);
  const faultAt = faultMaker(place, source);
  const faults = [
    ...checkHeader(model, parsed.data, place, faultAt),
    ...checkSql(model, parts, text, place),
  ];
  return { model: faults.length > 0 ? null : model, faults, expected: place.expected, faultAt };
}

function failed(place: ModelPlace, faults: readonly Fault[]): ReadModel {
  const faultAt = (_: YamlPath, message: string) => ({
    file: place.place,
    line: 1,
    column: 1,
    message,
  });
  return { model: null, faults, expected: place.expected, faultAt };
}

function faultMaker({ place }: ModelPlace, source: YamlSource): ReadModel['faultAt'] {
  return (path, message) => ({ file: place, ...source.positionOf(path), message });
}

function splitFile(text: string): Parts | null {
  const open = /^\uFEFF?\s*\/\*[^\S\n]*\r?\n/.exec(text);
  const close = text.indexOf('*/');
  if (open === null || close < 0) return null;
  const blank = open[0].replace(/[^\r\n]/g, ' ');
  const rest = text.slice(close + 2);
  const sqlStart = close + 2 + (rest.length - rest.trimStart().length);
  return {
    yaml: blank + text.slice(open[0].length, close),
    sql: text.slice(sqlStart).trimEnd(),
    sqlStart,
  };
}

function modelOf(header: ModelHeader, parts: Parts, text: string, place: ModelPlace): Model {
  const target = parseTable(header.target, place.defaultCatalog);
  // An input that names no catalog lies in the target's.
  const keyOf = (name: string) => tableKey(parseTable(name, target.catalog));
  const columns = Object.entries(header.columns).map(([name, given]): ModelColumn => {
    const { type, pii = 'none' } = typeof given === 'string' ? { type: given } : given;
    return { name, type, pii };
  });
  return {
    name: place.expected,
    layer: place.expected.split('.')[0] as Layer,
    target,
    engine: header.engine,
    materialization: header.materialization,
    key: header.key ?? [],
    inputs: (header.inputs ?? []).map(keyOf),
    sources: header.sources ?? [],
    columns,
    partitioning: header.partitioning ?? [],
    sortOrder: header.sortOrder ?? [],
    gates: (header.gates ?? []).map(gateOf),
    properties: Object.fromEntries(
      Object.entries(header.properties ?? {}).map(([name, value]) => [name, String(value)]),
    ),
    deletedWhen: header.deletedWhen ?? null,
    changedWhen: header.changedWhen ?? null,
    owner: header.owner ?? null,
    description: header.description.trim(),
    sql: parts.sql,
    file: place.file,
    sqlLine: lineOf(text, parts.sqlStart).line,
    digest: createHash('sha256').update(text).digest('hex'),
  };
}

function lineOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) as string).length + 1 };
}

function checkHeader(
  model: Model,
  header: ModelHeader,
  { expected }: ModelPlace,
  faultAt: ReadModel['faultAt'],
): readonly Fault[] {
  const faults: Fault[] = [];
  const fault = (path: YamlPath, message: string) => faults.push(faultAt(path, message));
  const merge = model.materialization === 'merge';
  if (nameInCatalog(model.target) !== expected) {
    fault(['target'], `"${header.target}" does not fit the file: its path asks for ${expected}`);
  }
  if (merge && model.key.length === 0) fault(['materialization'], 'merge needs a "key"');
  if (!merge && header.deletedWhen !== undefined) {
    fault(['deletedWhen'], '"deletedWhen" is for materialization merge only');
  }
  if (!merge && header.changedWhen !== undefined) {
    fault(['changedWhen'], '"changedWhen" is for materialization merge only');
  }
  if (model.engine === 'trino' && model.materialization !== 'append') {
    fault(
      ['materialization'],
      `${model.materialization} needs engine spark: Trino cannot record what it read in the snapshot`,
    );
  }
  for (const [path, name] of namedColumns(model)) {
    const known = model.columns.map((column) => column.name);
    if (known.includes(name)) continue;
    fault(path, `"${name}" is none of the columns${suggest(name, known)}`);
  }
  const { deletedWhen } = model;
  if (deletedWhen !== null && model.columns.some(({ name }) => name === deletedWhen)) {
    fault(['deletedWhen'], `"${deletedWhen}" is never stored: take it out of the columns`);
  }
  return faults;
}

/** Columns that the header names outside `columns`, with the place where it does. */
function namedColumns(model: Model): readonly (readonly [YamlPath, string])[] {
  const ofGates = model.gates.flatMap((gate, index): readonly (readonly [YamlPath, string])[] => {
    if ('columns' in gate) {
      return gate.columns.map((name, at) => [['gates', index, gate.kind, at], name]);
    }
    return 'column' in gate ? [[['gates', index, gate.kind, 'column'], gate.column]] : [];
  });
  return [
    ...model.key.map((name, index) => [['key', index], name] as const),
    ...model.partitioning.map(
      (text, index) => [['partitioning', index], parsePartition(text)?.column ?? text] as const,
    ),
    ...model.sortOrder.map(
      (text, index) => [['sortOrder', index], text.split(' ')[0] ?? text] as const,
    ),
    ...ofGates,
  ];
}

function checkSql(
  model: Model,
  parts: Parts,
  text: string,
  { place }: ModelPlace,
): readonly Fault[] {
  const faults: Fault[] = [];
  const fault = (offset: number, message: string) =>
    faults.push({ file: place, ...lineOf(text, parts.sqlStart + offset), message });
  if (parts.sql === '') fault(0, 'the header is followed by no SELECT');
  if (parts.sql.endsWith(';')) {
    fault(parts.sql.length - 1, 'take the ; away: the SELECT becomes part of a statement');
  }
  const { calls, faults: broken } = parseMacros(parts.sql);
  for (const { offset, message } of broken) fault(offset, message);
  for (const call of calls) {
    if (call.name === 'keyed_hash' && model.engine !== 'spark') {
      fault(call.start, 'keyed_hash needs engine spark: its key travels as a statement parameter');
    }
    if (call.name !== 'input') continue;
    const message = undeclared(model, call.argument ?? '');
    if (message !== null) fault(call.start, message);
  }
  const read = new Set(
    calls.map((call) => (call.name === 'input' ? inputKey(model, call.argument ?? '') : '')),
  );
  for (const input of model.inputs.filter((key) => !read.has(key))) {
    fault(0, `reads its input ${input} nowhere: write {{input('${input}')}} or drop the input`);
  }
  return faults;
}

function undeclared(model: Model, name: string): string | null {
  const key = inputKey(model, name);
  if (key === null) return `"${name}" is not a table name: write for example silver.orders`;
  return model.inputs.includes(key)
    ? null
    : `"${name}" is not among the inputs of the header${suggest(key, model.inputs)}`;
}

function inputKey(model: Model, name: string): string | null {
  try {
    return tableKey(parseTable(name, model.target.catalog));
  } catch {
    return null;
  }
}
