/** HC1 certificates: prefix, base45, zlib, COSE_Sign1, CWT (hcert-spec 1.0.8, RFC 9052). */

import { type Item, Tagged, byteString, decode } from "./cbor.js";
import { type Bytes, base64, concat, fromBase45, hex, inflate, sha256, utf8 } from "./encoding.js";
import { type Holder, type Reading, type Statement, Unreadable, attempt, numberIn, textIn } from "./reading.js";
import { type Use, countryOf } from "./x509.js";

type Claims = Map<number | string, Item>;

export const PREFIX = "HC1:";
const TEXT_MAX = 10_000;
const INFLATED_MAX = 65_536;
const ALGORITHMS = new Map([
  [-7, "ES256"],
  [-37, "PS256"],
] as const);
const [ISSUER, EXPIRES, NOT_BEFORE, ISSUED, HCERT] = [1, 4, 5, 6, -260];
const PARTS: readonly [Use, Statement["kind"]][] = [
  ["v", "vaccination"],
  ["t", "test"],
  ["r", "recovery"],
];

interface Envelope {
  headers: Claims;
  signed: Bytes;
  payload: Bytes;
  signature: Bytes;
}

/** Rejects with Unreadable. The text is taken as it is: base45 has spaces. */
export async function readHc1(text: string): Promise<Reading> {
  if (!text.startsWith(PREFIX) || text.length > TEXT_MAX) throw new Unreadable("prefix", "NOT_SUPPORTED");
  const packed = await attempt("encoding", "INVALID_ENCODING", () => fromBase45(text.slice(PREFIX.length)));
  const data = await attempt("compression", "INVALID_COMPRESSION", () => inflate(packed, "deflate", INFLATED_MAX));
  const envelope = await attempt("envelope", "INVALID_SIGNING_FORMAT", () => open(decode(data)));
  const algorithm = ALGORITHMS.get(envelope.headers.get(1) as -7);
  if (algorithm === undefined) throw new Unreadable("claims", "NOT_SUPPORTED");
  const claims = await attempt("claims", "INVALID_SIGNING_FORMAT", () => decode(envelope.payload));
  if (!isClaims(claims)) throw new Unreadable("claims", "NOT_SUPPORTED");
  return reading(envelope, claims, algorithm);
}

/** With tag 18, with tags 61 and 18, or with none. */
function open(item: Item): Envelope {
  const tags: number[] = [];
  while (item instanceof Tagged && tags.length < 3) {
    tags.push(item.tag);
    item = item.value;
  }
  if (!["", "18", "61,18"].includes(tags.join()) || !Array.isArray(item)) throw new Error("no COSE_Sign1");
  const [head, outside, payload, signature] = item;
  const isWhole = head instanceof Uint8Array && payload instanceof Uint8Array && signature instanceof Uint8Array;
  if (item.length !== 4 || !isWhole || !(outside instanceof Map)) throw new Error("no COSE_Sign1");
  const inside = head.length > 0 ? decode(head) : new Map();
  if (!(inside instanceof Map)) throw new Error("no headers");
  // Sig_structure (§4.4): ["Signature1", protected, no external data, payload].
  const name = concat(Uint8Array.of(0x84, 0x6a), utf8("Signature1"));
  const signed = concat(name, byteString(head), Uint8Array.of(0x40), byteString(payload));
  // What is protected wins over what stands beside it.
  return { headers: new Map([...outside, ...inside]), signed, payload, signature };
}

function isClaims(item: Item): item is Claims {
  if (!(item instanceof Map) || !(contentOf(item) instanceof Map)) return false;
  if (item.has(ISSUER!) && typeof item.get(ISSUER!) !== "string") return false;
  return [EXPIRES, ISSUED, NOT_BEFORE].every((name) => !item.has(name!) || numberIn(item.get(name!)) !== null);
}

async function reading(envelope: Envelope, claims: Claims, algorithm: "ES256" | "PS256"): Promise<Reading> {
  const content = contentOf(claims) as Claims;
  const entries = PARTS.flatMap(([use, kind]) => entriesOf(content, use).map((entry) => ({ use, kind, entry })));
  const first = entries[0]?.entry ?? new Map();
  const issuer = textIn(claims.get(ISSUER!)) ?? textIn(first.get("co"));
  const issuedAt = numberIn(claims.get(ISSUED!));
  const starts = [issuedAt, numberIn(claims.get(NOT_BEFORE!))].filter((at) => at !== null);
  const names = await Promise.all(entries.map(({ entry }) => namesOf(claims, entry, algorithm, envelope.signature)));
  return {
    format: "hc1",
    algorithm,
    kid: kidOf(envelope.headers.get(4)),
    signed: envelope.signed,
    signature: envelope.signature,
    issuer,
    country: countryIn(issuer, first),
    issuedAt,
    startsAt: starts.length > 0 ? Math.max(...starts) : null,
    expiresAt: numberIn(claims.get(EXPIRES!)),
    uses: new Set(entries.map(({ use }) => use)),
    names: names.flat(),
    rid: null,
    holder: holderOf(content),
    statements: entries.map(({ kind, entry }) => statement(kind, entry)),
  };
}

/** As lists of revocations write them: 16 bytes of a SHA-256. */
async function namesOf(claims: Claims, entry: Claims, algorithm: string, signature: Bytes): Promise<string[]> {
  const issuer = textIn(claims.get(ISSUER!)) ?? textIn(entry.get("co")) ?? "";
  const uci = textIn(entry.get("ci")) ?? "";
  // Of an ECDSA signature its first half alone: anybody can turn (r, s) into (r, -s), which verifies as well.
  const half = algorithm === "ES256" ? signature.slice(0, signature.length / 2) : signature;
  const short = async (data: Bytes): Promise<string> => hex((await sha256(data)).slice(0, 16));
  return [
    `uci ${await short(utf8(uci))}`,
    `country-uci ${await short(utf8(issuer + uci))}`,
    `signature ${await short(half)}`,
  ];
}

function contentOf(claims: Claims): Item | undefined {
  const outer = claims.get(HCERT!);
  return outer instanceof Map ? outer.get(1) : undefined;
}

function entriesOf(content: Claims, part: Use): Claims[] {
  const listed = content.get(part);
  return Array.isArray(listed) ? listed.filter((entry) => entry instanceof Map) : [];
}

function kidOf(kid: Item | undefined): string | null {
  return kid instanceof Uint8Array && kid.length > 0 && kid.length <= 64 ? base64(kid) : null;
}

/** Whose key it has to be. An issuer that is no country speaks for the country of the entry. */
function countryIn(issuer: string | null, entry: Claims): string | null {
  const named = [issuer, textIn(entry.get("co"))].find((name) => name?.length === 2);
  return named == null ? null : countryOf(named);
}

function holderOf(content: Claims): Holder {
  const name = content.get("nam");
  const said = name instanceof Map ? name : new Map<string, Item>();
  return {
    family_name: textIn(said.get("fn")),
    given_name: textIn(said.get("gn")),
    birth_date: textIn(content.get("dob")),
  };
}

function statement(kind: Statement["kind"], entry: Claims): Statement {
  const occurred = { vaccination: "dt", test: "sc", recovery: "fr" }[kind];
  return {
    kind,
    vaccine: textIn(entry.get("vp")),
    product: textIn(entry.get(kind === "test" ? "ma" : "mp")),
    occurred: textIn(entry.get(occurred)),
    issuer: textIn(entry.get("is")),
  };
}
