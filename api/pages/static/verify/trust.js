/**
 * Whose certificates count, and which of them were revoked: lists of this service, each of an age.
 *
 * lists: {keys, revocations, cards, cardRevocations} as `GET /v1/public/certificates/keys` and
 * `…/revocations/{kid}` (every page), the issuer's `/.well-known/jwks.json` and its `crl` answer them. Neither of
 * the last two says of which day it is: `issued_at` of an entry of `cards` does, where whoever fetched them knows.
 */

import { base64url, concat, fromBase64, fromBase64url, sha256, utf8 } from "./bytes.js";
import { countryOf, readCertificate } from "./x509.js";

const DEMO_COUNTRY = "XX";
/** P-256 in SubjectPublicKeyInfo, up to the two coordinates. */
const P256 = Uint8Array.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004".match(/../g), (two) => parseInt(two, 16));

/**
 * One false entry, and the whole list is refused: keep the one before. isDemo: on a demo's own page, where alone its
 * keys, of no country and for test results, may sign vaccinations.
 */
export async function trustOf(lists, maxAgeMs, isDemo = false) {
  const signers = lists.keys.flatMap((list) => list.certificates.map((one) => ({ list, one })));
  const keys = await Promise.all([
    ...signers
      .filter(({ one }) => one.certificateType === "DSC")
      .map(({ list, one }) => signerOf(one, Date.parse(list.issued_at) + maxAgeMs, isDemo)),
    ...lists.cards.flatMap(({ issuer, keys: set, issued_at: at }) =>
      set.map((jwk) => cardKeyOf(jwk, issuer, at ? Date.parse(at) + maxAgeMs : null)),
    ),
  ]);
  return {
    named: (kid, purpose) => keys.filter((key) => key.kid === kid && key.purpose === purpose),
    revocation: (reading, now) => revocationOf(lists, maxAgeMs, reading, now),
  };
}

/** What stands beside a certificate has to be its own: nobody is trusted under another's name. */
async function signerOf(one, freshUntil, isDemo) {
  const { kid, country, uses, ...said } = await readCertificate(fromBase64(one.rawData));
  const named = countryOf(one.country);
  if (kid !== one.kid || (country !== null && country !== named)) throw new Error("a list that lies");
  const may = isDemo && named === DEMO_COUNTRY ? null : uses;
  return { ...said, kid, uses: may, purpose: "hc1", country: named, issuer: null, freshUntil };
}

async function cardKeyOf(jwk, issuer, freshUntil) {
  const { kty, crv, alg, use, x, y, kid } = jwk;
  const isOne = [kty, crv, alg, use].join() === "EC,P-256,ES256,sig" && !("d" in jwk);
  if (!isOne || typeof x !== "string" || typeof y !== "string") throw new Error("no key of health cards");
  const thumbprint = base64url(await sha256(utf8(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)));
  if (kid !== thumbprint) throw new Error("a kid that is not the key's own");
  const spki = concat(P256, fromBase64url(x), fromBase64url(y));
  return { kid, purpose: "shc", spki, issuer, country: null, uses: null, notAfter: null, freshUntil };
}

/** "revoked", "not-revoked", "list-too-old" or "not-known". now: milliseconds. */
function revocationOf(lists, maxAgeMs, { kid, names, rid, issuedAt }, now) {
  const pages = lists.revocations.filter((page) => page.kid === kid);
  const listed = pages.flatMap((page) =>
    Object.entries(page.hashes).flatMap(([kind, values]) => values.map((value) => `${kind} ${value}`)),
  );
  const cards = lists.cardRevocations.find((list) => list.kid === kid);
  if (names.some((name) => listed.includes(name)) || isCardRevoked(cards?.rids ?? [], rid, issuedAt)) return "revoked";
  const whole = wholeList(pages);
  if (whole.length === 0) return cards === undefined ? "not-known" : "not-revoked";
  const issued = whole.flatMap((page) => (page.issued_at ? [Date.parse(page.issued_at)] : []));
  return issued.length > 0 && now > Math.min(...issued) + maxAgeMs ? "list-too-old" : "not-revoked";
}

/** The newest state of a list of which every page is here. */
export function wholeList(pages) {
  for (const changes of [...new Set(pages.map((page) => page.changes))].sort((one, other) => other - one)) {
    const left = pages.filter((page) => page.changes === changes);
    const chain = [];
    for (let behind = null; ; ) {
      const next = left.find((page) => (page.behind ?? null) === behind);
      if (next === undefined || chain.includes(next)) break;
      chain.push(next);
      behind = next.after ?? null;
      if (behind === null) return chain;
    }
  }
  return [];
}

/** `rid`, or `rid.SECOND`: then cards that were issued before that second. */
function isCardRevoked(rids, rid, issuedAt) {
  if (rid === null) return false;
  return rids.some((one) => {
    const [name, before] = one.split(".");
    return name === rid && (before === undefined || issuedAt === null || issuedAt < Number(before));
  });
}
