/** What a document signer's certificate says (hcert-spec 1.0.8 §3.3.1): a walk over its DER, no chain is checked. */

import { base64, hex, sha256, textOf } from "./bytes.js";

const [SEQUENCE, OID, VERSION, UTC_TIME] = [0x30, 0x06, 0xa0, 0x17];
// id-at-countryName
const COUNTRY = "0603550406";
// Both arcs are in use; the older one has a zero too many.
const ARCS = ["060b2b060104018e378f6501", "060c2b06010401008e378f6501"];
const SAME = { EL: "GR", UK: "GB" };

/** {kid, spki, country, uses: Set or null (all), notAfter: milliseconds}. Throws on what is no certificate. */
export async function readCertificate(der) {
  const body = children(children(one(der))[0]);
  const [, , , validity, subject, key] = body[0].tag === VERSION ? body.slice(1) : body;
  if (key?.tag !== SEQUENCE) throw new Error("no certificate");
  const written = hex(der);
  const uses = ["t", "v", "r"].filter((_, at) => ARCS.some((arc) => written.includes(`${arc}0${at + 1}`)));
  return {
    kid: base64((await sha256(der)).slice(0, 8)),
    spki: key.all,
    country: countryIn(subject),
    uses: uses.length > 0 ? new Set(uses) : null,
    notAfter: time(children(validity)[1]),
  };
}

/** Two letters in their one spelling: Greece signs as GR and writes EL. */
export const countryOf = (text) => SAME[text.toUpperCase()] ?? text.toUpperCase();

function countryIn(subject) {
  for (const pair of children(subject).flatMap(children)) {
    const [name, value] = children(pair);
    if (name?.tag === OID && hex(name.all) === COUNTRY && value) return countryOf(textOf(value.inside));
  }
  return null;
}

/** Milliseconds since 1970. */
function time(node) {
  const text = textOf(node.inside);
  const year = node.tag === UTC_TIME ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text;
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(year);
  if (found === null) throw new Error("no time");
  const [, y, m, d, h, min, s] = found;
  return Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`);
}

const children = (node) => nodes(node.inside);

function one(bytes) {
  const [node, ...others] = nodes(bytes);
  if (node === undefined || others.length > 0) throw new Error("not one item");
  return node;
}

function nodes(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const [length, begin] = lengthAt(bytes, at + 1);
    if (begin + length > bytes.length) throw new Error("cut");
    found.push({ tag: bytes[at], all: bytes.slice(at, begin + length), inside: bytes.slice(begin, begin + length) });
    at = begin + length;
  }
  return found;
}

/** A length, and where what it measures begins. */
function lengthAt(bytes, at) {
  const first = bytes[at] ?? 0x80;
  if (first < 0x80) return [first, at + 1];
  const count = first & 0x7f;
  if (count < 1 || count > 3 || at + count >= bytes.length) throw new Error("no length");
  return [bytes.slice(at + 1, at + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0), at + 1 + count];
}
