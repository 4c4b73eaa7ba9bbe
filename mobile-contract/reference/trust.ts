/**
 * Whose certificates the app believes: lists that it brought along or fetched from the service, each of an age.
 *
 * `GET /v1/public/certificates/keys` and `…/revocations/{kid}` (all pages), `/shc/.well-known/jwks.json` and
 * `…/crl/{kid}.json`. Keep them beside the app's own release: without a network the last ones count until `maxAge`.
 * A health card issuer's key set says no age and counts as long as it is given: fetch it with the others.
 */

import { type Bytes, base64url, concat, fromBase64, fromBase64url, fromHex, sha256, utf8 } from "./encoding.js";
import type { components } from "./generated/service.js";
import { type Use, countryOf, readCertificate } from "./x509.js";

type Schemas = components["schemas"];

/** What the routes answered, as it is. */
export interface Lists {
  keys: Schemas["OwnKeys"][];
  revocations: Schemas["RevocationList"][];
  /** issuer: the `iss` of the cards; keys: its key set. */
  cards: { issuer: string; keys: Record<string, unknown>[] }[];
  cardRevocations: { kid: string; method: string; ctr: number; rids: string[] }[];
}

export interface TrustedKey {
  kid: string;
  purpose: "hc1" | "shc";
  spki: Bytes;
  country: string | null;
  issuer: string | null;
  uses: ReadonlySet<Use> | null;
  notAfter: number | null;
  /** After it the list is too old to say that somebody is trusted; null: it is of no age. */
  freshUntil: number | null;
}

/** What is known of a certificate's being revoked. */
export type Revocation = "revoked" | "not-revoked" | "list-too-old" | "not-known";

/** P-256 in SubjectPublicKeyInfo, up to the two coordinates. */
const P256 = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");

export class Trust {
  private constructor(
    private readonly keys: readonly TrustedKey[],
    private readonly lists: Lists,
    private readonly maxAgeMs: number,
  ) {}

  /** One false entry, and the whole list is refused: keep the one before. */
  static async from(lists: Lists, maxAgeMs: number): Promise<Trust> {
    const signers = lists.keys.flatMap((list) => list.certificates.map((one) => ({ list, one })));
    const hc1 = signers.filter(({ one }) => one.certificateType === "DSC");
    const keys = await Promise.all([
      ...hc1.map(({ list, one }) => signerOf(one, Date.parse(list.issued_at) + maxAgeMs)),
      ...lists.cards.flatMap(({ issuer, keys: set }) => set.map((jwk) => cardKeyOf(jwk, issuer))),
    ]);
    return new Trust(keys, lists, maxAgeMs);
  }

  named(kid: string, purpose: TrustedKey["purpose"]): TrustedKey[] {
    return this.keys.filter((key) => key.kid === kid && key.purpose === purpose);
  }

  /** names: `kind value`, any of which may stand on a list; now in ms, issuedAt in seconds. */
  revocation(kid: string, names: readonly string[], rid: string | null, issuedAt: number | null, now: number): Revocation {
    const pages = this.lists.revocations.filter((page) => page.kid === kid);
    const listed = pages.flatMap((page) =>
      Object.entries(page.hashes).flatMap(([kind, values]) => (values ?? []).map((value) => `${kind} ${value}`)),
    );
    const cards = this.lists.cardRevocations.find((list) => list.kid === kid);
    if (names.some((name) => listed.includes(name)) || isCardRevoked(cards?.rids ?? [], rid, issuedAt)) return "revoked";
    const whole = wholeList(pages);
    if (whole.length === 0) return cards === undefined ? "not-known" : "not-revoked";
    const issued = whole.flatMap((page) => (page.issued_at == null ? [] : [Date.parse(page.issued_at)]));
    return issued.length > 0 && now > Math.min(...issued) + this.maxAgeMs ? "list-too-old" : "not-revoked";
  }
}

async function signerOf(one: Schemas["OwnKey"], freshUntil: number): Promise<TrustedKey> {
  const { kid, country, ...said } = await readCertificate(fromBase64(one.rawData));
  // What stands beside a certificate has to be its own: nobody is trusted under another's name.
  if (kid !== one.kid || (country !== null && country !== countryOf(one.country))) throw new Error("a list that lies");
  return { ...said, kid, purpose: "hc1", country: country ?? countryOf(one.country), issuer: null, freshUntil };
}

async function cardKeyOf(jwk: Record<string, unknown>, issuer: string): Promise<TrustedKey> {
  const { kty, crv, alg, use, x, y, kid } = jwk;
  const isOne = [kty, crv, alg, use].join() === "EC,P-256,ES256,sig" && !("d" in jwk);
  if (!isOne || typeof x !== "string" || typeof y !== "string") throw new Error("no key of health cards");
  const thumbprint = base64url(await sha256(utf8(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)));
  if (kid !== thumbprint) throw new Error("a kid that is not the key's own");
  const spki = concat(P256, fromBase64url(x), fromBase64url(y));
  const none = { country: null, uses: null, notAfter: null, freshUntil: null };
  return { ...none, kid: thumbprint, purpose: "shc", spki, issuer };
}

/** The newest state of a list of which every page is here. */
function wholeList(pages: readonly Schemas["RevocationList"][]): Schemas["RevocationList"][] {
  for (const changes of [...new Set(pages.map((page) => page.changes))].sort((one, other) => other - one)) {
    const left = pages.filter((page) => page.changes === changes);
    const chain: Schemas["RevocationList"][] = [];
    for (let behind: string | null = null; ; ) {
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
function isCardRevoked(rids: readonly string[], rid: string | null, issuedAt: number | null): boolean {
  if (rid === null) return false;
  return rids.some((one) => {
    const [name, before] = one.split(".");
    return name === rid && (before === undefined || issuedAt === null || issuedAt < Number(before));
  });
}
