/**
 * The access log, checked on the phone: `GET /v1/me/access-log/export` and `/.well-known/audit-roots`, with what an
 * earlier check kept (`pin`). Keep the pin of a check that held, in the phone's encrypted storage, and give it to the
 * next one: a log that was shortened or written anew in between is found by it alone.
 *
 * Not covered: the sentence (`line`) and the facility's name, which are put together for people.
 */

import { type Broken, type Head, type Row, checkRows } from "./chain.js";
import { fromHex } from "./encoding.js";
import type { components } from "./generated/service.js";
import { canonical } from "./jcs.js";
import {
  type AuditRoots,
  type LogProof,
  NotCheckable,
  type Pin,
  believedKeys,
  checkPin,
  checkProof,
  checkRoots,
  checkWitness,
} from "./roots.js";

type LogItem = components["schemas"]["LogItem"];

export interface Export {
  items: LogItem[];
  rows: Row[];
  /** What the last page said that the log's end is; null for an empty log. */
  head: Head | null;
  proof: LogProof | null;
}

/** Rows from `first` on that a restored backup lost; last: of a kept head that is among them. Tell the person. */
export interface Gap {
  first: number;
  last: number | null;
  until: number;
}

export interface Verdict {
  broken: Broken | null;
  gaps: Gap[];
  /** To keep for the next time; null where something is broken (keep the old one then). */
  pin: Pin | null;
}

// A head that changed is in a root within minutes; a longer delay is a row that is kept out.
const ROOTED_WITHIN_MS = 3_600_000;
const RECOVERED = "restore:log:recovered";

/** The pages of one export in their order. Throws on what is none. */
export function readExport(pages: readonly string[]): Export {
  const lines = pages
    .join("\n")
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => JSON.parse(line) as { item?: LogItem; head?: Head; proof?: LogProof });
  const items = lines.flatMap((line) => line.item ?? []);
  const head = lines.flatMap((line) => line.head ?? []).at(-1) ?? null;
  if (items.length > 0 && head === null) throw new Error("the export stops before its end");
  return { items, rows: items.map(rowOf), head, proof: lines.flatMap((line) => line.proof ?? []).at(-1) ?? null };
}

/** roots: pages of `/.well-known/audit-roots`, best from two places. witness: the Ed25519 key of one that you trust. */
export async function checkExport(
  log: Export,
  pin: Pin | null,
  roots: readonly AuditRoots[],
  witness: string | null = null,
): Promise<Verdict> {
  const gaps = gapsOf(log, pin);
  let broken = await checkChain(log, pin, gaps);
  if (broken === null && roots.length > 0) broken = await checkUnderRoots(log, pin, roots, witness, gaps);
  return { broken, gaps, pin: broken === null ? await nextPin(log, pin, roots) : null };
}

async function checkChain(log: Export, pin: Pin | null, gaps: readonly Gap[]): Promise<Broken | null> {
  const broken = await checkRows(log.rows);
  if (broken !== null) return broken;
  const differs = log.items.find((item, at) => !shows(item, log.rows[at]!.row));
  if (differs !== undefined) return { at: differs.seq, reason: "shown-differs-from-row" };
  const cut = await checkRows(log.rows, log.head);
  if (cut !== null) return { at: cut.at, reason: "head-missing" };
  if (pin === null || gaps.some((gap) => gap.last === pin.seq)) return null;
  return checkRows(log.rows, pin);
}

async function checkUnderRoots(
  log: Export,
  pin: Pin | null,
  roots: readonly AuditRoots[],
  witness: string | null,
  gaps: readonly Gap[],
): Promise<Broken | null> {
  const { proof } = log;
  const forged = await checkRoots(roots, pin);
  if (forged !== null) return forged;
  if (proof === null) throw new NotCheckable("the export has no proof yet");
  const until = gaps.map((gap) => gap.until);
  return (
    (await checkProof(proof, roots)) ??
    checkLeaf(log, proof, roots) ??
    (pin === null ? null : await checkPin(proof, pin, until)) ??
    (witness === null ? null : await checkWitness(proof, roots, witness))
  );
}

