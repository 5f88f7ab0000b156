import { type ErrorCode, IcewrightError } from '../domain/errors.ts';

/** Something wrong in a file that a person wrote. Lines and columns count from 1. */
export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `policies/nightly.yaml:4:9: "at" must be a time such as "02:00"` */
export function formatFault(fault: Fault): string {
  return `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`;
}

/** All faults in one error, so that one run of the check shows everything there is to mend. */
export function faultsError(code: ErrorCode, faults: readonly Fault[]): IcewrightError {
  return new IcewrightError(code, faults.map(formatFault).join('\n'), { faults });
}
