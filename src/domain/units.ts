import { IcewrightError } from './errors.ts';

const BYTE_UNITS = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 } as const;
const TIME_UNITS = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 } as const;

/** `"512MB"` → 536870912. Units are powers of 1024: B, KB, MB, GB, TB. */
export function parseBytes(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|TB)$/i.exec(text.trim());
  if (found === null) {
    throw new IcewrightError('UsageInvalid', `"${text}" is not a size: write for example 512MB`);
  }
  const unit = (found[2] as string).toUpperCase() as keyof typeof BYTE_UNITS;
  return Math.round(Number(found[1]) * BYTE_UNITS[unit]);
}

/** 536870912 → `"512 MB"`; at most one decimal. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const;
  let index = 0;
  let value = bytes;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${Number(value.toFixed(1))} ${units[index]}`;
}

/** `"7d"` → 604800000 (milliseconds). Units: ms, s, m, h, d. */
export function parseDuration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim());
  if (found === null) {
    throw new IcewrightError('UsageInvalid', `"${text}" is not a duration: write for example 7d`);
  }
  return Math.round(Number(found[1]) * TIME_UNITS[found[2] as keyof typeof TIME_UNITS]);
}

/** 5400000 → `"1.5 h"`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  for (const [unit, size] of [
    ['d', 86400e3],
    ['h', 3600e3],
    ['m', 60e3],
  ] as const) {
    if (ms >= size) return `${Number((ms / size).toFixed(1))} ${unit}`;
  }
  return `${Number((ms / 1000).toFixed(1))} s`;
}
