/** How the tidy test reads sources: by text, without a compiler, as the formatter leaves them. */
import { dirname, join } from 'node:path/posix';

export interface ImportLine {
  readonly specifier: string;
  /** `import type …`, `export type … from`, or only `type` names between the braces. */
  readonly typeOnly: boolean;
}

/**
 * Blanks out comments and keeps every line where it was. Strings and templates stay: what looks
 * like a comment inside them is none.
 */
export function withoutComments(text: string): string {
  const pattern =
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|(?<![:\\/\w])\/\/[^\n]*/g;
  return text.replace(pattern, (found) =>
    found.startsWith('/*') || found.startsWith('//') ? found.replace(/[^\n]/g, ' ') : found,
  );
}

/** Static imports, re-exports and dynamic imports of a constant text. */
export function importsOf(code: string): readonly ImportLine[] {
  const found: ImportLine[] = [];
  const statics = /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s+['"]([^'"]+)['"]/gm;
  for (const [, keyword, names, specifier] of code.matchAll(statics)) {
    found.push({
      specifier: specifier as string,
      typeOnly: keyword !== undefined || onlyTypes(names ?? ''),
    });
  }
  for (const [, specifier] of code.matchAll(/^import\s+['"]([^'"]+)['"]/gm)) {
    found.push({ specifier: specifier as string, typeOnly: false });
  }
  for (const [, before, specifier] of code.matchAll(
    /(\btypeof\s+)?\bimport\(\s*['"]([^'"]+)['"]/g,
  )) {
    found.push({ specifier: specifier as string, typeOnly: before !== undefined });
  }
  return found;
}

function onlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  const parts = (inner ?? '').split(',').map((part) => part.trim());
  const named = parts.filter((part) => part !== '');
  return named.length > 0 && named.every((part) => part.startsWith('type '));
}

/** `./x.ts` as seen from a file → its path from the root; packages stay as they are. */
export function resolveImport(from: string, specifier: string): string {
  return specifier.startsWith('.') ? join(dirname(from), specifier) : specifier;
}

export interface FunctionSpan {
  /** First line, from 1. */
  readonly line: number;
  readonly lines: number;
}

/**
 * Functions, methods and arrow functions with a body, from their first line to the brace that
 * closes them: the formatter puts it on the same indentation. Groups of tests are no functions.
 */
export function functionsOf(code: string): readonly FunctionSpan[] {
  const lines = code.split('\n');
  return lines.flatMap((line, at) => {
    if (!opensFunction(line)) return [];
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    const end = lines.findIndex((other, index) => index > at && other.startsWith(`${indent}}`));
    return end < 0 ? [] : [{ line: at + 1, lines: end - at + 1 }];
  });
}

function opensFunction(line: string): boolean {
  const text = line.trim();
  if (/^describe\b/.test(text)) return false;
  if (/\bfunction\b.*[({]$/.test(text) || /=>\s*\{$/.test(text)) return true;
  const method = /^(?:(?:async|static|private|readonly|get|set|override)\s+)*\*?(\w+)\(.*[({]$/;
  const name = method.exec(text)?.[1];
  return name !== undefined && text.endsWith('{') && !/^(if|for|while|switch|catch)$/.test(name);
}
