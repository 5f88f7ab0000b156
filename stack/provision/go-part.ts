/** A part that is one Go program, built from its module at the pinned version. */
import { isComplete, partFolder } from './layout.mjs';
import type { Part } from './part.ts';
import { PINS } from './pins.ts';

export function goPart(name: 'temporal' | 'minio', cache: string): Part {
  const { version, module } = PINS[name];
  const folder = partFolder(name, cache);
  return {
    title: `${name} ${version}`,
    verb: 'building',
    folder,
    isUsable: () => isComplete(name, folder),
    build: (draft, { run }) =>
      run({
        file: 'go',
        // Without symbol tables, which nobody debugs here: a third smaller.
        args: ['install', '-ldflags=-s -w', `${module}@v${version}`],
        cwd: draft,
        // Built for this machine, whatever the caller cross-compiles for. It names the program
        // after its module's last element, as PART_FILES does.
        env: { GOBIN: draft, GOOS: '', GOARCH: '', GOWORK: 'off', GOTELEMETRY: 'off' },
        attempts: 2,
      }),
  };
}
