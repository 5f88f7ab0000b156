/**
 * The chain of proof: each entry's digest covers its document and the digest of the entry before,
 * so that none can be changed, removed, moved or slipped in without breaking it.
 *
 * By hand: `printf '%s\n%s' "$previous" "$document" | sha256sum` is an entry's digest, and its
 * signature is Ed25519 over the digest's 64 hexadecimal digits as text.
 */

export type ProofKind = 'event' | 'certificate';

export interface ProofEntry {
  /** Counts from 1, without gaps. */
  readonly entry: number;
  readonly requestId: string;
  readonly kind: ProofKind;
  readonly certificateId: string | null;
  /** Canonical JSON, exactly as it was hashed. */
  readonly document: string;
  /** Digest of the entry before, hex; `CHAIN_START` for the first. */
  readonly previous: string;
  readonly digest: string;
  readonly seal: EntrySignature;
}

export interface EntrySignature {
  /** First 16 hex digits of the SHA-256 of the public key. */
  readonly keyId: string;
  /** DER (SubjectPublicKeyInfo), base64. */
  readonly publicKey: string;
  /** Over the digest's hexadecimal text, base64. */
  readonly value: string;
}

/** What the first entry has for a predecessor. */
export const CHAIN_START = '0'.repeat(64);

/** The text whose SHA-256 is an entry's digest. */
export function sealedText(previous: string, document: string): string {
  return `${previous}\n${document}`;
}

/** Everything that can be wrong with a certificate or the chain that it stands in. */
export type ProofFaultCode =
  | 'not_a_certificate'
  | 'unsigned_field'
  | 'certificate_changed'
  | 'certificate_differs'
  | 'key_unknown'
  | 'signature_wrong'
  | 'entry_missing'
  | 'entry_changed'
  | 'entry_reordered'
  | 'link_broken'
  | LakeFaultCode;

/** Of the lake itself, when it is read again. */
export type LakeFaultCode = 'subject_back' | 'file_back' | 'lake_unreadable';

export interface ProofFault {
  readonly code: ProofFaultCode;
  /** The entry of the chain; `null`: the certificate as it was handed in. */
  readonly entry: number | null;
  readonly message: string;
}

/**
 * Faults of the chain itself, signatures aside. `entries` are all from the first on, as they stand
 * in the ledger.
 * @param digestOf SHA-256 in hex
 * @param expected how many there must be at least, by whoever else counted them
 */
export function findChainFaults(
  entries: readonly ProofEntry[],
  digestOf: (text: string) => string,
  expected = 0,
): readonly ProofFault[] {
  const changed = new Set(
    entries.filter((one) => digestOf(sealedText(one.previous, one.document)) !== one.digest),
  );
  return [
    ...findGaps(entries, expected),
    ...[...changed].map(({ entry }) =>
      fault('entry_changed', entry, 'its digest is not that of its document'),
    ),
    ...entries.flatMap((one, at) => {
      const before = entries[at - 1];
      if (changed.has(one) || (before !== undefined && changed.has(before))) return [];
      return findBrokenLink(entries, one, before);
    }),
  ];
}

function findGaps(entries: readonly ProofEntry[], expected: number): readonly ProofFault[] {
  const numbers = [...new Set(entries.map((one) => one.entry))].sort((a, b) => a - b);
  const end = Math.max(expected, numbers.at(-1) ?? 0) + 1;
  return [...numbers, end].flatMap((number, at) => {
    const [from, to] = [(numbers[at - 1] ?? 0) + 1, number - 1];
    if (to < from) return [];
    const what = to === from ? 'it is' : `entries ${from} to ${to} are`;
    return [fault('entry_missing', from, `${what} not in the ledger`)];
  });
}

function findBrokenLink(
  entries: readonly ProofEntry[],
  one: ProofEntry,
  before: ProofEntry | undefined,
): readonly ProofFault[] {
  const { entry, previous } = one;
  if (before !== undefined && entry <= before.entry) {
    return [fault('entry_reordered', entry, `it stands behind entry ${before.entry}`)];
  }
  if (previous === (before?.digest ?? CHAIN_START)) {
    // Follows what stands before it, but not by number: something was numbered anew.
    const follows = entry === (before?.entry ?? 0) + 1;
    return follows ? [] : [fault('entry_reordered', entry, 'its number was changed')];
  }
  const predecessor = entries.find((other) => other.digest === previous);
  if (predecessor !== undefined || previous === CHAIN_START) {
    const place = predecessor === undefined ? 'it is the first' : `it follows ${predecessor.entry}`;
    return [fault('entry_reordered', entry, `by its own account ${place}`)];
  }
  if (entry !== (before?.entry ?? 0) + 1) return [];
  const message = `it does not follow entry ${entry - 1}: one of the two was changed`;
  return [fault('link_broken', entry, message)];
}

function fault(code: ProofFaultCode, entry: number, message: string): ProofFault {
  return { code, entry, message: `entry ${entry}: ${message}` };
}
