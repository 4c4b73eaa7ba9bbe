/** Is this certificate genuine? Answered here, without a network, by the lists that this browser holds. */

import { Unreadable } from "./bytes.js";
import { JWS, readCard } from "./card.js";
import { readHc1 } from "./hc1.js";

const REFUSED = { holder: null, statements: [], issuer: null, expiresAt: null, at: null, isRevocationKnown: false };

/**
 * {status, step, holder, statements, issuer, expiresAt, isRevocationKnown, at}. now: milliseconds. What the text says
 * comes out where the status is VERIFIED alone: otherwise it is anybody's words. Never rejects.
 */
export async function check(text, trust, now) {
  try {
    return await judge(await read(text), trust, now);
  } catch (error) {
    if (error instanceof Unreadable) return { ...REFUSED, status: error.status, step: error.step, at: error.at };
    throw error;
  }
}

/** The text is taken as it was scanned, spaces and all. */
function read(text) {
  if (text.startsWith("HC1:")) return readHc1(text);
  if (text.startsWith("shc:/") || JWS.test(text)) return readCard(text);
  throw new Unreadable("prefix", "NOT_SUPPORTED");
}

async function judge(reading, trust, now) {
  const key = await signedBy(reading, trust, now);
  if (!maySign(key, reading)) throw new Unreadable("key-usage", "INVALID_SIGNATURE");
  if (isOver(key, now)) throw new Unreadable("key-state", "EXPIRED_KEYS");
  const { startsAt, expiresAt, holder, statements, issuer } = reading;
  if (startsAt !== null && now / 1000 < startsAt) throw new Unreadable("validity", "NOT_YET_VALID", startsAt);
  if (expiresAt !== null && now / 1000 > expiresAt) throw new Unreadable("validity", "EXPIRED", expiresAt);
  const revocation = trust.revocation({ ...reading, kid: reading.kid ?? "" }, now);
  if (revocation === "revoked") throw new Unreadable("revocation", "REVOKED");
  if (revocation === "list-too-old") throw new Unreadable("revocation", "TRUST_DATA_STALE");
  if (isStale(key, now)) throw new Unreadable("trust-age", "TRUST_DATA_STALE");
  const isRevocationKnown = revocation === "not-revoked";
  return { ...REFUSED, status: "VERIFIED", step: null, holder, statements, issuer, expiresAt, isRevocationKnown };
}

/** The key that signed; of several lists that hold it the one that says most for it. */
async function signedBy(reading, trust, now) {
  if (reading.kid === null) throw new Unreadable("key", "KID_NOT_INCLUDED");
  const fitting = trust.named(reading.kid, reading.format).filter((key) => isOfIssuer(key, reading));
  if (fitting.length === 0) throw new Unreadable("key", "ISSUER_NOT_TRUSTED");
  const signed = [];
  for (const key of fitting) if (await holds(key.spki, reading)) signed.push(key);
  const rank = (key) => (maySign(key, reading) ? 0 : 4) + (isStale(key, now) ? 2 : 0) + (isOver(key, now) ? 1 : 0);
  const [best] = signed.sort((one, other) => rank(one) - rank(other));
  if (best === undefined) throw new Unreadable("signature", "INVALID_SIGNATURE");
  return best;
}

/** One country's key says nothing of another's certificates, nor an issuer's of another's cards. */
function isOfIssuer(key, reading) {
  if (key.purpose === "hc1") return key.country === null || key.country === reading.country;
  const issuer = reading.issuer ?? "";
  return issuer.startsWith("https://") && !issuer.endsWith("/") && key.issuer === issuer;
}

const maySign = (key, { uses }) => key.uses === null || (uses.size > 0 && [...uses].every((use) => key.uses.has(use)));
const isOver = (key, now) => key.notAfter !== null && now > key.notAfter;
const isStale = (key, now) => key.freshUntil !== null && now > key.freshUntil;

/** ES256: P-256 and r‖s of 64 bytes; PS256: RSA of 2,048 to 4,096 bits with a salt of 32 bytes. */
async function holds(spki, { algorithm, signature, signed }) {
  const kind = algorithm === "ES256" ? { name: "ECDSA", namedCurve: "P-256" } : { name: "RSA-PSS", hash: "SHA-256" };
  try {
    const key = await crypto.subtle.importKey("spki", spki, kind, false, ["verify"]);
    const bits = key.algorithm.modulusLength ?? 2048;
    if (bits < 2048 || bits > 4096) return false;
    return await crypto.subtle.verify({ name: kind.name, hash: "SHA-256", saltLength: 32 }, key, signature, signed);
  } catch {
    return false; // a key of another kind signs nothing here
  }
}
