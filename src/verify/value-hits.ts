/** Whose a single value is. */
import type { Hit, WantedValues } from './hit.ts';
import type { NumberForm } from './place-matcher.ts';
import { dayText, decimalText, wholeNumberOf } from './value-forms.ts';

const NO_HITS: readonly Hit[] = [];

/** A text as it stands in a column, or in a field of JSON. */
export function hitsOfText(values: WantedValues, text: string): readonly Hit[] {
  const { texts, keyOf, isNumber, numbers, probe } = values;
  const probed = probe?.(text) ?? NO_HITS;
  if (texts.size === 0 || probed.length > 0) return probed;
  const hits = texts.get(keyOf(text));
  if (hits !== undefined || !isNumber) return hits ?? NO_HITS;
  const whole = wholeNumberOf(text);
  return whole === null ? NO_HITS : (numbers.get(whole) ?? NO_HITS);
}

/** A number of a column, of any type. */
export function hitsOfNumber(
  values: WantedValues,
  value: bigint,
  { scale, isDay }: NumberForm,
): readonly Hit[] {
  const { numbers, days, probe } = values;
  if (isDay) return probe?.(dayText(value)) ?? days.get(value) ?? NO_HITS;
  const unit = 10n ** BigInt(Math.max(0, scale));
  const whole = value % unit === 0n ? numbers.get(value / unit) : undefined;
  return whole ?? hitsOfText(values, decimalText(value, scale));
}
