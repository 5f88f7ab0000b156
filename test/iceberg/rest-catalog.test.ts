import { afterEach, describe, expect, it } from 'vitest';
import {
  createRestCatalog,
  type RestCatalog,
  type RestCatalogOptions,
} from '../../src/iceberg/rest-catalog.ts';
import { type Asked, type CatalogStub, type Reply, startCatalogStub } from './catalog-stub.ts';

const TABLE = { catalog: 'lake', namespace: 'a.b', name: 't' };
/** An id that no double can hold: it must come out digit for digit. */
const SNAPSHOT = '9007199254740993111';
const METADATA = `{"format-version":2,"table-uuid":"u1","location":"s3://b/t","last-updated-ms":1,
  "current-schema-id":0,"schemas":[{"schema-id":0,"type":"struct","fields":[]}],
  "partition-specs":[{"spec-id":0,"fields":[]}],"default-spec-id":0,
  "current-snapshot-id":${SNAPSHOT},"snapshots":[{"snapshot-id":${SNAPSHOT},"sequence-number":1,
  "timestamp-ms":5,"manifest-list":"s3://b/l.avro","summary":{"operation":"append"}}]}`;
const LOADED = `{"metadata-location":"s3://b/t/m.json","metadata":${METADATA}}`;

let stub: CatalogStub;
let catalog: RestCatalog;
afterEach(() => stub.close());

type Script = (asked: Asked, path: string) => Reply;

async function given(script: Script, options: Partial<RestCatalogOptions> = {}): Promise<void> {
  stub = await startCatalogStub((asked) => script(asked, asked.url.replace(/\?.*$/, '')));
  const readObject = () => Promise.reject(new Error('no objects here'));
  catalog = createRestCatalog({ name: 'lake', url: stub.url, readObject, ...options });
}

const config = (overrides: Record<string, string> = {}): Reply => ({
  body: { defaults: {}, overrides },
});

