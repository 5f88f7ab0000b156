/** Values of settings as people read them. */
import { assertNever } from '../errors.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { FIELDS } from './fields.ts';
import type { WindowPolicy } from './policy.ts';
import type { Trigger } from './trigger.ts';
import { describeWindow } from './window.ts';

/** @param setting as origins name it: `compact.targetFileSizeBytes` */
export function showSetting(setting: string, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  const field = FIELDS.find(({ section, name }) => `${section}.${name}` === setting);
  if (field === undefined) return JSON.stringify(value);
  switch (field.type.kind) {
    case 'size':
      return formatBytes(value as number);
    case 'duration':
      return formatDuration(value as number);
    case 'trigger':
      return showTrigger(value as Trigger);
    case 'window':
      return describeWindow(value as WindowPolicy).replace(/^the window is /, '');
    case 'names':
      return (value as readonly string[]).join(', ') || 'none';
    case 'pairs':
      return JSON.stringify(value);
    case 'flag':
    case 'choice':
    case 'count':
    case 'share':
      return String(value);
    default:
      return assertNever(field.type);
  }
}

/** `file_reduction ≥ 4`, `any(small_files ≥ 100, all(…))` */
export function showTrigger(trigger: Trigger): string {
  if (trigger.kind === 'at_least') return `${trigger.metric} ≥ ${trigger.atLeast}`;
  return `${trigger.kind}(${trigger.of.map(showTrigger).join(', ')})`;
}
