/**
 * Rows of the person's access log as a hash chain: an edited, deleted, inserted or moved row does not fit.
 *
 * h = SHA-256(0x01 | prev | seq as 8 bytes, big-endian | SHA-256(JCS(row))); the first prev is 32 zero bytes.
 */

import { type Bytes, fromHex, hex, sha256, utf8 } from "./encoding.js";
import { canonical } from "./jcs.js";

/** Digests and salts are hexadecimal; `row` is what the chain covers. actor_salt is "" in a masked row. */
export interface Row {
  seq: number;
  row: Record<string, unknown>;
  prev: string;
  h: string;
  salt: string;
  actor_salt: string;
  actor_name: string | null;
  actor_licence: string | null;
}

export interface Head {
  seq: number;
  h: string;
}

/** The first thing that does not hold: at the row of this seq, or the root of this number. */
export interface Broken {
  at: number;
  reason: string;
}

const GENESIS = "00".repeat(32);

export async function link(prev: string, seq: number, rowDigest: Bytes): Promise<string> {
  const place = new DataView(new ArrayBuffer(8));
  place.setBigUint64(0, BigInt(seq));
  return hex(await sha256(Uint8Array.of(1), fromHex(prev), new Uint8Array(place.buffer), rowDigest));
}

/** null where every row follows the one before it. pin: a head, kept earlier, that the rows must pass through. */
export async function checkRows(rows: readonly Row[], pin: Head | null = null): Promise<Broken | null> {
  let seq = 0;
  let prev = GENESIS;
  let isPassed = pin === null || (pin.seq === 0 && pin.h === GENESIS);
  for (const row of rows) {
    seq += 1;
    const reason = await brokenRow(row, seq, prev);
    if (reason !== null) return { at: seq, reason };
    if (pin?.seq === seq) {
      if (row.h !== pin.h) return { at: seq, reason: "pinned-head-differs" };
      isPassed = true;
    }
    prev = row.h;
  }
  return isPassed ? null : { at: seq + 1, reason: "pinned-head-missing" };
}

async function brokenRow(row: Row, seq: number, prev: string): Promise<string | null> {
  if (row.seq !== seq) return "row-missing-or-moved";
  if (row.prev !== prev) return "previous-does-not-match";
  const digest = await sha256(utf8(canonical(row.row)));
  if (row.h !== (await link(prev, seq, digest))) return "link-does-not-match";
  return (await namesMatch(row)) ? null : "name-does-not-match";
}

/** A masked row and the person's own bind no name, and so may show none. */
async function namesMatch(row: Row): Promise<boolean> {
  const actor = row.row["actor"] as { commitment?: string | null } | undefined;
  const commitment = actor?.commitment ?? null;
  if (commitment === null || row.actor_salt === "") return row.actor_name === null && row.actor_licence === null;
  const name = utf8(canonical([row.actor_name, row.actor_licence]));
  return commitment === hex(await sha256(fromHex(row.actor_salt), name));
}
