/**
 * Messages and stack traces of failures become payloads, which the codec encrypts: they may quote a
 * statement. Loaded by its path, also into the bundle of the workflows.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
