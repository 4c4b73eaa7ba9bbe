/**
 * Codes of the service that a phone scans: signed, of one kind, with an end (`qr.schema.json`).
 *
 * Checked with the keys that the app carries (`kid` → key), so also without a network.
 */

import { type Bytes, base45, concat, fromBase45, fromBase64url, textOf, utf8 } from "./encoding.js";

export type CodeKind = "citizen" | "doctor-request" | "counter" | "poster" | "ticket" | "letter" | "paper";
export type CodeProblem =
  | "qr-unreadable"
  | "qr-version-unknown"
  | "qr-signature-invalid"
  | "qr-wrong-kind"
  | "qr-expired";
export type ReadCode = { ok: Record<string, unknown> } | { problem_code: CodeProblem };

/** Raw Ed25519 keys by their id: those of `/.well-known/qr-keys.json`, or of `paper-keys.json` for papers. */
export type PinnedKeys = ReadonlyMap<string, Bytes>;

interface Payload {
  body: Record<string, unknown>;
  exp: number;
  kid: string;
  kind: string;
  v: string;
}

const PREFIX = "SSK1:";
const SIGNATURE_BYTES = 64;
const TEXT_MAX = 3391;

/** now: milliseconds. Nothing inside the text decides anything before its signature held. */
export async function readCode(kind: CodeKind, text: string, keys: PinnedKeys, now: number): Promise<ReadCode> {
  if (!text.startsWith("SSK") || text.length > TEXT_MAX) return refused("qr-unreadable");
  if (!text.startsWith(PREFIX)) return refused(/^SSK[0-9]+:/.test(text) ? "qr-version-unknown" : "qr-unreadable");
  const opened = open(text);
  if (opened === null) return refused("qr-unreadable");
  const { payload, raw, signature } = opened;
  const key = keys.get(payload.kid);
  if (key === undefined || !(await ed25519Holds(key, signature, concat(utf8(PREFIX), raw)))) {
    return refused("qr-signature-invalid");
  }
  if (payload.kind !== kind) return refused("qr-wrong-kind");
  return now >= payload.exp * 1000 ? refused("qr-expired") : { ok: payload.body };
}

/** The text behind the `#` of a printed paper's address. What is no fragment comes back as it is, to be refused. */
export function fromFragment(fragment: string): string {
  try {
    return PREFIX + base45(fromBase64url(fragment));
  } catch {
    return fragment;
  }
}

export async function ed25519Holds(key: Bytes, signature: Bytes, signed: Bytes): Promise<boolean> {
  try {
    const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, signed);
  } catch {
    return false; // no point of the curve, or no signature of 64 bytes
  }
}

function open(text: string): { payload: Payload; raw: Bytes; signature: Bytes } | null {
  try {
    const all = fromBase45(text.slice(PREFIX.length));
    const raw = all.slice(0, -SIGNATURE_BYTES);
    const payload: unknown = JSON.parse(textOf(raw));
    return isPayload(payload) ? { payload, raw, signature: all.slice(-SIGNATURE_BYTES) } : null;
  } catch {
    return null;
  }
}

function isPayload(value: unknown): value is Payload {
  if (typeof value !== "object" || value === null) return false;
  const { body, exp, kid, kind, v, ...others } = value as Record<string, unknown>;
  const isNamed = [kid, kind, v].every((member) => typeof member === "string");
  const isBody = typeof body === "object" && body !== null && !Array.isArray(body);
  return isNamed && isBody && Number.isInteger(exp) && Object.keys(others).length === 0;
}

const refused = (problem_code: CodeProblem): ReadCode => ({ problem_code });
