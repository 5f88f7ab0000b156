/** The environment that services start with, and settings rendered from it. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';

/** The user's own settings of these tools must not leak into the stack's services. */
const FOREIGN = /^(AWS_|MINIO_|PG|SPARK_|TRINO_|TEMPORAL_|ICEWRIGHT_|JAVA_HOME$|CLASSPATH$)/;

/** The caller's environment without foreign settings, in UTC, with `own` on top. */
export function serviceEnvironment(own: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  return { ...Object.fromEntries(kept), TZ: 'UTC', ...own };
}

/** Replaces `${ENV:NAME}`, the form that Trino's own settings files use. */
export function renderTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\$\{ENV:([A-Z0-9_]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw new IcewrightError(
        'Internal',
        `a settings template asks for ${name}, which is not set`,
      );
    }
    return value;
  });
}

/** The folder of a JDK, given that folder or its `bin/java`. */
export function javaHome(given: string): string {
  return basename(given) === 'java' ? dirname(dirname(given)) : given;
}

/** A tool of a JDK. Rejects with `PrerequisiteMissing` where it is only a runtime. */
export function javaTool(given: string, tool: 'java' | 'javac'): string {
  const path = join(javaHome(given), 'bin', tool);
  if (existsSync(path)) return path;
  throw new IcewrightError(
    'PrerequisiteMissing',
    `${path} does not exist: install a full JDK (not only a runtime) and set JAVA_HOME to it`,
  );
}
