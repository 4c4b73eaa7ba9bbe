/** What a certificate's text says before anybody's trust comes in. */

import type { Bytes } from "./encoding.js";
import type { Use } from "./x509.js";

/** The words of the service's own verifier (`POST /v1/public/certificates/verify`). */
export type Status =
  | "VERIFIED"
  | "NOT_SUPPORTED"
  | "INVALID_ENCODING"
  | "INVALID_COMPRESSION"
  | "INVALID_SIGNING_FORMAT"
  | "KID_NOT_INCLUDED"
  | "ISSUER_NOT_TRUSTED"
  | "INVALID_SIGNATURE"
  | "NOT_YET_VALID"
  | "EXPIRED"
  | "REVOKED"
  | "EXPIRED_KEYS"
  | "TRUST_DATA_STALE";

export type Step =
  | "prefix"
  | "encoding"
  | "compression"
  | "envelope"
  | "claims"
  | "key"
  | "signature"
  | "key-usage"
  | "key-state"
  | "validity"
  | "revocation"
  | "trust-age";

export interface Holder {
  family_name: string | null;
  given_name: string | null;
  birth_date: string | null;
}

/** One vaccination, test or recovery, in the codes it is written in. */
export interface Statement {
  kind: "vaccination" | "test" | "recovery";
  vaccine: string | null;
  product: string | null;
  occurred: string | null;
  issuer: string | null;
}

export interface Reading {
  format: "hc1" | "shc";
  algorithm: "ES256" | "PS256";
  kid: string | null;
  signed: Bytes;
  signature: Bytes;
  issuer: string | null;
  country: string | null;
  /** Seconds since 1970, of this and the next two. */
  issuedAt: number | null;
  startsAt: number | null;
  expiresAt: number | null;
  uses: ReadonlySet<Use>;
  /** How lists of revocations may name it: `kind value`. */
  names: readonly string[];
  rid: string | null;
  holder: Holder | null;
  statements: Statement[];
}

/** Reading ended here. */
export class Unreadable extends Error {
  constructor(
    readonly step: Step,
    readonly status: Status,
  ) {
    super(`${step}: ${status}`);
  }
}

/** What `work` makes; that this step failed where it throws. */
export async function attempt<T>(step: Step, status: Status, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable(step, status);
  }
}

export const textIn = (value: unknown): string | null => (typeof value === "string" ? value : null);
// The last second of the year 9999; some write milliseconds.
const SECONDS_MAX = 253_402_300_799;

/** A time in seconds, whole or not; null for what is none. */
export const numberIn = (value: unknown): number | null =>
  typeof value === "number" && value >= -SECONDS_MAX && value <= SECONDS_MAX * 1000 ? value : null;
