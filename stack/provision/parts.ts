/** What the embedded stack is made of, fetched and built once per user into the cache folder. */
import type { StackParts } from '../services/service.ts';

/** Where each part lies: absolute paths; class paths joined by `:`. */
export type Parts = StackParts;
