/** Spark Connect: driver and executors in one process; its settings stand in stack/spark. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { PROJECT_DIR, writePrivate } from '../home.ts';
import { LOOPBACK } from '../ports.ts';
import { javaTool, renderTemplate, serviceEnvironment } from './environment.ts';
import { probePort } from './probe.ts';
import type { Service, StackContext } from './service.ts';

const MAIN_CLASS = 'org.apache.spark.sql.connect.service.SparkConnectServer';
const HEAP = '2g';

/** What Spark's own launcher opens on JDK 17 and later (JavaModuleOptions in Spark's sources). */
const OPENED_PACKAGES = [
  ...['lang', 'lang.invoke', 'lang.reflect', 'io', 'net', 'nio'].map((name) => `java.${name}`),
  ...['util', 'util.concurrent', 'util.concurrent.atomic'].map((name) => `java.${name}`),
  ...['jdk.internal.ref', 'sun.nio.ch', 'sun.nio.cs', 'sun.security.action', 'sun.util.calendar'],
];

export function buildSpark(context: StackContext): Service {
  const { home, ports, parts, versions } = context;
  const scratch = join(home.data, 'spark');
  return {
    name: 'spark',
    version: versions.spark,
    // The token stands among the credentials; an endpoint is shown to everybody.
    endpoint: `sc://${LOOPBACK}:${ports.spark}`,
    ports: ['spark'],
    needs: [],
    readyTimeoutMs: 300_000,
    stop: { signal: 'SIGTERM', timeoutMs: 10_000, rank: 1 },
    prepare: async () => {
      // Only shuffle files and session artifacts lie here; a killed server leaves its own behind.
      await rm(scratch, { recursive: true, force: true });
      await mkdir(scratch, { recursive: true });
      const argumentFile = join(home.run, 'spark.args');
      writePrivate(argumentFile, await sparkArguments(context, scratch));
      return {
        file: javaTool(parts.javaForSpark, 'java'),
        args: [`@${argumentFile}`, MAIN_CLASS],
        env: serviceEnvironment({ SPARK_LOCAL_IP: LOOPBACK, AWS_EC2_METADATA_DISABLED: 'true' }),
        cwd: scratch,
      };
    },
    probe: () => probePort(ports.spark),
  };
}

/** A file of arguments for `java`: the class path is long, and tokens stay out of process lists. */
async function sparkArguments(context: StackContext, scratch: string): Promise<string> {
  const folder = join(PROJECT_DIR, 'stack', 'spark');
  const cores = availableParallelism();
  const conf = renderTemplate(await readFile(join(folder, 'spark-defaults.conf'), 'utf8'), {
    ...context.settings,
    ICEWRIGHT_SPARK_BIND: LOOPBACK,
    ICEWRIGHT_SPARK_PORT: String(context.ports.spark),
    ICEWRIGHT_SPARK_TOKEN: context.credentials.sparkToken,
    ICEWRIGHT_SPARK_SCRATCH: scratch,
    ICEWRIGHT_SPARK_SHUFFLE_PARTITIONS: String(Math.max(4, 2 * cores)),
  });
  const lines = [
    ...OPENED_PACKAGES.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    '--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED',
    '-Djdk.reflect.useDirectMethodHandle=false',
    '-Dio.netty.tryReflectionSetAccessible=true',
    '-Duser.timezone=UTC',
    `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
    `-Djava.io.tmpdir=${scratch}`,
    `-Xmx${HEAP}`,
    '-XX:+UseG1GC',
    '-XX:+ExitOnOutOfMemoryError',
    ...parseConf(conf).map(([key, value]) => `-D${key}=${value}`),
    `-cp\n${quote(context.parts.sparkClasspath)}`,
  ];
  return `${lines.map((line) => (line.startsWith('-cp\n') ? line : quote(line))).join('\n')}\n`;
}

/** `key value` lines, as in Spark's own file. */
export function parseConf(text: string): readonly (readonly [string, string])[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [key = '', ...value] = line.split(/\s+/);
      return [key, value.join(' ')] as const;
    });
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