/** The root's head of this log is a row of it, and no older one than it should be. */
function checkLeaf(log: Export, proof: LogProof, roots: readonly AuditRoots[]): Broken | null {
  const { leaf } = proof;
  const row = log.rows[leaf.seq - 1];
  if (row === undefined) return { at: log.rows.length + 1, reason: "rooted-row-missing" };
  if (row.h !== leaf.h) return { at: leaf.seq, reason: "rooted-row-differs" };
  const due = rootedUntil(log, proof, roots);
  const late = log.items.slice(leaf.seq).find((item) => Date.parse(item.at) + ROOTED_WITHIN_MS < due);
  return late === undefined ? null : { at: late.seq, reason: "row-kept-out-of-root" };
}

/** Rows an hour older than this had their root when the export was made, whichever root the proof names. */
function rootedUntil(log: Export, proof: LogProof, roots: readonly AuditRoots[]): number {
  const { root } = proof.root;
  const all = roots.flatMap((document) => document.roots).filter((one) => one.root.log === root.log);
  const newest = Math.max(...[root, ...all.map((one) => one.root)].map((one) => Date.parse(one.at)));
  return Math.max(Date.parse(root.at), Math.min(newest, Date.parse(log.items.at(-1)!.at)));
}

function gapsOf(log: Export, pin: Pin | null): Gap[] {
  const restores = log.items.filter((item) => item.action === RECOVERED);
  const gaps: Gap[] = restores.map((item) => ({ first: item.seq, last: null, until: Date.parse(item.at) }));
  if (pin === null || log.rows.some((row) => row.seq === pin.seq && row.h === pin.h)) return gaps;
  const keptAt = pin.root === null ? -Infinity : Date.parse(pin.root.at);
  const lost = gaps.find((gap) => gap.first <= pin.seq && gap.until > keptAt);
  return gaps.map((gap) => (gap === lost ? { ...gap, last: pin.seq } : gap));
}

/** What was kept, moved on by what was proved: a check without roots takes none of them away. */
async function nextPin(log: Export, pin: Pin | null, roots: readonly AuditRoots[]): Promise<Pin | null> {
  if (log.head === null) return pin;
  const kept = { ...(pin ?? { pseudonym: null, root: null, keys: [] }), seq: log.head.seq, h: log.head.h };
  if (roots.length === 0 || log.proof === null) return kept;
  const { leaf, root } = log.proof;
  return { ...kept, pseudonym: leaf.pseudonym, root: root.root, keys: await believedKeys(roots, pin) };
}

function rowOf(item: LogItem): Row {
  // A protected practitioner's row comes whole; only what binds it to a name is missing.
  if (item.row == null || Boolean(item.actor_salt) === (item.actor_alias != null)) {
    throw new Error("an export without proofs");
  }
  const row = JSON.parse(item.row) as Record<string, unknown>;
  if (canonical(row) !== item.row) throw new Error("a text that holds more than what is hashed, or holds it twice");
  const { seq, prev, h, salt, actor_name, actor_licence } = item;
  fromHex(prev + h + salt + (item.actor_salt ?? ""));
  return { seq, row, prev, h, salt, actor_salt: item.actor_salt ?? "", actor_name, actor_licence };
}

/** Whether a line shows what its row says. */
function shows(item: LogItem, row: Record<string, unknown>): boolean {
  const actor = row["actor"] as { id: string; kind: string; role: string | null };
  const grant = row["grant"] as { id: string } | null;
  const isOwn = actor.kind === "citizen" && actor.id === row["patient_id"];
  const shown = [
    ...[item.first_seq, item.times, Date.parse(item.at), item.action, item.outcome, item.reason],
    ...[item.actor_kind, item.actor_role, item.is_own, item.on_behalf_of, item.purpose, item.grant_id],
    ...[item.types, item.count, item.request_id, item.facility_id ?? null, item.basis ?? null],
  ];
  const said = [
    ...[item.seq, 1, Date.parse(String(row["at"])), row["action"], row["outcome"], row["reason"]],
    ...[actor.kind, actor.role, isOwn, row["on_behalf_of"], row["purpose"], grant?.id ?? null],
    ...[Object.keys(row["resources"] as object), row["count"], row["request_id"], row["facility_id"], row["basis"]],
  ];
  return canonical(shown) === canonical(said);
}
