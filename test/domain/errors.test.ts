import { expect, test } from 'vitest';
import { assertNever, ERROR_RULES, IcewrightError, isErrorCode } from '../../src/domain/errors.ts';

test('an error carries its code, its details and its cause', () => {
  const cause = new Error('below');
  const error = new IcewrightError('TableNotFound', 'no table', { table: 'a.b' }, cause);
  expect(error).toMatchObject({ code: 'TableNotFound', details: { table: 'a.b' }, cause });
  expect(error.name).toBe('IcewrightError');
  expect('cause' in new IcewrightError('Internal', 'x')).toBe(false);
});

test('codes are told from other strings, also from names that every object has', () => {
  expect(isErrorCode('SafetyRefused')).toBe(true);
  expect(isErrorCode('toString')).toBe(false);
  expect(isErrorCode(3)).toBe(false);
});

test('refusals and invalid input are never tried again', () => {
  for (const [code, rule] of Object.entries(ERROR_RULES)) {
    if (rule.exitCode !== 1) expect({ code, ...rule }).toMatchObject({ retryable: false });
  }
});

test('a value that no case handles is an internal error that shows it', () => {
  expect(() => assertNever('new' as never)).toThrow(/unexpected value: "new"/);
});
