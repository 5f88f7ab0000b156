/**
 * The rules of the house, enforced on the sources: who may import whom, where each driver lives,
 * what pure code may touch, and how long things may be. Design: the arrows point inward only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ARROWS, DRIVERS, roomOf } from './tidy-rules.ts';
import {
  functionsOf,
  type ImportLine,
  importsOf,
  resolveImport,
  withoutComments,
} from './tidy-sources.ts';

const ROOT = join(import.meta.dirname, '..');
const PASSED_OVER = new Set(['node_modules', '.git', 'dist', 'coverage']);

function listFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (PASSED_OVER.has(entry.name) || entry.name.startsWith('.icewright')) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return listFiles(path);
    return entry.isFile() ? [relative(ROOT, path).split(sep).join('/')] : [];
  });
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly code: string;
  readonly imports: readonly ImportLine[];
}

const ALL = listFiles(ROOT);
const SOURCES: readonly SourceFile[] = ALL.filter((path) => /\.(ts|mts|mjs|js)$/.test(path)).map(
  (path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const code = withoutComments(text);
    return { path, text, code, imports: importsOf(code) };
  },
);
const HOUSE = SOURCES.filter((file) => file.path.startsWith('src/'));

/** Every breach as `file: what`; a rule holds when there is none. */
function breaches(files: readonly SourceFile[], find: (file: SourceFile) => readonly string[]) {
  return files.flatMap((file) => find(file).map((what) => `${file.path}: ${what}`));
}

function isPackage(specifier: string, name: string): boolean {
  if (name.endsWith('/')) return specifier.startsWith(name);
  return specifier === name || specifier.startsWith(`${name}/`);
}

describe('arrows', () => {
  test('every room under src/ has its row', () => {
    const rooms = new Set(HOUSE.map((file) => roomOf(file.path)));
    const unknown = [...rooms].filter((room) => room !== 'worker' && !(room in ARROWS));
    expect(unknown).toEqual([]);
  });

  test('point inward only', () => {
    const found = breaches(HOUSE, (file) => {
      const room = roomOf(file.path);
      const arrows = ARROWS[room];
      if (arrows === undefined) return [];
      return file.imports
        .filter((one) => one.specifier.startsWith('.'))
        .filter((one) => {
          const target = roomOf(resolveImport(file.path, one.specifier));
          const seen = one.typeOnly && arrows.types?.includes(target);
          return target !== room && !arrows.values.includes(target) && !seen;
        })
        .map((one) => `${one.typeOnly ? 'type of ' : ''}${one.specifier}`);
    });
    expect(found).toEqual([]);
  });

  test('workflows see of activities only types, and no schema', () => {
    const workflows = HOUSE.filter((file) => file.path.startsWith('src/workflows/'));
    const allowed = ['@temporalio/workflow', '@temporalio/common'];
    const found = breaches(workflows, (file) =>
      file.imports
        .filter(({ specifier }) => {
          if (!specifier.startsWith('.')) return !allowed.includes(specifier);
          return specifier.endsWith('.schema.ts');
        })
        .map((one) => one.specifier),
    );
    expect(found).toEqual([]);
  });

  test('the embedded stack is reached from the command line and tests alone', () => {
    const found = breaches(HOUSE, (file) =>
      file.path.startsWith('src/cli/')
        ? []
        : file.imports
            .filter((one) => resolveImport(file.path, one.specifier).startsWith('stack/'))
            .map((one) => one.specifier),
    );
    expect(found).toEqual([]);
  });
});

describe('drivers', () => {
  const outside = SOURCES.filter((file) => !file.path.startsWith('test/'));

  test.each(Object.entries(DRIVERS))('%s is imported in %j alone', (name, folders) => {
    const found = breaches(outside, (file) =>
      folders.some((folder) => file.path.startsWith(folder))
        ? []
        : file.imports
            .filter((one) => !one.typeOnly && isPackage(one.specifier, name))
            .map((one) => one.specifier),
    );
    expect(found).toEqual([]);
  });

  test('zod checks at the edges: schema files and the configuration', () => {
    const found = breaches(HOUSE, (file) => {
      const pure = /^src\/(domain|workflows)\//.test(file.path);
      const edge = file.path.endsWith('.schema.ts') || file.path === 'src/config.ts';
      return file.imports
        .filter((one) => isPackage(one.specifier, 'zod') && !edge && (pure || !one.typeOnly))
        .map((one) => one.specifier);
    });
    expect(found).toEqual([]);
  });

  test('the domain has no dependency but zod in its schema files', () => {
    const domain = HOUSE.filter((file) => file.path.startsWith('src/domain/'));
    const found = breaches(domain, (file) =>
      file.imports
        .map((one) => one.specifier)
        .filter(
          (name) => !name.startsWith('.') && !(name === 'zod' && /\.schema\.ts$/.test(file.path)),
        ),
    );
    expect(found).toEqual([]);
  });
});

