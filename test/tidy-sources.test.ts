import { describe, expect, test } from 'vitest';
import { ARROWS, roomOf } from './tidy-rules.ts';
import { functionsOf, importsOf, resolveImport, withoutComments } from './tidy-sources.ts';

describe('the reading of sources, on which all of this rests', () => {
  test('finds imports of every form, and tells types from values', () => {
    const code = [
      "import a, { type B } from 'one';",
      "import type { C } from './two.ts';",
      "import {\n  type D,\n  type E,\n} from '../three.ts';",
      "export { f } from './four.ts';",
      "import './five.ts';",
      "const g = await import('six');",
      "type H = typeof import('seven');",
    ].join('\n');
    const found = importsOf(code).map((one) => `${one.typeOnly ? 'type ' : ''}${one.specifier}`);
    expect(found.sort()).toEqual(
      [
        ...['one', 'type ./two.ts', 'type ../three.ts', './four.ts', './five.ts', 'six'],
        'type seven',
      ].sort(),
    );
  });

  test('passes over comments, not over what only looks like one', () => {
    const code = withoutComments(
      "a(); // Date.now\nb('// kept'); /* Math.random\n */ c('s3://x/y');",
    );
    expect(code).not.toMatch(/Date|Math/);
    expect(code).toContain("b('// kept')");
    expect(code).toContain("c('s3://x/y')");
    expect(code.split('\n')).toHaveLength(3);
  });

  test('measures functions, methods and arrows, also with a signature of several lines', () => {
    const body = Array(5).fill('    x();').join('\n');
    const code = [
      `export async function a(\n  b: string,\n): Promise<void> {\n${body}\n}`,
      `class C {\n  d(e: string): void {\n${body}\n  }\n}`,
      `const f = () => {\n${body}\n};`,
      `if (g(h)) {\n${body}\n}`,
    ].join('\n');
    expect(functionsOf(code).map((one) => one.lines)).toEqual([9, 7, 7]);
  });

  test('the breach of an arrow would be seen', () => {
    const target = resolveImport('src/domain/x.ts', '../ledger/ledger.ts');
    expect(roomOf(target)).toBe('ledger');
    expect(ARROWS.domain?.values).not.toContain('ledger');
    expect(roomOf(resolveImport('src/cli/commands/x.ts', '../../../stack/y.ts'))).toBe('stack');
  });
});
