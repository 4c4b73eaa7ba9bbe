/**
 * Public roots over everybody's logs: with what an earlier check kept, the service cannot show one person another
 * log than it showed everybody, nor an older one.
 */

import { type Broken, link } from "./chain.js";
import { fromBase64url, fromHex, hex, sha256, utf8 } from "./encoding.js";
import type { components } from "./generated/service.js";
import { canonical } from "./jcs.js";
import { holdsConsistency, holdsInclusion, leafHash } from "./merkle.js";
import { ed25519Holds } from "./qr.js";

export type AuditRoots = components["schemas"]["AuditRoots"];
export type LogProof = components["schemas"]["LogProof"];
export type Root = components["schemas"]["Root"];
export type RootKey = components["schemas"]["RootKey"];
export type KnownKey = Pick<RootKey, "kid" | "x">;
type SignedRoot = components["schemas"]["SignedRoot"];

/** What the app keeps of a check, encrypted like the book. keys: those that signed roots that were believed. */
export interface Pin {
  seq: number;
  h: string;
  pseudonym: string | null;
  root: Root | null;
  keys: KnownKey[];
}

/** Something is missing that the check needs: ask for it (another page of roots, a later day) and check again. */
export class NotCheckable extends Error {}

/** Of a root's signed text. */
export const rootId = async (root: Root): Promise<string> => hex(await sha256(utf8(canonical(root))));

/**
 * The pinned keys and those that one of them vouches for, also through others; where nothing is pinned yet, every
 * published one. A key that came with the app's build may be added to the pin.
 */
export async function believedKeys(documents: readonly AuditRoots[], pin: Pin | null): Promise<KnownKey[]> {
  const published = documents.flatMap((document) => document.keys);
  if (pin === null || pin.keys.length === 0) return eachOnce(published);
  const believed = eachOnce(pin.keys);
  for (let isMore = true; isMore; ) {
    isMore = false;
    for (const key of published) {
      if (believed.some((one) => one.kid === key.kid) || !(await isVouched(key, believed))) continue;
      believed.push({ kid: key.kid, x: key.x });
      isMore = true;
    }
  }
  return believed;
}

/** Roots from one or several places: signed by believed keys, chained, and nowhere two states of one size. */
export async function checkRoots(documents: readonly AuditRoots[], pin: Pin | null): Promise<Broken | null> {
  const keys = eachOnce([...documents.flatMap((document) => document.keys), ...(pin?.keys ?? [])]);
  if (new Set(keys.map((key) => key.kid)).size < keys.length) return { at: 0, reason: "root-keys-differ" };
  const believed = await believedKeys(documents, pin);
  const isStrange = (kid: string): boolean => keys.some((key) => key.kid === kid) && !believed.some((key) => key.kid === kid);
  const published = documents.flatMap((document) => document.roots);
  for (const signed of published) {
    const { number, kid } = signed.root;
    if (isStrange(kid)) return { at: number, reason: "root-key-unvouched" };
    if (!(await isSigned(signed, believed))) return { at: number, reason: "root-signature-wrong" };
  }
  return checkSequence(published.map((one) => one.root).sort((one, other) => one.number - other.number));
}

/** One row, its path to the leaf, and the leaf under a published root. */
export async function checkProof(proof: LogProof, documents: readonly AuditRoots[]): Promise<Broken | null> {
  const { root } = proof.root;
  const found = published(root.number, documents);
  if (found.length === 0) throw new NotCheckable(`roots since ${root.number - 1} are needed`);
  const name = await rootId(root);
  for (const one of found) {
    if ((await rootId(one.root)) !== name) return { at: root.number, reason: "roots-fork" };
  }
  let value = proof.h;
  for (const [at, row] of proof.path.entries()) value = await link(value, proof.seq + 1 + at, fromHex(row));
  const { leaf } = proof;
  if (value !== leaf.h || proof.seq + proof.path.length !== leaf.seq || root.epoch !== leaf.epoch) {
    return { at: proof.seq, reason: "proof-forged" };
  }
  const data = await leafHash(utf8(canonical(leaf)));
  const holds = await holdsInclusion(data, proof.index, root.size, proof.inclusion.map(fromHex), fromHex(root.hash));
  return holds ? null : { at: leaf.seq, reason: "proof-forged" };
}

