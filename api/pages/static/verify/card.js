/** SMART Health Cards: numeric code, JWS, raw DEFLATE, claims (the framework 1.4.0). */

import { Unreadable, attempt, fromBase64url, inflate, numberIn, shown, textIn, textOf, utf8 } from "./bytes.js";

const TEXT_MAX = 65_536;
const INFLATED_MAX = 524_288;
const STATEMENTS_MAX = 50;
const CARD = "https://smarthealth.cards#health-card";
export const JWS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** Rejects with Unreadable. */
export async function readCard(text) {
  if (text.length > TEXT_MAX) throw new Unreadable("prefix", "NOT_SUPPORTED");
  const jws = text.startsWith("shc:/") ? fromDigits(text.slice(5)) : text;
  const parts = JWS.exec(jws);
  if (parts === null) throw new Unreadable("encoding", "INVALID_ENCODING");
  const [head, packed, signature] = await attempt("encoding", "INVALID_ENCODING", () => parts.slice(1).map(fromBase64url));
  const kid = kidOf(head, signature);
  const data = await attempt("compression", "INVALID_COMPRESSION", () => inflate(packed, "deflate-raw", INFLATED_MAX));
  const claims = await attempt("claims", "INVALID_SIGNING_FORMAT", () => object(JSON.parse(textOf(data))));
  const bundle = bundleOf(claims);
  const rid = textIn(claims.vc.rid);
  const ownRid = rid !== null && /^[A-Za-z0-9_-]{1,24}$/.test(rid) ? rid : null;
  return {
    format: "shc",
    algorithm: "ES256",
    kid,
    signed: utf8(jws.slice(0, jws.lastIndexOf("."))),
    signature,
    issuer: claims.iss,
    country: null,
    issuedAt: claims.nbf,
    startsAt: claims.nbf,
    expiresAt: numberIn(claims.exp),
    uses: new Set(),
    names: ownRid === null ? [] : [`rid ${ownRid}`],
    rid: ownRid,
    holder: holderOf(bundle),
    statements: statementsOf(bundle),
  };
}

/** Each pair of digits is a character less 45. Codes of several parts are no longer made. */
function fromDigits(body) {
  const chunk = /^([0-9]{1,3})\/([0-9]{1,3})\/(.*)$/s.exec(body);
  if (chunk !== null && chunk[2] !== "1") throw new Unreadable("prefix", "NOT_SUPPORTED");
  const digits = chunk === null ? body : chunk[3];
  const pairs = (/^(?:[0-9]{2})+$/.test(digits) ? digits.match(/../g) : null)?.map(Number);
  if (pairs === undefined || pairs.some((pair) => pair > 77)) throw new Unreadable("encoding", "INVALID_ENCODING");
  return pairs.map((pair) => String.fromCharCode(pair + 45)).join("");
}

/** Cards name no type; another one of the same key is no card. A signature in DER is none of a JWS. */
function kidOf(head, signature) {
  const header = parsed(head);
  if (header === null) throw new Unreadable("envelope", "INVALID_SIGNING_FORMAT");
  if (header.alg !== "ES256") throw new Unreadable("envelope", "NOT_SUPPORTED");
  const typ = "typ" in header ? header.typ : "JWT";
  const isCard = typ === "JWT" && header.zip === "DEF" && signature.length === 64;
  if (!isCard) throw new Unreadable("envelope", "INVALID_SIGNING_FORMAT");
  return textIn(header.kid);
}

function bundleOf(claims) {
  const vc = members(claims.vc);
  const bundle = members(vc.credentialSubject).fhirBundle;
  const isCard =
    textIn(claims.iss) !== null &&
    numberIn(claims.nbf) !== null &&
    (!("exp" in claims) || numberIn(claims.exp) !== null) &&
    Array.isArray(vc.type) &&
    vc.type.includes(CARD) &&
    members(bundle) === bundle;
  if (!isCard) throw new Unreadable("claims", "NOT_SUPPORTED");
  return bundle;
}

function resources(bundle, type) {
  const entries = Array.isArray(bundle.entry) ? bundle.entry : [];
  return entries.map((entry) => members(members(entry).resource)).filter((one) => one.resourceType === type);
}

function holderOf(bundle) {
  const patient = resources(bundle, "Patient")[0];
  if (patient === undefined) return null;
  const name = first(patient.name);
  const given = Array.isArray(name.given) ? name.given.filter((word) => typeof word === "string").join(" ") : "";
  const none = { familyLatin: null, givenLatin: null };
  return { ...none, family: shown(name.family), given: shown(given) || null, birthDate: shown(patient.birthDate) };
}

const statementsOf = (bundle) => resources(bundle, "Immunization").slice(0, STATEMENTS_MAX).map(statement);

function statement(one) {
  const vaccine = shown(first(members(one.vaccineCode).coding).code);
  const issuer = shown(members(first(one.performer).actor).display);
  const none = { product: null, dose: null, of: null, result: null };
  return { ...none, kind: "vaccination", vaccine, occurred: shown(one.occurrenceDateTime), issuer };
}

const first = (list) => (Array.isArray(list) ? members(list[0]) : {});
const members = (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});

function object(value) {
  if (members(value) !== value) throw new Error("no object");
  return value;
}

function parsed(bytes) {
  try {
    return object(JSON.parse(textOf(bytes)));
  } catch {
    return null;
  }
}
