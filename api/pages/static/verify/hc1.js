/** HC1 certificates: prefix, base45, zlib, COSE_Sign1, CWT (hcert-spec 1.0.8, RFC 9052). */

import { Unreadable, attempt, base64, concat, fromBase45, hex, inflate, numberIn, sha256, shown, textIn, utf8 } from "./bytes.js";
import { Tagged, byteString, decode } from "./cbor.js";
import { countryOf } from "./x509.js";

const TEXT_MAX = 10_000;
const INFLATED_MAX = 65_536;
const KID_BYTES_MAX = 64;
const STATEMENTS_MAX = 20;
const ALGORITHMS = new Map([[-7, "ES256"], [-37, "PS256"]]);
const [ISSUER, EXPIRES, NOT_BEFORE, ISSUED, HCERT] = [1, 4, 5, 6, -260];
const KINDS = { v: "vaccination", t: "test", r: "recovery" };
// Where each kind says its day and its product.
const FIELDS = { v: ["dt", "mp"], t: ["sc", "ma"], r: ["fr", "mp"] };

/** Rejects with Unreadable. The text is taken as it is: base45 has spaces. */
export async function readHc1(text) {
  if (!text.startsWith("HC1:") || text.length > TEXT_MAX) throw new Unreadable("prefix", "NOT_SUPPORTED");
  const packed = await attempt("encoding", "INVALID_ENCODING", () => fromBase45(text.slice(4)));
  const data = await attempt("compression", "INVALID_COMPRESSION", () => inflate(packed, "deflate", INFLATED_MAX));
  const envelope = await attempt("envelope", "INVALID_SIGNING_FORMAT", () => open(decode(data)));
  const algorithm = ALGORITHMS.get(envelope.headers.get(1));
  if (algorithm === undefined) throw new Unreadable("claims", "NOT_SUPPORTED");
  const claims = await attempt("claims", "INVALID_SIGNING_FORMAT", () => decode(envelope.payload));
  if (!isClaims(claims)) throw new Unreadable("claims", "NOT_SUPPORTED");
  return reading(envelope, claims, algorithm);
}

/** With tag 18, with tags 61 and 18, or with none. What is protected wins over what stands beside it. */
function open(item) {
  const tags = [];
  while (item instanceof Tagged && tags.length < 3) {
    tags.push(item.tag);
    item = item.value;
  }
  if (!["", "18", "61,18"].includes(tags.join()) || !Array.isArray(item)) throw new Error("no COSE_Sign1");
  const [head, outside, payload, signature] = item;
  const isWhole = [head, payload, signature].every((part) => part instanceof Uint8Array);
  if (item.length !== 4 || !isWhole || !(outside instanceof Map)) throw new Error("no COSE_Sign1");
  const inside = head.length > 0 ? decode(head) : new Map();
  if (!(inside instanceof Map)) throw new Error("no headers");
  // Sig_structure (§4.4): ["Signature1", protected, no external data, payload].
  const name = concat(Uint8Array.of(0x84, 0x6a), utf8("Signature1"));
  const signed = concat(name, byteString(head), Uint8Array.of(0x40), byteString(payload));
  return { headers: new Map([...outside, ...inside]), signed, payload, signature };
}

function isClaims(item) {
  if (!(item instanceof Map) || !(contentOf(item) instanceof Map)) return false;
  if (item.has(ISSUER) && textIn(item.get(ISSUER)) === null) return false;
  return [EXPIRES, ISSUED, NOT_BEFORE].every((name) => !item.has(name) || numberIn(item.get(name)) !== null);
}

function contentOf(claims) {
  const outer = claims.get(HCERT);
  return outer instanceof Map ? outer.get(1) : undefined;
}

async function reading(envelope, claims, algorithm) {
  const content = contentOf(claims);
  const entries = Object.keys(KINDS).flatMap((use) => entriesOf(content, use).map((entry) => ({ use, entry })));
  const first = entries[0]?.entry ?? new Map();
  const issuer = textIn(claims.get(ISSUER)) ?? textIn(first.get("co"));
  const starts = [claims.get(ISSUED), claims.get(NOT_BEFORE)].map(numberIn).filter((at) => at !== null);
  const names = entries.map(({ entry }) => namesOf(claims, entry, algorithm, envelope.signature));
  return {
    format: "hc1",
    algorithm,
    kid: kidOf(envelope.headers.get(4)),
    signed: envelope.signed,
    signature: envelope.signature,
    issuer,
    country: countryIn(issuer, first),
    issuedAt: numberIn(claims.get(ISSUED)),
    startsAt: starts.length > 0 ? Math.max(...starts) : null,
    expiresAt: numberIn(claims.get(EXPIRES)),
    uses: new Set(entries.map(({ use }) => use)),
    names: (await Promise.all(names)).flat(),
    rid: null,
    holder: holderOf(content),
    statements: entries.slice(0, STATEMENTS_MAX).map(statement),
  };
}

function entriesOf(content, part) {
  const listed = content.get(part);
  return Array.isArray(listed) ? listed.filter((entry) => entry instanceof Map) : [];
}

/** As lists of revocations write them: 16 bytes of a SHA-256. */
async function namesOf(claims, entry, algorithm, signature) {
  const issuer = textIn(claims.get(ISSUER)) ?? textIn(entry.get("co")) ?? "";
  const uci = textIn(entry.get("ci")) ?? "";
  // Of an ECDSA signature its first half alone: anybody can turn (r, s) into (r, -s), which verifies as well.
  const half = algorithm === "ES256" ? signature.slice(0, signature.length / 2) : signature;
  const short = async (data) => hex((await sha256(data)).slice(0, 16));
  return [
    `uci ${await short(utf8(uci))}`,
    `country-uci ${await short(utf8(issuer + uci))}`,
    `signature ${await short(half)}`,
  ];
}

const kidOf = (kid) => (kid instanceof Uint8Array && kid.length > 0 && kid.length <= KID_BYTES_MAX ? base64(kid) : null);

/** Whose key it has to be. An issuer that is no country speaks for the country of the entry. */
function countryIn(issuer, entry) {
  const named = [issuer, textIn(entry.get("co"))].find((name) => name?.length === 2);
  return named === undefined ? null : countryOf(named);
}

function holderOf(content) {
  const name = content.get("nam");
  const said = name instanceof Map ? name : new Map();
  const [family, given] = [said.get("fn"), said.get("gn")].map(shown);
  const [familyLatin, givenLatin] = [said.get("fnt"), said.get("gnt")].map(shown);
  return { family, given, familyLatin, givenLatin, birthDate: shown(content.get("dob")) };
}

function statement({ use, entry }) {
  const [day, product] = FIELDS[use];
  const [vaccine, issuer, result] = ["vp", "is", "tr"].map((name) => shown(entry.get(name)));
  const [dose, of] = ["dn", "sd"].map((name) => numberIn(entry.get(name)));
  const [occurred, named] = [day, product].map((name) => shown(entry.get(name)));
  return { kind: KINDS[use], vaccine, product: named, dose, of, occurred, issuer, result };
}