/** That the proof's root continues the one that was kept. restores: when, in ms, as the log itself tells. */
export async function checkPin(proof: LogProof, pin: Pin, restores: readonly number[]): Promise<Broken | null> {
  const { root } = proof.root;
  const kept = pin.root;
  if (pin.pseudonym !== null && pin.pseudonym !== proof.leaf.pseudonym) {
    return { at: proof.leaf.seq, reason: "another-person" };
  }
  if (kept === null) return null;
  if (kept.log !== root.log || kept.epoch !== root.epoch) {
    // A restored backup begins a new log. One that was over when the root was kept excuses no other.
    const isLater = kept.epoch < root.epoch && restores.some((at) => at > Date.parse(kept.at));
    return isLater ? null : { at: root.number, reason: "root-rolled-back" };
  }
  if (kept.number === root.number) {
    return (await rootId(kept)) === (await rootId(root)) ? null : { at: root.number, reason: "roots-fork" };
  }
  if (kept.number > root.number || kept.size > root.size) return { at: root.number, reason: "root-rolled-back" };
  return checkContinues(proof, kept);
}

/** That the holder of a key that one knows from elsewhere saw the proof's root. */
export async function checkWitness(
  proof: LogProof,
  documents: readonly AuditRoots[],
  key: string,
): Promise<Broken | null> {
  const { root } = proof.root;
  const said = [proof.root, ...published(root.number, documents)].flatMap((one) => one.witnesses ?? []);
  if (said.length === 0) throw new NotCheckable(`no witness of root ${root.number} yet`);
  const name = await rootId(root);
  for (const { at, signature, witness } of said) {
    const text = canonical({ at, root: name, typ: "audit-root-cosignature", v: 1, witness });
    if (await holds(key, signature, text)) return null;
  }
  return { at: root.number, reason: "root-not-witnessed" };
}

async function checkContinues(proof: LogProof, kept: Root): Promise<Broken | null> {
  const { root } = proof.root;
  if (proof.pinned === null) throw new NotCheckable(`a proof that continues root ${kept.number} is needed`);
  if ((await rootId(proof.pinned.root)) !== (await rootId(kept))) return { at: kept.number, reason: "roots-fork" };
  const steps = proof.consistency.map(fromHex);
  const isContinued = await holdsConsistency(kept.size, root.size, steps, fromHex(kept.hash), fromHex(root.hash));
  return isContinued ? null : { at: root.number, reason: "root-continues-nothing" };
}

/** roots: in the order of their numbers; one that was got from two places stands there twice. */
async function checkSequence(roots: readonly Root[]): Promise<Broken | null> {
  const states = new Map(roots.map((root) => [`${root.log} ${root.size}`, root.hash]));
  for (const root of roots) {
    if (states.get(`${root.log} ${root.size}`) !== root.hash) return { at: root.number, reason: "roots-fork" };
  }
  for (const [at, after] of roots.slice(1).entries()) {
    const before = roots[at]!;
    const name = await rootId(before);
    if (before.number === after.number && name !== (await rootId(after))) {
      return { at: after.number, reason: "roots-fork" };
    }
    if (before.number + 1 === after.number && after.prev !== name) {
      return { at: after.number, reason: "root-chain-broken" };
    }
    if (before.log === after.log && before.size > after.size) return { at: after.number, reason: "root-rolled-back" };
  }
  return null;
}

async function isVouched({ kid, x, vouchers = [] }: RootKey, believed: readonly KnownKey[]): Promise<boolean> {
  for (const { by, signature } of vouchers) {
    const known = believed.find((key) => key.kid === by);
    if (known !== undefined && (await holds(known.x, signature, canonical({ by, kid, typ: "audit-root-key", v: 1, x })))) {
      return true;
    }
  }
  return false;
}

const eachOnce = (keys: readonly KnownKey[]): KnownKey[] => [
  ...new Map(keys.map(({ kid, x }) => [`${kid} ${x}`, { kid, x }])).values(),
];

async function isSigned(signed: SignedRoot, keys: readonly KnownKey[]): Promise<boolean> {
  const named = keys.filter((key) => key.kid === signed.root.kid);
  return named.length === 1 && holds(named[0]!.x, signed.signature, canonical(signed.root));
}

async function holds(key: string, signature: string, text: string): Promise<boolean> {
  try {
    return await ed25519Holds(fromBase64url(key), fromBase64url(signature), utf8(text));
  } catch {
    return false;
  }
}

const published = (number: number, documents: readonly AuditRoots[]): SignedRoot[] =>
  documents.flatMap((document) => document.roots).filter((one) => one.root.number === number);