describe('the catalog client', () => {
  it('keeps 64-bit snapshot ids exact', async () => {
    await given((_asked, path) => (path === '/v1/config' ? config() : { body: LOADED }));
    const { metadata, metadataLocation } = await catalog.loadTable(TABLE);
    expect(metadata.currentSnapshotId).toBe(SNAPSHOT);
    expect(metadata.snapshots[0]?.snapshotId).toBe(SNAPSHOT);
    expect(metadataLocation).toBe('s3://b/t/m.json');
  });

  it('uses warehouse, prefix and separator as the catalog wants them', async () => {
    const overrides = { prefix: 'ws/1', 'namespace-separator': '%2E' };
    await given((_asked, path) => (path === '/v1/config' ? config(overrides) : { body: LOADED }), {
      warehouse: 'w h',
    });
    await catalog.loadTable(TABLE);
    expect(stub.asked.map((one) => one.url)).toEqual([
      '/v1/config?warehouse=w+h',
      '/v1/ws/1/namespaces/a%2Eb/tables/t?snapshots=all',
    ]);
  });

  it('joins the levels of a namespace by the unit separator unless told otherwise', async () => {
    await given((_asked, path) => (path === '/v1/config' ? config() : { body: LOADED }));
    await catalog.loadTable(TABLE);
    expect(stub.asked[1]?.url).toBe('/v1/namespaces/a%1Fb/tables/t?snapshots=all');
  });

  it('asks with the tag of what it remembers', async () => {
    await given((asked, path) => {
      if (path === '/v1/config') return config();
      if (asked.headers['if-none-match'] === '"e1"') return { status: 304, body: '' };
      return { body: LOADED, headers: { ETag: '"e1"' } };
    });
    expect((await catalog.loadTable(TABLE)).notModified).toBe(false);
    const again = await catalog.loadTable(TABLE);
    expect(again.notModified).toBe(true);
    expect(again.metadata.tableUuid).toBe('u1');
    expect((await catalog.loadTable(TABLE, { fresh: true })).notModified).toBe(false);
  });

  it('remembers no more than it may', async () => {
    await given(
      (_asked, path) =>
        path === '/v1/config' ? config() : { body: LOADED, headers: { ETag: 'e' } },
      { cacheBytes: LOADED.length * 1.5 },
    );
    await catalog.loadTable({ ...TABLE, name: 'one' });
    await catalog.loadTable({ ...TABLE, name: 'two' });
    await catalog.loadTable({ ...TABLE, name: 'one' });
    expect(stub.asked.at(-1)?.headers['if-none-match']).toBeUndefined();
  });

  it('lists nested namespaces and pages', async () => {
    const pages: Record<string, unknown> = {
      '/v1/namespaces|': { namespaces: [['a']], 'next-page-token': 'p2' },
      '/v1/namespaces|p2': { namespaces: [['z']] },
      '/v1/namespaces|a': { namespaces: [['a', 'b']] },
      '/v1/namespaces/a/tables|': {
        identifiers: [{ namespace: ['a'], name: 't2' }],
        'next-page-token': 'x',
      },
      '/v1/namespaces/a/tables|x': { identifiers: [{ namespace: ['a'], name: 't1' }] },
      '/v1/namespaces/a%1Fb/tables|': { identifiers: [{ namespace: ['a', 'b'], name: 't' }] },
      '/v1/namespaces/z/tables|': { identifiers: [] },
    };
    await given((asked, path) => {
      if (path === '/v1/config') return config();
      const query = new URL(asked.url, stub.url).searchParams;
      const page = pages[`${path}|${query.get('pageToken') || query.get('parent') || ''}`];
      return page === undefined ? { status: 404 } : { body: page };
    });
    expect(await catalog.listNamespaces()).toEqual(['a', 'a.b', 'z']);
    const tables = await catalog.listTables();
    expect(tables.map((one) => `${one.namespace}.${one.name}`)).toEqual(['a.b.t', 'a.t1', 'a.t2']);
  });
});

describe('who the client is', () => {
  it('sends no authorization when it has none', async () => {
    await given(() => config());
    await catalog.listTables().catch(() => null);
    expect(stub.asked[0]?.headers.authorization).toBeUndefined();
  });

  it('sends a bearer token', async () => {
    await given(() => config(), { token: 't0k' });
    await catalog.listTables().catch(() => null);
    expect(stub.asked[0]?.headers.authorization).toBe('Bearer t0k');
  });

  const oauth = (lifeSeconds: number): Script => {
    let tokens = 0;
    return (_asked, path) => {
      if (path === '/v1/oauth/tokens') {
        tokens += 1;
        return { body: { access_token: `token${tokens}`, expires_in: lifeSeconds } };
      }
      return path === '/v1/config' ? config() : { body: LOADED };
    };
  };

  it('gets a token for id and secret, once', async () => {
    await given(oauth(3600), { credential: 'me:se:cret', scope: 'PRINCIPAL_ROLE:ALL' });
    await catalog.loadTable(TABLE);
    await catalog.loadTable(TABLE);
    const asked = stub.asked.filter((one) => one.url === '/v1/oauth/tokens');
    expect(asked.length).toBe(1);
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'me',
      client_secret: 'se:cret',
      scope: 'PRINCIPAL_ROLE:ALL',
    });
    expect(stub.asked.at(-1)?.headers.authorization).toBe('Bearer token1');
  });

  it('gets another one when the first has run out', async () => {
    await given(oauth(0.000001), { credential: 'me:secret' });
    await catalog.loadTable(TABLE);
    await catalog.loadTable(TABLE);
    expect(stub.asked.filter((one) => one.url === '/v1/oauth/tokens').length).toBeGreaterThan(1);
  });

  it('gets another one when the catalog no longer takes it', async () => {
    const script = oauth(3600);
    await given(
      (asked, path) =>
        path.endsWith('/t') && asked.headers.authorization === 'Bearer token1'
          ? { status: 401 }
          : script(asked, path),
      { credential: 'me:secret' },
    );
    expect((await catalog.loadTable(TABLE)).metadata.tableUuid).toBe('u1');
  });

  it('says CredentialsRejected when the token server refuses', async () => {
    await given(() => ({ status: 401, body: { error: 'invalid_client' } }), { credential: 'a:b' });
    await expect(catalog.listTables()).rejects.toMatchObject({ code: 'CredentialsRejected' });
  });
});

