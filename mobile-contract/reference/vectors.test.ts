/**
 * The published vectors against this client: `node --test`, with the folder of the vectors in VECTORS.
 *
 * Every file has one form: `{name, input, now, keys, expect}`, and `expect` is `ok` or `problem_code`.
 */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Row, checkRows } from "./chain.js";
import { checkCertificate } from "./certificates.js";
import { fromBase64, fromBase64url, hex, utf8 } from "./encoding.js";
import { canonical } from "./jcs.js";
import { offlineAnswer } from "./offline-code.js";
import { checkExport, readExport } from "./proofs.js";
import { readPush } from "./push.js";
import { type CodeKind, fromFragment, readCode } from "./qr.js";
import type { AuditRoots, Pin } from "./roots.js";
import { type Lists, Trust } from "./trust.js";

// Vectors are data of many shapes; each reader says what it takes of one.
/* eslint-disable-next-line @typescript-eslint/no-explicit-any */
type Data = any;

interface Case {
  name: string;
  input: Data;
  now: string | null;
  keys: Data;
  expect: Data;
}

const place = process.env["VECTORS"] ?? "../vectors";
const DAY_MS = 86_400_000;

/** What this client makes of one case, in the words of the file. */
const readers: Record<string, (one: Case) => Promise<unknown>> = {
  qr: async ({ input, now, keys }) => {
    const pinned = new Map(Object.entries(keys as Record<string, string>).map(([kid, key]) => [kid, fromBase64(key)]));
    const text = "fragment" in input ? fromFragment(input.fragment as string) : (input.text as string);
    if ("fragment" in input) assert.equal(text, input.text);
    return readCode(input.kind as CodeKind, text, pinned, Date.parse(now ?? ""));
  },
  push: async ({ input }) => ({ ok: readPush(input) }),
  "consent-code": async (one) => airplane(one),
  "audit-chain": async ({ input, keys }) => {
    const broken = await checkRows(input.rows as Row[], (keys.pin as { seq: number; h: string } | undefined) ?? null);
    return broken === null ? { ok: { rows: input.rows.length as number } } : { problem_code: broken.reason, at: broken.at };
  },
  "audit-roots": async ({ input, keys }) => {
    const pages = [(input.export as unknown[]).map((line) => JSON.stringify(line)).join("\n")];
    let pin = (keys.pin as Pin | null) ?? null;
    if ("before" in input) {
      const before = (input.before as unknown[]).map((line) => JSON.stringify(line)).join("\n");
      pin = (await checkExport(readExport([before]), pin, [])).pin;
    }
    const found = await checkExport(readExport(pages), pin, input.roots as AuditRoots[], keys.witness as string);
    if (found.broken !== null) return { problem_code: found.broken.reason, at: found.broken.at };
    const gaps = found.gaps.map(({ first, last }) => ({ first, last }));
    return { ok: { seq: found.pin?.seq, root: found.pin?.root?.number, gaps, keys: found.pin?.keys.map((key) => key.kid) } };
  },
  certificates: async ({ input, now, keys }) => {
    const trust = await Trust.from(keys.lists as Lists, keys.max_age_days * DAY_MS);
    const { status, step, holder, isRevocationKnown } = await checkCertificate(input.text as string, trust, Date.parse(now ?? ""));
    if (status !== "VERIFIED") return { problem_code: status, step };
    return { ok: { status, holder, revocation_known: isRevocationKnown } };
  },
  "device-keys": async ({ input, keys, expect }) => {
    const text = canonical(input.members);
    const { x, y } = keys[input.key];
    const jwk = { kty: "EC", crv: "P-256", x, y };
    const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    const signature = fromBase64url((input.signature ?? expect.ok?.signature) as string);
    const holds = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, utf8(text));
    return holds ? { ok: { text, signature: expect.ok?.signature } } : { problem_code: "step-up-refused" };
  },
};
/** What a phone never reads by itself: scanners of desks, share links. */
const elsewhere = new Set(["card-texts", "sharing", "tolerance"]);

/** Tier C as it happens: the code is checked with pinned keys, shown, answered; no network in any step. */
async function airplane({ input, now, keys, expect }: Case): Promise<unknown> {
  const pinned = new Map(Object.entries(keys.qr as Record<string, string>).map(([kid, key]) => [kid, fromBase64(key)]));
  const read = await readCode("doctor-request", input.scanned as string, pinned, Date.parse(now ?? ""));
  if ("problem_code" in read) return read;
  const { text, counter, digits } = await offlineAnswer(fromBase64url(keys.hotp_secret as string), read.ok);
  // What the doctor's side answers is the service's part.
  return { ok: { shown: read.ok, text, counter: hex(counter), digits, doctor: expect.ok.doctor } };
}

for (const file of readdirSync(place).filter((name) => name.endsWith(".json"))) {
  const name = file.slice(0, -".json".length);
  const { v, cases } = JSON.parse(readFileSync(join(place, file), "utf8")) as { v: string; cases: Case[] };
  if (elsewhere.has(name)) continue;
  test(`${name}: somebody reads it`, () => assert.ok(v === "1" && name in readers && cases.length > 0));
  for (const one of cases) {
    test(`${name}: ${one.name}`, async () => assert.deepEqual(await readers[name]?.(one), one.expect));
  }
}
