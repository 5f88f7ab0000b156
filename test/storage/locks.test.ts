/** Locks of single objects, told by a store of one page per object that speaks S3 over HTTP. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createObjectStore } from '../../src/storage/object-store.ts';

const OBJECTS = 40;
let server: Server;
afterEach(() => {
  server.close();
});

/** @param locked number of the object that is under a legal hold */
async function findLock(locked: number | null): Promise<string | null> {
  server = createServer(({ method, url = '/' }, answer) => {
    const { searchParams: asked, pathname } = new URL(url, 'http://store');
    if (method === 'HEAD') {
      if (pathname.endsWith(`/${locked}`)) answer.setHeader('x-amz-object-lock-legal-hold', 'ON');
      return answer.writeHead(pathname.endsWith('/7') ? 404 : 200).end();
    }
    if (asked.has('object-lock')) {
      return answer.end(
        '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>',
      );
    }
    const at = Number(asked.get('key-marker')?.split('/').at(-1) ?? -1) + 1;
    answer.end(`<ListVersionsResult><IsTruncated>${at < OBJECTS - 1}</IsTruncated>
      <NextKeyMarker>t/${at}</NextKeyMarker><Version><Key>t/${at}</Key><VersionId>v</VersionId>
      <IsLatest>true</IsLatest><Size>1</Size></Version></ListVersionsResult>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' };
  const endpoint = `http://127.0.0.1:${port}`;
  const store = createObjectStore({ endpoint, region: 'eu', pathStyle: true, ...keys });
  const found = await store.findLock('s3://lake/t/');
  store.close();
  return found;
}

it.each([
  ['on the first page', 0, 'an object of it is under a legal hold'],
  ['on the last page', OBJECTS - 1, 'an object of it is under a legal hold'],
  ['on none', null, null],
])('a lock %s is told', async (_, locked, told) => {
  expect(await findLock(locked)).toBe(told);
});
