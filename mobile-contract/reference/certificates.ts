/**
 * Is this certificate genuine? Answered on the phone, without a network, by lists that the app holds (`Trust`).
 *
 * A verdict is about a text, not about who shows it: compare the holder with an identity document. Show holder and
 * statements only where the status is VERIFIED: otherwise they are anybody's words.
 */

import type { Bytes } from "./encoding.js";
import { PREFIX as HC1, readHc1 } from "./hc1.js";
import { PREFIX as SHC, readHealthCard } from "./health-card.js";
import { type Holder, type Reading, type Statement, type Status, type Step, Unreadable } from "./reading.js";
import type { Trust, TrustedKey } from "./trust.js";

export interface Verdict {
  status: Status;
  /** Where the first thing failed; null where nothing did. */
  step: Step | null;
  holder: Holder | null;
  statements: Statement[];
  /** False: no list that the app holds speaks of this key; say so beside VERIFIED. */
  isRevocationKnown: boolean;
}

const REFUSED = { holder: null, statements: [], isRevocationKnown: false };

/** now: milliseconds. Never rejects. The text is taken as it was scanned, spaces and all. */
export async function checkCertificate(text: string, trust: Trust, now: number): Promise<Verdict> {
  try {
    return await judge(await read(text), trust, now);
  } catch (error) {
    if (error instanceof Unreadable) return { ...REFUSED, status: error.status, step: error.step };
    throw error;
  }
}

function read(text: string): Promise<Reading> {
  if (text.startsWith(HC1)) return readHc1(text);
  if (text.startsWith(SHC) || /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return readHealthCard(text);
  throw new Unreadable("prefix", "NOT_SUPPORTED");
}

async function judge(reading: Reading, trust: Trust, now: number): Promise<Verdict> {
  const key = await signedBy(reading, trust, now);
  if (!maySign(key, reading)) throw new Unreadable("key-usage", "INVALID_SIGNATURE");
  if (isOver(key, now)) throw new Unreadable("key-state", "EXPIRED_KEYS");
  const at = now / 1000;
  if (reading.startsAt !== null && at < reading.startsAt) throw new Unreadable("validity", "NOT_YET_VALID");
  if (reading.expiresAt !== null && at > reading.expiresAt) throw new Unreadable("validity", "EXPIRED");
  const { kid, names, rid, issuedAt, holder, statements } = reading;
  const revocation = trust.revocation(kid ?? "", names, rid, issuedAt, now);
  if (revocation === "revoked") throw new Unreadable("revocation", "REVOKED");
  if (revocation === "list-too-old") throw new Unreadable("revocation", "TRUST_DATA_STALE");
  if (isStale(key, now)) throw new Unreadable("trust-age", "TRUST_DATA_STALE");
  return { status: "VERIFIED", step: null, holder, statements, isRevocationKnown: revocation === "not-revoked" };
}

/** The key that signed; of several lists that hold it the one that says most for it. */
async function signedBy(reading: Reading, trust: Trust, now: number): Promise<TrustedKey> {
  if (reading.kid === null) throw new Unreadable("key", "KID_NOT_INCLUDED");
  const fitting = trust.named(reading.kid, reading.format).filter((key) => isOfIssuer(key, reading));
  if (fitting.length === 0) throw new Unreadable("key", "ISSUER_NOT_TRUSTED");
  const signed: TrustedKey[] = [];
  for (const key of fitting) if (await holds(key.spki, reading)) signed.push(key);
  const rank = (key: TrustedKey): number =>
    (maySign(key, reading) ? 0 : 4) + (isStale(key, now) ? 2 : 0) + (isOver(key, now) ? 1 : 0);
  const [best] = signed.sort((one, other) => rank(one) - rank(other));
  if (best === undefined) throw new Unreadable("signature", "INVALID_SIGNATURE");
  return best;
}

/** One country's key says nothing of another's certificates, nor an issuer's of another's cards. */
function isOfIssuer(key: TrustedKey, reading: Reading): boolean {
  if (key.purpose === "hc1") return key.country === null || key.country === reading.country;
  const issuer = reading.issuer ?? "";
  return issuer.startsWith("https://") && !issuer.endsWith("/") && key.issuer === issuer;
}

const maySign = (key: TrustedKey, reading: Reading): boolean =>
  key.uses === null || (reading.uses.size > 0 && [...reading.uses].every((use) => key.uses?.has(use)));
const isOver = (key: TrustedKey, now: number): boolean => key.notAfter !== null && now > key.notAfter;
const isStale = (key: TrustedKey, now: number): boolean => key.freshUntil !== null && now > key.freshUntil;

/** ES256: P-256 and r‖s of 64 bytes; PS256: RSA of 2,048 to 4,096 bits with a salt of 32 bytes. */
async function holds(spki: Bytes, { algorithm, signature, signed }: Reading): Promise<boolean> {
  try {
    if (algorithm === "ES256") {
      const key = await crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
      return await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, signed);
    }
    const key = await crypto.subtle.importKey("spki", spki, { name: "RSA-PSS", hash: "SHA-256" }, false, ["verify"]);
    const bits = (key.algorithm as RsaHashedKeyAlgorithm).modulusLength;
    if (bits < 2048 || bits > 4096) return false;
    return await crypto.subtle.verify({ name: "RSA-PSS", saltLength: 32 }, key, signature, signed);
  } catch {
    return false; // a key of another kind signs nothing here
  }
}
