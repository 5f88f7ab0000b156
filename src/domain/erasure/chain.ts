/**
 * The chain of proof: each entry's digest covers its number, the digest of the entry before and its
 * document, so that none can be changed, removed, moved or slipped in without breaking it.
 *
 * By hand: `printf '%s\n%s\n%s' "$entry" "$previous" "$document" | sha256sum` is an entry's digest,
 * and its signature is Ed25519 over the digest's 64 hexadecimal digits as text.
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
export function sealedText(entry: number, previous: string, document: string): string {
  return `${entry}\n${previous}\n${document}`;
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

/** Reads a chain entry by entry, and holds no more than the last one. */
export interface ChainCheck {
  /** In the order in which they stand in the ledger, all from the first on. */
  next(entry: ProofEntry): readonly ProofFault[];
  /** @param expected how many there must be at least, by whoever else counted them */
  end(expected: number): readonly ProofFault[];
}

/**
 * Faults of the chain itself, signatures aside.
 * @param digestOf SHA-256 in hex
 */
export function checkChain(digestOf: (text: string) => string): ChainCheck {
  let last = { entry: 0, digest: CHAIN_START, isChanged: false };
  return {
    next: ({ entry, previous, document, digest }) => {
      const before = last;
      const isChanged = digestOf(sealedText(entry, previous, document)) !== digest;
      last = { entry, digest, isChanged };
      const missing = findGap(before.entry, entry);
      if (isChanged) {
        const message = 'its digest is not that of its number, predecessor and document';
        return [...missing, fault('entry_changed', entry, message)];
      }
      if (missing.length > 0 || before.isChanged || previous === before.digest) return missing;
      const message = `it does not follow entry ${before.entry}: one of the two was changed`;
      return [fault('link_broken', entry, message)];
    },
    end: (expected) => findGap(last.entry, expected + 1),
  };
}

/** Between an entry and the next one that is there. */
function findGap(before: number, next: number): readonly ProofFault[] {
  const [from, to] = [before + 1, next - 1];
  if (to < from) return [];
  const what = to === from ? 'it is' : `entries ${from} to ${to} are`;
  return [fault('entry_missing', from, `${what} not in the ledger`)];
}

function fault(code: ProofFaultCode, entry: number, message: string): ProofFault {
  return { code, entry, message: `entry ${entry}: ${message}` };
}
