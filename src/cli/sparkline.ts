/** A line of numbers in one line of text. */

const LEVELS = '▁▂▃▄▅▆▇█';

/**
 * One character for each value, from 0 to the largest; a space where nothing is known.
 * `[0, 5, null, 10]` → `▁▅ █`
 */
export function sparkline(values: readonly (number | null)[]): string {
  const most = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  return values.map((value) => (value === null ? ' ' : levelOf(value, most))).join('');
}

function levelOf(value: number, most: number): string {
  if (most === 0) return LEVELS[0] as string;
  return LEVELS[Math.round((value / most) * (LEVELS.length - 1))] as string;
}
