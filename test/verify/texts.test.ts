import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSearch, foldBytes } from '../../src/verify/search.ts';
import { createTextSearch } from '../../src/verify/texts.ts';

describe('the search of many byte strings', () => {
  const few = fc.constantFrom(...'abABc'.split(''));
  const text = (minLength: number, maxLength: number) =>
    fc.array(few, { minLength, maxLength }).map((one) => one.join(''));

  test('finds exactly what a search one by one finds', () => {
    const patterns = fc.array(fc.tuple(text(4, 7), fc.boolean()), { maxLength: 8 });
    fc.assert(
      fc.property(text(0, 80), patterns, (hay, needles) => {
        const bytes = Buffer.from(hay);
        const search = createSearch(
          needles.map(([one, caseMatters], tag) => ({ bytes: Buffer.from(one), caseMatters, tag })),
        );
        const found: string[] = [];
        search.find(bytes, (tag, start) => {
          found.push(`${tag} ${start}`);
          return false;
        });
        const expected = needles.flatMap(([one, caseMatters], tag) =>
          Array.from({ length: hay.length }, (_, start) => start)
            .filter((start) => {
              const part = hay.slice(start, start + one.length);
              return caseMatters ? part === one : part.toLowerCase() === one.toLowerCase();
            })
            .map((start) => `${tag} ${start}`),
        );
        expect(found.sort()).toEqual(expected.sort());
        expect(search.touches(bytes)).toBe(expected.length > 0);
      }),
    );
  });

  test('does not take a window longer than it can shift by', () => {
    const long = 'x'.repeat(300);
    const search = createSearch([{ bytes: Buffer.from(long), caseMatters: true, tag: 0 }]);
    expect(search.touches(Buffer.from(`${'y'.repeat(1_000)}${long}z`))).toBe(true);
    expect(search.touches(Buffer.from(`${'y'.repeat(1_000)}${long.slice(1)}z`))).toBe(false);
    expect([...foldBytes(Buffer.from('AbZ@[é'))]).toEqual([...Buffer.from('abz@[é')]);
  });
});

function isFound(value: string, hay: Buffer | string, kind: 'text' | 'binary' = 'text'): boolean {
  const sought = { subject: 0, identifier: 'x', text: value, anywhere: true };
  const search = createTextSearch([sought]);
  let found = false;
  search.scan(Buffer.from(hay), kind, () => {
    found = true;
  });
  return found;
}

const MAIL = 'ann.lee@example.org';
const NAME = 'Ann Lee-Müller';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a text is found', () => {
  test.each([
    ['as it is', MAIL, `x ${MAIL} y`],
    ['in capitals', MAIL, MAIL.toUpperCase()],
    ['in mixed case', MAIL, 'Ann.Lee@Example.ORG'],
    ['capitals beyond ASCII', NAME, 'ANN LEE-MÜLLER'],
    ['accents apart', NAME, NAME.normalize('NFD')],
    ['in JSON', MAIL, JSON.stringify({ e: MAIL })],
    ['in JSON with escapes', NAME, '{"n":"Ann Lee-M\\u00fcller"}'],
    ['after an escaped line end', MAIL, `{"t":"hello\\n${MAIL}"}`],
    ['percent-encoded', MAIL, `/email=${encodeURIComponent(MAIL)}/x`],
    ['percent-encoded after an escape', MAIL, `q%3D${encodeURIComponent(MAIL)}%26`],
    ['percent-encoded, lower case', NAME, encodeURIComponent(NAME).toLowerCase()],
    ['as a form field', NAME, `n=${encodeURIComponent(NAME).replaceAll('%20', '+')}`],
    ['in an address', MAIL, `mailto:${MAIL}?x`],
    ['at the end of a sentence', MAIL, `Write to ${MAIL}.`],
    ['in hex', MAIL, `0x${Buffer.from(MAIL).toString('hex')}`],
    ['in hex, upper case', MAIL, Buffer.from(MAIL).toString('hex').toUpperCase()],
    ['in base64', MAIL, base64(MAIL)],
    ['in base64, one byte later', MAIL, base64(` ${MAIL} `)],
    ['in base64, two bytes later', MAIL, `"${base64(`, ${MAIL}, `)}"`],
    ['in base64 of JSON', MAIL, base64(JSON.stringify({ id: 12, e: MAIL, z: 1 }))],
    ['in base64 for addresses', NAME, Buffer.from(`?~${NAME}`).toString('base64url')],
    ['with an apostrophe, strictly escaped', "Pat O'Brien", 'n=Pat%20O%27Brien'],
    ['beside letters of a script without spaces', MAIL, `邮箱${MAIL}邮箱`],
    ['that begins with a mark', '+49 170 1234567', 'tel+49 170 1234567'],
  ])('%s', (_, value, hay) => {
    expect(isFound(value, hay)).toBe(true);
  });

  test('in UTF-16, either byte first', () => {
    const units = Buffer.from(`"${MAIL}"`, 'utf16le');
    expect(isFound(MAIL, units)).toBe(true);
    expect(isFound(MAIL, Buffer.from(units).swap16())).toBe(true);
  });

  test('as the bytes of a UUID', () => {
    const uuid = '6f1c2b3a-0d4e-4f5a-8b6c-7d8e9f0a1b2c';
    const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
    expect(isFound(uuid, Buffer.concat([Buffer.from('abc'), bytes, Buffer.from('def')]))).toBe(
      true,
    );
  });
});

describe('a text that goes on is somebody else', () => {
  test.each([
    ['a longer mailbox', MAIL, `jo${MAIL}`],
    ['a mailbox with more before a dot', MAIL, `mary.${MAIL}`],
    ['a longer domain', MAIL, `${MAIL}.uk`],
    ['a domain with a hyphen', MAIL, `${MAIL}-x.com`],
    ['a longer number', '4217001', '42170010'],
    ['a longer word', NAME, `Jo${NAME}`],
    ['in base64', MAIL, base64(`jo${MAIL}`)],
    ['in hex', MAIL, Buffer.from(`jo${MAIL}`).toString('hex')],
    ['percent-encoded', MAIL, encodeURIComponent(`jo${MAIL}`)],
    ['cut', MAIL, MAIL.slice(0, -1)],
  ])('%s', (_, value, hay) => {
    expect(isFound(value, hay)).toBe(false);
  });

  test('but among bytes that are no text, every occurrence counts', () => {
    expect(isFound(MAIL, `A${MAIL}B`, 'binary')).toBe(true);
  });
});

test('pieces that overlap find what one piece finds, once, wherever they are cut', () => {
  const sought = { subject: 0, identifier: 'x', text: MAIL, anywhere: true };
  const search = createTextSearch([sought]);
  const overlap = search.overlapBytes;
  const count = (bytes: Buffer, piece?: { isFirst: boolean; isLast: boolean }) => {
    let found = 0;
    search.scan(bytes, 'text', () => (found += 1), piece === undefined ? {} : { piece });
    return found;
  };
  for (let at = 0; at < 400; at += 7) {
    for (const inside of [`${' '.repeat(at)}${MAIL} `, `${' '.repeat(at)}${MAIL}x`]) {
      const whole = Buffer.from(inside.padEnd(600));
      const cut = 300;
      const first = count(whole.subarray(0, cut), { isFirst: true, isLast: false });
      const second = count(whole.subarray(cut - overlap), { isFirst: false, isLast: true });
      expect(first + second > 0).toBe(count(whole) > 0);
    }
  }
});
