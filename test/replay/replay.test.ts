/**
 * Every workflow must be able to go on with histories that earlier versions of it wrote. Replay
 * needs no server. `node test/replay/record.ts` adds the histories of a version before it is released.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import * as workflows from '../../src/workflows/index.ts';

const FOLDER = fileURLToPath(new URL('histories', import.meta.url));
const WORKFLOWS = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json.gz'));

let bundle: Awaited<ReturnType<typeof bundleWorkflowCode>>;

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  bundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger });
});

describe('recorded histories', () => {
  it('there are some of every workflow', () => {
    const recorded = new Set(files.map((name) => name.split('.')[0]));
    expect([...recorded].sort()).toEqual(Object.keys(workflows).sort());
  });

  it.each(files)('%s replays', async (name) => {
    const history: unknown = JSON.parse(gunzipSync(readFileSync(join(FOLDER, name))).toString());
    await Worker.runReplayHistory({ workflowBundle: bundle }, history as never);
  });
});
