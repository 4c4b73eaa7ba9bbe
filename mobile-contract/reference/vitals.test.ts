/** What becomes of a batch that the service does not take as it is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "./memory.js";
import type { Network } from "./ports.js";
import { Transport } from "./transport.js";
import { type Item, Vitals } from "./vitals.js";

interface Sent {
  seq: number;
  samples: { id: string }[];
  streams: object;
}

const NOW = 1_795_226_400_000;
const REQUESTS_MAX = 50;

/** A phone with samples of these ids; `answers` says what the service makes of a batch. */
async function phone(ids: string[], answers: (batch: Sent) => { status: number; code?: string; rejected?: object[] }) {
  const asked: Sent[] = [];
  const network: Network = async (request) => {
    const batch = (await request.json()) as Sent;
    assert.ok(asked.push(batch) <= REQUESTS_MAX, "it never comes to an end");
    const { status, code, rejected } = answers(batch);
    const ack = { received: 1, rejected: rejected ?? [], cursors: cursorsOf(batch), next: {} };
    const headers = { "Content-Type": status === 200 ? "application/json" : "application/problem+json" };
    return new Response(JSON.stringify(status === 200 ? ack : { status, code }), { status, headers });
  };
  const clock = { now: () => NOW, sleep: () => Promise.resolve() };
  const storage = new MemoryStorage();
  const transport = new Transport({ baseUrl: "http://service", appVersion: "android/2.4.1" }, network, clock);
  const vitals = new Vitals(transport, storage, clock, "phone-1", "p");
  await vitals.add(ids.map(sample));
  const left = async (): Promise<number> => (await storage.names("vitals/p/p/item/")).length;
  return { vitals, asked, left };
}

const cursorsOf = ({ streams }: Sent): Record<string, string> =>
  Object.fromEntries(Object.entries(streams).map(([name, one]) => [name, (one as { cursor: string }).cursor]));

const sample = (id: string): Item => ({
  part: "samples",
  value: { id, k: "weight", t: new Date(NOW - 1000).toISOString(), v: 60, u: "kg", s: 0, ver: 1, z: 420 },
});

const IDS = ["a", "b", "bad", "c", "d", "e", "f"];
const holdsBad = (batch: Sent): boolean => batch.samples.some(({ id }) => id === "bad");

for (const status of [400, 413]) {
  test(`${status} finds the one item that is not taken, and sends the others`, async () => {
    const { vitals, asked, left } = await phone(IDS, (one) => ({ status: holdsBad(one) ? status : 200, code: "x" }));
    const sent = await vitals.sendAll();
    assert.equal(sent.state, "all-sent");
    assert.deepEqual(sent.rejected.map(({ item }) => (item?.value as { id: string }).id), ["bad"]);
    assert.equal(await left(), 0);
    const taken = asked.filter((one) => !holdsBad(one)).flatMap(({ samples }) => samples.map(({ id }) => id));
    assert.deepEqual(taken.sort(), IDS.filter((id) => id !== "bad"));
    assert.equal(new Set(asked.map(({ seq }) => seq)).size, asked.length);
  });
}

test("a batch of marks alone that is refused stops", async () => {
  const { vitals, asked } = await phone([], () => ({ status: 400, code: "invalid-field" }));
  await vitals.reached("heart-rate", "anchor");
  const { state, refusal } = await vitals.sendAll();
  assert.deepEqual([state, refusal?.code, asked.length], ["stopped", "invalid-field", 1]);
  assert.equal((await vitals.sendAll()).state, "stopped");
});

test("a number that was used by a copy that is gone is left behind", async () => {
  const { vitals, asked } = await phone(["a"], ({ seq }) => ({ status: seq < 5 ? 409 : 200, code: "batch-seq-reused" }));
  assert.equal((await vitals.sendAll()).state, "all-sent");
  assert.deepEqual([asked.length, asked[0]?.seq, (asked[1]?.seq ?? 0) > NOW], [2, 1, true]);
});

test("what was too many comes again in a later batch", async () => {
  let isFirst = true;
  const { vitals, asked, left } = await phone(["a", "b"], () => {
    const rejected = isFirst ? [{ of: "samples", i: 1, code: "too-many" }, { of: "samples", i: 0, code: "bad-unit" }] : [];
    isFirst = false;
    return { status: 200, rejected };
  });
  const { rejected } = await vitals.sendAll();
  assert.deepEqual(rejected.map(({ code }) => code), ["bad-unit"]);
  assert.deepEqual([asked[1]?.samples.length, asked[1]?.samples[0]?.id, await left()], [1, asked[0]?.samples[1]?.id, 0]);
});

test("a device that was taken off sends nothing more, and keeps what it has", async () => {
  const { vitals, asked, left } = await phone(["a"], () => ({ status: 403, code: "vital-device-revoked" }));
  assert.equal((await vitals.sendAll()).state, "stopped");
  assert.deepEqual([asked.length, await left()], [1, 1]);
});
