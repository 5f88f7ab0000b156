/** What zod found wrong with a file that a person wrote, in words and at its place. */
import type { z } from 'zod';
import type { Fault } from './faults.ts';
import type { YamlPath, YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

export interface FaultContext {
  readonly file: string;
  readonly source: YamlSource;
  /** JSON Schema of the document: tells which keys are known where. */
  readonly schema: JsonSchema;
}

/** In the order of the file. */
export function faultsOf(issues: readonly Issue[], context: FaultContext): readonly Fault[] {
  const faults = issues.flatMap((issue) => faultsOfIssue(issue, [], context));
  return faults.sort((a, b) => a.line - b.line || a.column - b.column);
}

function faultsOfIssue(issue: Issue, above: YamlPath, context: FaultContext): readonly Fault[] {
  const path: YamlPath = [...above, ...(issue.path as (string | number)[])];
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors);
    return branch.flatMap((inner) => faultsOfIssue(inner, path, context));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(key, path, context));
  }
  const name = path.filter((step) => typeof step === 'string').at(-1);
  const subject = name === undefined ? '' : `"${name}": `;
  return [{ ...place(path, context), message: `${subject}${wordsOf(issue, path, context)}` }];
}

/** Of the alternatives, the one whose type fits and that failed further in. */
function nearestBranch(errors: readonly (readonly Issue[])[]): readonly Issue[] {
  return errors.find(fits) ?? errors[0] ?? [];
}

function fits(branch: readonly Issue[]): boolean {
  return branch.every((issue) => {
    if (issue.path.length > 0) return true;
    return issue.code === 'invalid_union' ? issue.errors.some(fits) : issue.code !== 'invalid_type';
  });
}

function place(path: YamlPath, { file, source }: FaultContext) {
  return { file, ...source.positionOf(path) };
}

function wordsOf(issue: Issue, path: YamlPath, { source }: FaultContext): string {
  const value = valueAt(source.value, path);
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return 'is missing';
  }
  const shown = typeof value === 'string' || typeof value === 'number' ? `"${value}" ` : '';
  switch (issue.code) {
    case 'invalid_value': {
      const values = issue.values.map(String);
      return `${shown}is none of ${values.join(', ')}${suggest(String(value), values)}`;
    }
    case 'invalid_format':
      return `${shown}${issue.message}`;
    case 'invalid_type':
      return issue.message.startsWith('Invalid input')
        ? `must be ${issue.expected}, not ${typeName(value)}`
        : issue.message;
    case 'too_small':
      return `${shown}is too small: at least ${issue.minimum}`;
    case 'too_big':
      return `${shown}is too big: at most ${issue.maximum}`;
    default:
      return issue.message.startsWith('is ') ? `${shown}${issue.message}` : issue.message;
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'empty';
  return Array.isArray(value) ? 'a list' : typeof value;
}

function valueAt(root: unknown, path: YamlPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function unknownKey(key: string, path: YamlPath, context: FaultContext): Fault {
  const known = knownKeys(context.schema, path);
  const where = context.source.keyPositionOf([...path, key]);
  const hint = suggest(key, known) || `; known here: ${known.join(', ')}`;
  return { file: context.file, ...where, message: `unknown key "${key}"${hint}` };
}

export interface JsonSchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

function knownKeys(root: JsonSchema, path: YamlPath): readonly string[] {
  let layer: readonly JsonSchema[] = [root];
  for (const step of path) {
    layer = layer
      .flatMap((one) => alternatives(root, one))
      .map((one) => memberOf(one, step))
      .filter((one) => one !== undefined);
  }
  const found = layer.flatMap((one) => alternatives(root, one));
  return [...new Set(found.flatMap((one) => Object.keys(one.properties ?? {})))];
}

function memberOf(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items;
  const { additionalProperties } = schema;
  const any = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return schema.properties?.[step] ?? any;
}

/** A schema and, through references, every schema that it offers. */
function alternatives(root: JsonSchema, schema: JsonSchema): readonly JsonSchema[] {
  const name = schema.$ref?.split('/').at(-1);
  const target = name === undefined ? undefined : root.definitions?.[name];
  const more = [...(target ? [target] : []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...more.flatMap((one) => alternatives(root, one))];
}

/** `; did you mean "x"?` for the nearest of `known` within a third of its letters, else nothing. */
export function suggest(text: string, known: readonly string[]): string {
  let best: { readonly word: string; readonly distance: number } | null = null;
  for (const word of known) {
    const distance = editDistance(text.toLowerCase(), word.toLowerCase());
    const near = distance <= Math.max(1, Math.floor(word.length / 3));
    if (near && (best === null || distance < best.distance)) best = { word, distance };
  }
  return best === null ? '' : `; did you mean "${best.word}"?`;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const change = (previous[j - 1] as number) + same;
      row.push(Math.min(change, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}
