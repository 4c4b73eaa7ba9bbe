/** What the client promises about repeats, sessions and signatures, without a service. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Acts } from "./acts.js";
import { newDevice, signedRefresh } from "./device.js";
import { utf8 } from "./encoding.js";
import { deskPhone, MemoryStorage } from "./memory.js";
import type { Clock, KeyName, Network } from "./ports.js";
import { NoAnswer, Refusal } from "./problems.js";
import { Session } from "./session.js";
import { taken, Transport } from "./transport.js";

const BUILD = { baseUrl: "http://service", appVersion: "android/2.4.1" };
const VECTORS = process.env["VECTORS"] ?? "../vectors";

/** Answers in turn; the last one again and again. */
function network(...answers: (Response | Error)[]): { network: Network; asked: Request[] } {
  const asked: Request[] = [];
  const answer: Network = async (request) => {
    const next = answers[Math.min(asked.push(request), answers.length) - 1];
    if (next instanceof Error || next === undefined) throw next;
    return next.clone();
  };
  return { network: answer, asked };
}

/** Sleeping takes no time, and is counted. */
function clock(): Clock & { slept: number[] } {
  const slept: number[] = [];
  let now = 1_795_226_400_000;
  const sleep = (milliseconds: number): Promise<void> => {
    slept.push(milliseconds);
    now += milliseconds;
    return Promise.resolve();
  };
  return { now: () => now, sleep, slept };
}

function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  const text = { title: "x", detail: "x", title_en: "x", detail_en: "x", type: "x" };
  const type = { "Content-Type": "application/problem+json" };
  return new Response(JSON.stringify({ ...text, status, code }), { status, headers: { ...type, ...headers } });
}

const json = (value: object): Response =>
  new Response(JSON.stringify(value), { headers: { "Content-Type": "application/json" } });
const lost = (): Error => new TypeError("connection lost");

test("a read is asked again after a lost answer", async () => {
  const { network: bad, asked } = network(lost(), lost(), json({ items: [] }));
  await taken(new Transport(BUILD, bad, clock()).api.GET("/v1/me/household"));
  assert.equal(asked.length, 3);
  assert.equal(asked[0]?.headers.get("X-App-Version"), BUILD.appVersion);
});

test("an act without a key is not sent twice by itself", async () => {
  const { network: bad, asked } = network(lost());
  const body = { kind: "number" as const, value: "001095000103" };
  const sent = new Transport(BUILD, bad, clock()).api.POST("/v1/auth/sign-in/start", { body });
  await assert.rejects(sent, NoAnswer);
  assert.equal(asked.length, 1);
});

test("an act with a key is sent again with the same key and the same body", async () => {
  const { network: bad, asked } = network(lost(), problem(500, "internal"), json({}));
  const params = { header: { "Idempotency-Key": "a".repeat(16) } };
  const body = { kind: "medicine" as const, name: "Thuốc" };
  await taken(new Transport(BUILD, bad, clock()).api.POST("/v1/me/statements", { params, body }));
  assert.deepEqual(new Set(asked.map((one) => one.headers.get("Idempotency-Key"))), new Set(["a".repeat(16)]));
  assert.equal(new Set(await Promise.all(asked.map((one) => one.text()))).size, 1);
});

test("429 waits as long as it says, and longer than the person's patience is not waited", async () => {
  const time = clock();
  const busy = network(problem(429, "too-many", { "Retry-After": "7" }), json({ items: [] }));
  await taken(new Transport(BUILD, busy.network, time).api.GET("/v1/me/household"));
  assert.ok((time.slept[0] ?? 0) >= 7000 && (time.slept[0] ?? 0) <= 8000);
  const hour = network(problem(429, "too-many", { "Retry-After": "3600" }));
  const refused = taken(new Transport(BUILD, hour.network, time).api.GET("/v1/me/household"));
  await assert.rejects(refused, (one) => one instanceof Refusal && one.retryAfterSeconds === 3600);
  assert.equal(hour.asked.length, 1);
});

test("an answer that was cut short is no answer", async () => {
  const half = new ReadableStream({
    start(controller) {
      controller.enqueue(utf8('{"items"'));
      controller.error(lost());
    },
  });
  let sent = 0;
  const cut: Network = async () => (sent++ === 0 ? new Response(half) : json({ items: [] }));
  await taken(new Transport(BUILD, cut, clock()).api.GET("/v1/me/household"));
  assert.equal(sent, 2);
});

test("426 is told and not asked again", async () => {
  const told: string[] = [];
  const { network: old, asked } = network(problem(426, "app-too-old"));
  const build = { ...BUILD, onTooOld: (refusal: Refusal) => told.push(refusal.code) };
  await assert.rejects(taken(new Transport(build, old, clock()).api.GET("/v1/me/household")), Refusal);
  assert.deepEqual([told, asked.length], [["app-too-old"], 1]);
});

const TOKENS = { access_token: "first", expires_in_seconds: 600, refresh_token: "r1" };
const SIGNED_IN = { ...TOKENS, patient_id: "p", device_id: "d", hotp_secret: "", probation_until: "" };

