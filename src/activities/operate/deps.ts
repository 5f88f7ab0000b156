/** What an operation needs from outside. */
import type { EngineName, EngineRunner } from '../../domain/engine.ts';
import type { Ledger } from '../ledger-port.ts';
import type { Catalog, Compiler, Meter, Project } from '../ports.ts';
import type { TableFiles } from '../table-files.ts';
import type { Rollback } from './rollback.ts';

export interface OperateDeps {
  readonly catalog: Catalog & Rollback;
  readonly files: TableFiles;
  readonly ledger: Ledger;
  readonly project: Project;
  readonly meter: Meter;
  readonly engines: Readonly<Record<EngineName, { runner: EngineRunner; compiler: Compiler }>>;
  readonly nowMs: () => number;
}
