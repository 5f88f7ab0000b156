/** What the supervisor has to know of a service, and nothing more. */
import type { Credentials } from '../credentials.ts';
import type { StackHome } from '../home.ts';
import type { PortName, StackPorts } from '../ports.ts';
import type { Settings } from '../settings.ts';

/** Where the provisioned parts lie: absolute paths; class paths joined by `:`. */
export interface StackParts {
  readonly temporal: string;
  readonly minio: string;
  /** With only the needed plugins. */
  readonly trinoHome: string;
  readonly sparkClasspath: string;
  readonly catalogClasspath: string;
  /** A JDK's folder, or its `bin/java`. */
  readonly javaForSpark: string;
  readonly javaForTrino: string;
  readonly node: string;
  /** The folder of `prometheus` and `promtool`, where they are to be had. */
  readonly prometheus?: string;
}

export const SERVICE_NAMES = [
  'postgres',
  'minio',
  'temporal',
  'catalog',
  'trino',
  'spark',
  'worker',
  'prometheus',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A stack is up without these, also when they fail. */
export const OPTIONAL_SERVICES: readonly string[] = ['prometheus'] satisfies ServiceName[];

/** A command to run, without a shell. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface StopRule {
  readonly signal: 'SIGTERM' | 'SIGINT';
  /** After this, SIGKILL. */
  readonly timeoutMs: number;
  /** Stopped in ascending order, equal ones together: users before what they use. */
  readonly rank: number;
}

export interface Service {
  readonly name: string;
  readonly version: string;
  readonly endpoint: string;
  /** Ports it listens on; empty for none that is fixed. */
  readonly ports: readonly PortName[];
  /** Started only once these are ready. */
  readonly needs: readonly string[];
  readonly readyTimeoutMs: number;
  readonly stop: StopRule;
  /** Writes what the process needs, and says how to start it. Run before every start. */
  prepare(): Promise<Launch>;
  /** Whether it serves requests now. Never rejects. */
  probe(): Promise<boolean>;
}

/** What every service is built from. */
export interface StackContext {
  readonly home: StackHome;
  readonly ports: StackPorts;
  readonly parts: StackParts;
  readonly credentials: Credentials;
  readonly settings: Settings;
  readonly versions: Readonly<Record<ServiceName, string>>;
}
