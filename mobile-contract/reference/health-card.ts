/** SMART Health Cards: numeric code, JWS, raw DEFLATE, claims (the framework 1.4.0). */

import { type Bytes, fromBase64url, inflate, textOf, utf8 } from "./encoding.js";
import { type Holder, type Reading, type Statement, Unreadable, attempt, numberIn, textIn } from "./reading.js";

type Members = Record<string, unknown>;

export const PREFIX = "shc:/";
const TEXT_MAX = 65_536;
const INFLATED_MAX = 524_288;
const CARD = "https://smarthealth.cards#health-card";
const JWS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** Rejects with Unreadable. */
export async function readHealthCard(text: string): Promise<Reading> {
  if (text.length > TEXT_MAX) throw new Unreadable("prefix", "NOT_SUPPORTED");
  const jws = text.startsWith(PREFIX) ? fromDigits(text.slice(PREFIX.length)) : text;
  const parts = JWS.exec(jws);
  if (parts === null) throw new Unreadable("encoding", "INVALID_ENCODING");
  const [head, packed, signature] = await attempt("encoding", "INVALID_ENCODING", () =>
    parts.slice(1).map(fromBase64url),
  );
  const kid = kidOf(head!, signature!);
  const data = await attempt("compression", "INVALID_COMPRESSION", () => inflate(packed!, "deflate-raw", INFLATED_MAX));
  const claims = await attempt("claims", "INVALID_SIGNING_FORMAT", () => object(JSON.parse(textOf(data))));
  const bundle = bundleOf(claims);
  const nbf = numberIn(claims["nbf"]);
  const rid = textIn(member(claims, "vc")["rid"]);
  const ownRid = rid !== null && /^[A-Za-z0-9_-]{1,24}$/.test(rid) ? rid : null;
  return {
    format: "shc",
    algorithm: "ES256",
    kid,
    signed: utf8(jws.slice(0, jws.lastIndexOf("."))),
    signature: signature!,
    issuer: textIn(claims["iss"]),
    country: null,
    issuedAt: nbf,
    startsAt: nbf,
    expiresAt: numberIn(claims["exp"]),
    uses: new Set(),
    names: ownRid === null ? [] : [`rid ${ownRid}`],
    rid: ownRid,
    holder: holderOf(bundle),
    statements: statementsOf(bundle),
  };
}

/** Each pair of digits is a character less 45. Codes of several parts are no longer made. */
function fromDigits(body: string): string {
  const chunk = /^([0-9]{1,3})\/([0-9]{1,3})\/(.*)$/s.exec(body);
  if (chunk !== null && chunk[2] !== "1") throw new Unreadable("prefix", "NOT_SUPPORTED");
  const digits = chunk === null ? body : chunk[3]!;
  const pairs = (/^(?:[0-9]{2})+$/.test(digits) ? digits.match(/../g) : null)?.map(Number);
  if (pairs === undefined || Math.max(...pairs) > 77) throw new Unreadable("encoding", "INVALID_ENCODING");
  return String.fromCharCode(...pairs.map((pair) => pair + 45));
}

function kidOf(head: Bytes, signature: Bytes): string | null {
  const header = parsed(head);
  if (header === null) throw new Unreadable("envelope", "INVALID_SIGNING_FORMAT");
  if (header["alg"] !== "ES256") throw new Unreadable("envelope", "NOT_SUPPORTED");
  // Cards name no type; another one of the same key is no card. A signature in DER is none of a JWS.
  const isCard = (header["typ"] ?? "JWT") === "JWT" && header["zip"] === "DEF" && signature.length === 64;
  if (!isCard) throw new Unreadable("envelope", "INVALID_SIGNING_FORMAT");
  return textIn(header["kid"]);
}

function bundleOf(claims: Members): Members {
  const vc = member(claims, "vc");
  const bundle = member(vc, "credentialSubject")["fhirBundle"];
  const isCard =
    textIn(claims["iss"]) !== null &&
    numberIn(claims["nbf"]) !== null &&
    (!("exp" in claims) || numberIn(claims["exp"]) !== null) &&
    Array.isArray(vc["type"]) &&
    vc["type"].includes(CARD) &&
    typeof bundle === "object" &&
    bundle !== null;
  if (!isCard) throw new Unreadable("claims", "NOT_SUPPORTED");
  return bundle as Members;
}

function resources(bundle: Members, type: string): Members[] {
  const entries = Array.isArray(bundle["entry"]) ? (bundle["entry"] as Members[]) : [];
  return entries.map((entry) => member(entry, "resource")).filter((one) => one["resourceType"] === type);
}

function holderOf(bundle: Members): Holder | null {
  const patient = resources(bundle, "Patient")[0];
  if (patient === undefined) return null;
  const name = first(patient["name"]);
  const given = Array.isArray(name["given"]) ? name["given"].filter((word) => typeof word === "string") : [];
  return {
    family_name: textIn(name["family"]),
    given_name: given.join(" ") || null,
    birth_date: textIn(patient["birthDate"]),
  };
}

function statementsOf(bundle: Members): Statement[] {
  return resources(bundle, "Immunization").map((one) => ({
    kind: "vaccination",
    vaccine: textIn(first(member(one, "vaccineCode")["coding"])["code"]),
    product: null,
    occurred: textIn(one["occurrenceDateTime"]),
    issuer: textIn(member(first(one["performer"]), "actor")["display"]),
  }));
}

const first = (list: unknown): Members => (Array.isArray(list) ? asMembers(list[0]) : {});
const member = (of: Members, name: string): Members => asMembers(of[name]);
const asMembers = (value: unknown): Members => (typeof value === "object" && value !== null ? (value as Members) : {});

function object(value: unknown): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("no object");
  return value as Members;
}

function parsed(bytes: Bytes): Members | null {
  try {
    return object(JSON.parse(textOf(bytes)));
  } catch {
    return null;
  }
}
