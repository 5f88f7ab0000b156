/** The forms in which a text may stand in bytes. */

/**
 * - `utf8`: as it is, ASCII letters in either case; also with other letters all in lower or upper
 *   case, and with accents composed or not.
 * - `json`: with letters beyond ASCII as `\u00e9`, quotation marks and backslashes escaped.
 * - `percent`: as in addresses and paths (`%40`), by the three usual rules of what is escaped.
 * - `utf16`: two bytes each, either byte first.
 * - `hex`: the UTF-8 bytes as digits.
 * - `base64`: standard and for addresses, at each of the three places that a text can begin.
 * - `binary`: the 16 bytes of a UUID.
 */
export type Form =
  | 'utf8'
  | 'json'
  | 'percent'
  | 'utf16le'
  | 'utf16be'
  | 'hex'
  | 'base64'
  | 'binary';

export interface Needle {
  readonly form: Form;
  readonly bytes: Buffer;
  readonly caseMatters: boolean;
  /** Of base64: digits between the start of a group of four and the needle. */
  readonly lead: number;
}

/** All forms of a text, each of them once. */
export function needlesOf(text: string): readonly Needle[] {
  const spellings = spellingsOf(text);
  const needles = spellings.flatMap((one) => [
    needle('utf8', one),
    needle('json', jsonEscaped(one)),
    ...percentForms(one).map((form) => needle('percent', form)),
    { ...needle('utf16le', ''), bytes: Buffer.from(one, 'utf16le') },
    { ...needle('utf16be', ''), bytes: Buffer.from(one, 'utf16le').swap16() },
    needle('hex', Buffer.from(one).toString('hex')),
    ...base64Forms(one),
  ]);
  const seen = new Set<string>();
  return [...needles, ...uuidForm(text)].filter(({ bytes, caseMatters, lead }) => {
    const key = `${caseMatters} ${lead} ${bytes.toString('latin1')}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

/** Letters beyond ASCII do not fold byte by byte: their usual spellings are sought one by one. */
function spellingsOf(text: string): readonly string[] {
  const cases = [text, text.toLowerCase(), text.toUpperCase()];
  return [...new Set(cases.flatMap((one) => [one, one.normalize('NFC'), one.normalize('NFD')]))];
}

function needle(form: Form, text: string): Needle {
  return { form, bytes: Buffer.from(text), caseMatters: false, lead: 0 };
}

function jsonEscaped(text: string): string {
  const quoted = JSON.stringify(text).slice(1, -1);
  return quoted.replace(/[^\0-~]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function percentForms(text: string): readonly string[] {
  // Lone halves of surrogate pairs have no such form.
  const whole = text.toWellFormed();
  const component = encodeURIComponent(whole);
  const escapeMore = (from: string, marks: RegExp) =>
    from.replace(marks, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const strict = escapeMore(component, /[!'()*]/g);
  return [component, strict, escapeMore(component, /[!'()~]/g).replaceAll('%20', '+')];
}

/**
 * Digits that depend on the text alone, whatever stands before and after it. A text that begins
 * at the second or third byte of a group shares its first digits with what is before.
 */
function base64Forms(text: string): readonly Needle[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const lead = Math.ceil((shift * 8) / 6);
    const end = Math.floor(((shift + bytes.length) * 8) / 6);
    const digits = encoded.slice(lead, end);
    const forms = [digits, digits.replaceAll('+', '-').replaceAll('/', '_')];
    return [...new Set(forms)].map((form): Needle => {
      return { form: 'base64', bytes: Buffer.from(form), caseMatters: true, lead };
    });
  });
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function uuidForm(text: string): readonly Needle[] {
  if (!UUID.test(text)) return [];
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  return [{ form: 'binary', bytes, caseMatters: true, lead: 0 }];
}
