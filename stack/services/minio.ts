/** The object store: MinIO, one drive, the S3 API only. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LOOPBACK } from '../ports.ts';
import { BUCKET, REGION } from '../settings.ts';
import { serviceEnvironment } from './environment.ts';
import { probeHttp } from './probe.ts';
import type { Service, StackContext } from './service.ts';

export function buildMinio({ home, ports, parts, credentials, versions }: StackContext): Service {
  const address = `${LOOPBACK}:${ports.s3}`;
  const folder = join(home.data, 'minio');
  return {
    name: 'minio',
    version: versions.minio,
    endpoint: `http://${address}`,
    ports: ['s3'],
    needs: [],
    readyTimeoutMs: 60_000,
    stop: { signal: 'SIGTERM', timeoutMs: 5_000, rank: 3 },
    prepare: async () => {
      // On one drive a top folder is a bucket: no client is needed to create it.
      await mkdir(join(folder, BUCKET), { recursive: true });
      return {
        file: parts.minio,
        args: ['server', '--quiet', '--address', address, folder],
        env: serviceEnvironment({
          MINIO_ROOT_USER: credentials.accessKeyId,
          MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
          MINIO_REGION: REGION,
          MINIO_BROWSER: 'off',
          MINIO_UPDATE: 'off',
          // Its background scanner walks every object; nothing here needs what it finds.
          MINIO_SCANNER_SPEED: 'slowest',
          GOMEMLIMIT: '512MiB',
        }),
        cwd: home.run,
      };
    },
    probe: () => probeHttp(`http://${address}/minio/health/ready`),
  };
}