describe('what goes wrong', () => {
  const failing = (reply: Reply): Script => {
    return (_asked, path) => (path === '/v1/config' ? config() : reply);
  };

  it.each([
    [401, 'CredentialsRejected'],
    [403, 'CredentialsRejected'],
    [404, 'TableNotFound'],
    [406, 'CatalogRejected'],
    [429, 'CatalogUnavailable'],
    [500, 'CatalogUnavailable'],
    [503, 'CatalogUnavailable'],
  ])('HTTP %i is %s', async (status, code) => {
    await given(
      failing({ status, body: { error: { message: 'because', type: 'X', code: status } } }),
    );
    await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ code });
  });

  it('an unreachable catalog is CatalogUnavailable and named', async () => {
    await given(() => config());
    await stub.close();
    const error = await catalog.loadTable(TABLE).catch((cause: Error) => cause);
    expect(error).toMatchObject({ code: 'CatalogUnavailable' });
    expect((error as Error).message).toContain(stub.url);
    expect((error as Error).message).toContain('ECONNREFUSED');
  });

  it('is asked anew after a failed configuration', async () => {
    let count = 0;
    await given((_asked, path) => {
      if (path !== '/v1/config') return { body: LOADED };
      count += 1;
      return count === 1 ? { status: 503 } : config();
    });
    await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ code: 'CatalogUnavailable' });
    expect((await catalog.loadTable(TABLE)).metadata.tableUuid).toBe('u1');
  });

  it.each([
    ['no JSON', '<html>hello</html>', 'did not answer with JSON'],
    ['no metadata', '{"metadata": {"format-version": 2}}', 'table-uuid'],
    [
      'a version to come',
      LOADED.replace('"format-version":2', '"format-version":4'),
      'format-version',
    ],
  ])('%s is CatalogRejected and says where', async (_title, body, part) => {
    await given(failing({ body }));
    const error = await catalog.loadTable(TABLE).catch((cause: Error) => cause);
    expect(error).toMatchObject({ code: 'CatalogRejected' });
    expect((error as Error).message).toContain(part);
    expect((error as Error).message).toContain('lake.a.b.t');
  });
});

describe('what the catalog allows', () => {
  const COMMIT = 'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}';
  const LOAD = 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}';
  const options = { nowMs: 1, depth: 'metadata' } as const;
  const told = (endpoints: readonly string[] | null, etag: string | null): Script => {
    const body = { defaults: {}, overrides: {}, ...(endpoints === null ? {} : { endpoints }) };
    const headers = etag === null ? {} : { etag };
    const empty = LOADED.replace(`"current-snapshot-id":${SNAPSHOT}`, '"current-snapshot-id":-1');
    return (_asked, path) => (path === '/v1/config' ? { body } : { body: empty, headers });
  };

  it.each([
    [null, '"e"', { acceptsCommits: true, sendsEtags: true }],
    [[LOAD, COMMIT], null, { acceptsCommits: true, sendsEtags: false }],
    [[LOAD], '"e"', { acceptsCommits: false, sendsEtags: true }],
  ])('endpoints %j and ETag %j', async (endpoints, etag, traits) => {
    await given(told(endpoints, etag));
    const health = await catalog.measureTable(TABLE, options);
    expect(health.traits).toEqual({ ...traits, trinoFloors: null });
  });
});