test("ten screens with a spent token renew it once", async () => {
  const renewed = { access_token: "second", expires_in_seconds: 600, refresh_token: "r2" };
  const refreshes: string[] = [];
  const service: Network = async (request) => {
    if (!request.url.endsWith("/refresh")) {
      const isNew = request.headers.get("Authorization") === "Bearer second";
      return isNew ? json({ items: [] }) : problem(401, "not-signed-in");
    }
    refreshes.push(((await request.json()) as { refresh_token: string }).refresh_token);
    return json(renewed);
  };
  const phone = await deskPhone({ network: service });
  const session = await Session.begun(phone, new Transport(BUILD, service, phone.clock), SIGNED_IN);
  const { api } = new Transport(BUILD, service, phone.clock, session);
  await Promise.all(Array.from({ length: 10 }, () => taken(api.GET("/v1/me/household"))));
  assert.deepEqual(refreshes, ["r1"]);
  const kept = JSON.parse((await phone.storage.get("session")) ?? "") as { refreshToken: string };
  assert.equal(kept.refreshToken, "r2");
});

test("a signature that was refused spends no token and is not sent again", async () => {
  const called: string[] = [];
  const service: Network = async (request) => {
    called.push(new URL(request.url).pathname);
    return problem(401, "step-up-refused");
  };
  const phone = await deskPhone({ network: service });
  const session = await Session.begun(phone, new Transport(BUILD, service, phone.clock), SIGNED_IN);
  const { repeating } = new Transport(BUILD, service, phone.clock, session);
  const acts = new Acts(phone.storage, phone.clock);
  const act = await acts.begin("pin", {});
  const send = acts.send(act, async () => await taken(repeating.POST("/v1/auth/sign-out")));
  await assert.rejects(send, (failure: unknown) => failure instanceof Refusal && failure.action === "show");
  assert.deepEqual(called, ["/v1/auth/sign-out"]);
  assert.deepEqual(await acts.left(), []);
});

test("a phone whose clock is wrong signs by the clock of the answer", async () => {
  const signed: number[] = [];
  const service: Network = async (request) => {
    signed.push(((await request.json()) as { iat: number }).iat);
    if (signed.length > 1) return json({ access_token: "second", expires_in_seconds: 600, refresh_token: "r2" });
    const refused = problem(401, "device-clock-off");
    refused.headers.set("Date", "Sat, 21 Nov 2026 02:00:00 GMT");
    return refused;
  };
  const time = { ...clock(), now: () => Date.parse("2031-01-01T00:00:00Z") };
  const phone = await deskPhone({ network: service, clock: time });
  const session = await Session.begun(phone, new Transport(BUILD, service, time), SIGNED_IN);
  assert.equal(await session.renewed("first"), "second");
  assert.deepEqual(signed, [Date.parse("2031-01-01T00:00:00Z") / 1000, Date.parse("2026-11-21T02:00:00Z") / 1000]);
});

test("a refresh whose answers are lost is signed anew for each try", async () => {
  const signed: string[] = [];
  const service: Network = async (request) => {
    signed.push(((await request.json()) as { signature: string }).signature);
    if (signed.length < 4) throw new TypeError("connection lost");
    return json({ access_token: "second", expires_in_seconds: 600, refresh_token: "r2" });
  };
  const phone = await deskPhone({ network: service });
  const session = await Session.begun(phone, new Transport(BUILD, service, phone.clock), SIGNED_IN);
  assert.equal(await session.renewed("first"), "second");
  assert.equal(new Set(signed).size, 4);
});

test("no network signs nobody out, an ended session does", async () => {
  let isDown = true;
  const service: Network = async () => {
    if (isDown) throw lost();
    return problem(401, "session-ended");
  };
  const time = clock();
  const phone = await deskPhone({ network: service, clock: time });
  const session = await Session.begun(phone, new Transport(BUILD, service, time), SIGNED_IN);
  await assert.rejects(session.renewed("first"), NoAnswer);
  assert.notEqual(await phone.storage.get("session"), null);
  isDown = false;
  assert.equal(await session.renewed("first"), null);
  assert.equal(await phone.storage.get("session"), null);
});

test("an act keeps its key through restarts until it is decided", async () => {
  const kept = new Map<string, string>();
  const first = await new Acts(new MemoryStorage(kept), clock()).begin("case/1", { text: "x" });
  const acts = new Acts(new MemoryStorage(kept), clock());
  const again = await acts.begin("case/1", { text: "another tap" });
  assert.deepEqual(again, first);
  await assert.rejects(acts.send(again, () => Promise.reject(new NoAnswer())));
  assert.equal((await acts.left()).length, 1);
  await acts.send(again, () => Promise.resolve("made"));
  assert.deepEqual(await acts.left(), []);
});

test("an enrolment and a refresh are signed as the vectors say", async () => {
  const { cases } = JSON.parse(readFileSync(`${VECTORS}/device-keys.json`, "utf8"));
  const of = (typ: string) => cases.find((one: any) => one.expect.ok && one.input.members.typ === typ);
  const [enrolment, refresh] = [of("device-enrolment"), of("refresh")];
  const keys = { refresh: enrolment.keys.refresh, "step-up": enrolment.keys.step_up };
  const signed: string[] = [];
  const stand = {
    publicKey: async (name: KeyName) => keys[name],
    sign: async (_: KeyName, text: Uint8Array) => {
      signed.push(new TextDecoder().decode(text));
      return new Uint8Array(64);
    },
    forget: async () => undefined,
  };
  const now = (): number => refresh.input.members.iat * 1000;
  const phone = await deskPhone({ keys: stand, clock: { ...clock(), now } });
  await newDevice(phone, enrolment.input.members.challenge, "x");
  const { text } = enrolment.expect.ok;
  assert.deepEqual(signed.splice(0), [text, text]);
  await signedRefresh(phone, refresh.input.refresh_token);
  assert.deepEqual(signed, [refresh.expect.ok.text]);
});
