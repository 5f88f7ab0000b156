/** SHA-256 as the chain of proof and the certificates use it. */
import { createHash } from 'node:crypto';

/** Hex, of the text's UTF-8 bytes. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
