import { describe, expect, test } from 'vitest';
import type { SignedCertificate } from '../../../src/domain/erasure/certificate.ts';
import { renderHtml, renderMarkdown } from '../../../src/domain/erasure/render.ts';
import { certificate } from '../../proof/fixture.ts';

function signed(change = {}): SignedCertificate {
  return {
    certificate: certificate(change),
    chain: { entry: 7, previous: '00'.repeat(32), digest: '11'.repeat(32) },
    signature: { algorithm: 'Ed25519', keyId: '22'.repeat(8), publicKey: 'pk', value: 'sig==' },
  };
}

describe.each([
  ['Markdown', renderMarkdown],
  ['HTML', renderHtml],
])('a certificate in %s', (name, render) => {
  test('says what, who, when, per table, how it was checked, and what remains', () => {
    const text = render(signed());
    const plain = name === 'HTML' ? text : text.replaceAll('\\', '');
    for (const part of [
      'The data of one customer were erased: 3 rows in 1 table.',
      'A second reader then read the storage itself and found no trace.',
      '2026-11-21T02:00:00.000Z by cli:ana',
      '2026-11-21T02:00:00.000Z by cli:ben',
      'after 1 day',
      'Art. 17(1)(b)',
      'lake.silver.orders',
      'no end is known',
      'icewright erase verify c1',
      '11'.repeat(32),
      '22'.repeat(8),
    ]) {
      expect(plain).toContain(part);
    }
  });

  test('tells an unknown subject, and what does not add up', () => {
    const nothing = render(signed({ tables: [], sources: [], approvedAt: null, approvedBy: null }));
    expect(nothing).toContain('No data of this customer were found');
    expect(nothing).toContain('not needed: nothing was found');
    const { tables, verification } = certificate();
    const wrong = tables.map((one) => ({ ...one, oracle: { ...one.oracle, othersAfter: '6' } }));
    const trace = {
      pathHash: 'aa',
      versionId: null,
      kind: 'data',
      identifier: 'email',
      how: 'row',
    };
    const traced = verification.tables.map((one) => ({
      ...one,
      traces: [trace],
      tracesFound: 1,
    }));
    const text = render(
      signed({ tables: wrong, verification: { ...verification, tables: traced } }),
    );
    expect(text).toContain('THE SECOND READER STILL FOUND 1 TRACES');
    expect(text).toMatch(/CHANGED.*NO/);
  });

  test('lets no text become markup', () => {
    const evil = '</p><script>alert(1)</script> | [x](http://x) \n# h ![](y) "\' &amp; `c`';
    const text = render(signed({ ground: evil, requestedBy: evil, subject: evil }));
    expect(text).not.toMatch(/<script>|<\/p><s/);
    if (name === 'HTML') {
      expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
      expect(text).toContain('&quot;&#39; &amp;amp;');
    } else {
      expect(text).not.toMatch(/^# h/m);
      expect(text).not.toMatch(/[^\\]\[x[^\\]/);
      const cells = text.split('\n').filter((line) => line.startsWith('| '));
      for (const line of cells) expect(line).toMatch(/^\|.*\|$/);
    }
  });
});

describe('limits and refs', () => {
  const render = renderMarkdown;

  test('tells what it cannot say, and does not call that nothing', () => {
    const { verification, tables } = certificate();
    const limits = [
      { kind: 'shared_value', identifier: 'full_name', objects: 0 },
      { kind: 'unknown_format', identifier: null, objects: 8 },
    ] as const;
    const seen = verification.tables.map((one) => ({ ...one, limits }));
    const text = render(signed({ verification: { ...verification, tables: seen } }));
    expect(text).toContain('found no trace, within the limits that are told below.');
    expect(text).toMatch(/rows of other people hold it as well.*full.?_name/s);
    expect(text).toMatch(/searched as bytes.*8/s);
    const [one] = tables as readonly [(typeof tables)[number]];
    const lost = { ...one, action: 'none', because: 'it cannot be read', table: 'lake.a.lost' };
    const unread = render(signed({ tables: [...tables, lost] }));
    expect(unread).toContain('within the limits');
    expect(unread).toMatch(/it was not read.*lake.a.lost/s);
  });

  test('tells rows that only tags and branches held', () => {
    const tables = certificate().tables.map((one) => ({
      ...one,
      rowsMatched: 0,
      rowsElsewhere: 2,
    }));
    const text = render(signed({ tables, sources: [] }));
    expect(text).toContain('were erased: 0 rows in 2 tables, and 4 in tags and branches');
  });
});

test('the page loads nothing and runs nothing', () => {
  const page = renderHtml(signed());
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<(script|link|img|iframe)|\b(src|href)=|url\(|@import/);
});