describe('pure code', () => {
  const IMPURE = [
    /\bMath\.random\b/,
    /\bperformance\.now\b/,
    /\brandomUUID\b/,
    /\bprocess\.\w/,
    /['"]node:/,
    /\bfetch\(/,
    /\bset(Timeout|Interval|Immediate)\(/,
  ];
  const CLOCK = [/\bDate\.now\b/, /\bnew Date\(\s*\)/];

  function uses(folder: string, patterns: readonly RegExp[]): readonly string[] {
    const files = HOUSE.filter((file) => file.path.startsWith(folder));
    expect(files.length).toBeGreaterThan(0);
    return breaches(files, ({ code }) => patterns.filter((one) => one.test(code)).map(String));
  }

  test('the domain has no clock, no chance, no process and no I/O', () => {
    expect(uses('src/domain/', [...IMPURE, ...CLOCK])).toEqual([]);
  });

  test('workflows have none either, but for the clock, which replays by their history', () => {
    expect(uses('src/workflows/', IMPURE)).toEqual([]);
  });
});

describe('size', () => {
  test('files have at most 300 lines', () => {
    const found = breaches(SOURCES, ({ text }) => {
      const lines = text.trimEnd().split('\n').length;
      return lines > 300 ? [`${lines} lines`] : [];
    });
    expect(found).toEqual([]);
  });

  test('functions have at most 70 lines', () => {
    const found = breaches(SOURCES, ({ code }) =>
      functionsOf(code)
        .filter((one) => one.lines > 70)
        .map((one) => `line ${one.line}: ${one.lines} lines`),
    );
    expect(found).toEqual([]);
  });

  test('lines have at most 100 columns; one quoted text may reach 120, tests quote longer', () => {
    const limitOf = (line: string) => (/['"`/].*['"`/]/.test(line) ? 120 : 100);
    const found = breaches(
      SOURCES.filter((file) => !file.path.startsWith('test/')),
      ({ text }) =>
        text
          .split('\n')
          .flatMap((line, at) => (line.length > limitOf(line) ? [`line ${at + 1}`] : [])),
    );
    expect(found).toEqual([]);
  });
});

describe('texts', () => {
  test('no test is skipped, focused or left for later', () => {
    const tests = SOURCES.filter((file) => file.path.startsWith('test/'));
    const pattern = /\b(test|it|describe|suite)\.(skip|only|todo|skipIf|runIf|fails)\b/;
    expect(breaches(tests, ({ code }) => (pattern.test(code) ? ['skips'] : []))).toEqual([]);
  });

  test('no package registry and no path of one machine is named', () => {
    // Put together here, so that this file does not name them either.
    const hosts = [
      ['registry', 'npmjs'],
      ['registry', 'yarnpkg'],
      ['repo1', 'maven'],
      ['repo', 'maven', 'apache'],
      ['proxy', 'golang'],
      ['sum', 'golang'],
      ['files', 'pythonhosted'],
      ['static', 'crates'],
    ].map((parts) => parts.join('.'));
    // The catalog's image keeps its data in its own user's home: that is no path of ours.
    const folders = ['work/', 'tmp/', 'root/', 'home/(?!iceberg)'];
    const paths = folders.map((folder) => `["'\`\\s(=:]/${folder}`);
    const pattern = new RegExp(
      [...hosts.map((host) => host.replaceAll('.', '\\.')), ...paths].join('|'),
    );
    const found = ALL.flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      // A file with a zero byte is no text.
      const hit = text.includes('\0') ? null : pattern.exec(text);
      return hit === null ? [] : [`${path}: ${hit[0].trim()}`];
    });
    expect(found).toEqual([]);
  });
});
