/** YAML that still knows where each of its values stood. */
import { isMap, isNode, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { Fault } from './faults.ts';

export type YamlPath = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlSource {
  readonly value: unknown;
  /** Faults of the YAML itself; when there are any, `value` is not to be used. */
  readonly faults: readonly Fault[];
  /** Where the value at `path` stands, or the nearest thing around it that there is. */
  positionOf(path: YamlPath): Position;
  /** Where the key `path[path.length - 1]` stands. */
  keyPositionOf(path: YamlPath): Position;
}

/** A hundred aliases are plenty; more make a file of one screen fill the memory. */
const ALIASES_MAX = 100;

/** @param file as it shall stand in the faults */
export function readYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults = document.errors.map((error) => ({
    file,
    ...at(error.pos[0]),
    message: error.message.split('\n')[0] ?? 'is not YAML',
  }));
  let value: unknown = null;
  try {
    if (faults.length === 0) value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    // Aliases that name nothing, or that multiply.
    faults.push({ file, line: 1, column: 1, message: (error as Error).message });
  }
  const root = document.contents as ParsedNode | null;
  const startOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0);
  return {
    value,
    faults,
    positionOf: (path) => at(startOf(nodeAt(root, path))),
    keyPositionOf: (path) => {
      const parent = nodeAt(root, path.slice(0, -1));
      const name = path.at(-1);
      const pairs = isMap(parent) ? parent.items : [];
      const pair = pairs.find(({ key }) => (isScalar(key) ? key.value : key) === name);
      return at(startOf(pair?.key ?? nodeAt(root, path)));
    },
  };
}

function nodeAt(root: ParsedNode | null, path: YamlPath): unknown {
  let node: unknown = root;
  for (const step of path) {
    const next: unknown =
      isNode(node) && 'get' in node
        ? (node as { get(k: unknown, keep: true): unknown }).get(step, true)
        : undefined;
    if (!isNode(next)) return node;
    node = next;
  }
  return node;
}
