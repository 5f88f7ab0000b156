/** The codec on plain Node, as worker and commands run: how tests load packages is more lenient. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PROJECT_DIR } from '../../src/config.ts';
import { newHexKey } from '../proof/fixture.ts';

const SCRIPT = `
const { openDataConverter } = await import(process.argv[1]);
const { loadDataConverter } = (await import('@temporalio/common/lib/internal-non-workflow/index.js')).default;
const keys = { keys: process.argv[2], keysFile: undefined };
const { payloadCodecs: [codec], payloadConverter, failureConverter } = loadDataConverter(openDataConverter(keys));
const payload = payloadConverter.toPayload({ where: 'id = 42', none: null });
const stored = await codec.encode([payload]);
const [read] = await codec.decode(stored);
const failure = failureConverter.errorToFailure(new Error('id = 42'), payloadConverter);
console.log(JSON.stringify({
  names: Object.keys(stored[0].metadata),
  clear: Buffer.from(stored[0].data).includes('42'),
  read: payloadConverter.fromPayload(read),
  failure: failure.message,
}));
`;

test('encrypts, decrypts, and hides the messages of failures', async () => {
  const codec = join(PROJECT_DIR, 'src/temporal/codec.ts');
  const words = ['--input-type=module', '--eval', SCRIPT, codec, `k1:${newHexKey()}`];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: PROJECT_DIR });
  expect(JSON.parse(stdout)).toEqual({
    names: ['encoding', 'encryption-cipher', 'encryption-key-id'],
    clear: false,
    read: { where: 'id = 42', none: null },
    failure: 'Encoded failure',
  });
});
