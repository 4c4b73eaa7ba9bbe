/** What the client promises about repeats, sessions and signatures, without a service. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateRawSync, deflateSync } from "node:zlib";
import { Acts, StaleAct } from "./acts.js";
import { Book } from "./book.js";
import { newDevice, signedRefresh } from "./device.js";
import { Tagged, decode } from "./cbor.js";
import { base64url, concat, fromBase64url, fromHex, inflate, sha256, utf8 } from "./encoding.js";
import { dropEnded } from "./household.js";
import { deskPhone, MemoryStorage } from "./memory.js";
import type { Clock, KeyName, Network } from "./ports.js";
import { NoAnswer, Refusal, isUndecided } from "./problems.js";
import { Once } from "./push.js";
import { Reminders } from "./reminders.js";
import { Session } from "./session.js";
import { SignIn } from "./sign-in.js";
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
  const acts = new Acts(phone.storage, phone.clock, "p");
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
  const first = await new Acts(new MemoryStorage(kept), clock(), "p").begin("case/1", { text: "x" });
  const acts = new Acts(new MemoryStorage(kept), clock(), "p");
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

test("what somebody in between answers is no answer of the service", async () => {
  for (const status of [302, 403, 404, 408, 502, 503, 200]) {
    const headers = { "Content-Type": status === 404 ? "application/json" : "text/html" };
    const { network: gateway, asked } = network(new Response("{}", { status, headers }));
    const { api } = new Transport(BUILD, gateway, clock());
    const body = { kind: "number" as const, value: "001095000103" };
    await assert.rejects(taken(api.POST("/v1/auth/sign-in/start", { body })), isUndecided, String(status));
    assert.equal(asked.length, 1, String(status));
  }
});

test("a first try that still runs keeps the act, and so does a conflict that says again", async () => {
  const running = network(problem(409, "running", { "Retry-After": "1" }));
  const acts = new Acts(new MemoryStorage(), clock(), "p");
  const act = await acts.begin("case", {});
  const send = (asked: Network) =>
    acts.send(act, async () => taken(new Transport(BUILD, asked, clock()).repeating.POST("/v1/auth/sign-out")));
  await assert.rejects(send(running.network), Refusal);
  const again = new Response(JSON.stringify({ code: "x", status: 409, retryable: true }), {
    status: 409,
    headers: { "Content-Type": "application/problem+json" },
  });
  await assert.rejects(send(network(again).network), Refusal);
  assert.equal((await acts.left()).length, 1);
  await assert.rejects(send(network(problem(409, "slot-full")).network), Refusal);
  assert.deepEqual(await acts.left(), []);
});

test("an act whose key is a day old is shown, not sent", async () => {
  const [storage, time] = [new MemoryStorage(), clock()];
  const acts = new Acts(storage, time, "p");
  const act = await acts.begin("case", { text: "x" });
  await time.sleep(24 * 3_600_000);
  const sent: string[] = [];
  await assert.rejects(acts.begin("case", { text: "y" }), StaleAct);
  await assert.rejects(acts.send(act, async ({ key }) => sent.push(key)), StaleAct);
  assert.deepEqual([sent, (await acts.left()).length], [[], 1]);
  await acts.forget(act);
  assert.notEqual((await acts.begin("case", {})).key, act.key);
});

test("two taps at once are one act, and another person's acts are none of mine", async () => {
  const kept = new Map<string, string>();
  const [one, other] = [new Acts(new MemoryStorage(kept), clock(), "p"), new Acts(new MemoryStorage(kept), clock(), "p")];
  const [first, second] = await Promise.all([one.begin("case", 1), other.begin("case", 2)]);
  assert.deepEqual(second, first);
  const mine = new Acts(new MemoryStorage(kept), clock(), "q");
  assert.deepEqual(await mine.left(), []);
  assert.notEqual((await mine.begin("case", 3)).key, first.key);
});

test("push and alarm of one notice ring once, also at once", async () => {
  const kept = new Map<string, string>();
  const [push, alarm] = [new Once(new MemoryStorage(kept), clock()), new Once(new MemoryStorage(kept), clock())];
  assert.deepEqual((await Promise.all([push.mayRing("n"), alarm.mayRing("n")])).sort(), [false, true]);
  const later = clock();
  await later.sleep(31 * 24 * 3_600_000);
  await new Once(new MemoryStorage(kept), later).tidy();
  assert.equal(kept.size, 0);
});

/** A service of sessions: what it was asked, and what it still lets in. */
async function sessions(answer: (path: string) => Response | Error) {
  const asked: string[] = [];
  const service: Network = async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(`${pathname} ${request.headers.get("Authorization") ?? ""}`.trim());
    const next = answer(pathname);
    if (next instanceof Error) throw next;
    return next;
  };
  const time = clock();
  const phone = await deskPhone({ network: service, clock: time });
  const open = new Transport(BUILD, service, time);
  return { asked, phone, open, time, session: await Session.begun(phone, open, SIGNED_IN) };
}

const renewal = (): Response => json({ access_token: "second", expires_in_seconds: 600, refresh_token: "r2" });

test("signing out ends here first, then at the service, and a renewal on its way brings nothing back", async () => {
  const { asked, phone, session } = await sessions((path) => (path.endsWith("refresh") ? renewal() : new Response(null, { status: 204 })));
  const renewing = session.renewed("first");
  const ending = session.end();
  assert.equal(await ending, true);
  assert.equal(await renewing, null);
  assert.equal(await phone.storage.get("session"), null);
  assert.ok(asked.includes("/v1/auth/sign-out Bearer first"));

  const offline = await sessions(() => {
    throw lost();
  });
  assert.equal(await offline.session.end(), false);
  assert.equal(await offline.phone.storage.get("session"), null);
});

test("a spent token signs out with one of which nothing is kept", async () => {
  const { asked, phone, session, time } = await sessions((path) =>
    path.endsWith("refresh") ? renewal() : new Response(null, { status: 204 }),
  );
  await time.sleep(3_600_000);
  assert.equal(await session.end(), true);
  assert.deepEqual(asked, ["/v1/auth/refresh", "/v1/auth/sign-out Bearer second"]);
  assert.equal(await phone.storage.get("session"), null);
});

test("leaving a phone ends the device and leaves nothing, with or without a network", async () => {
  for (const isThere of [true, false]) {
    const { asked, phone, session } = await sessions(() => (isThere ? new Response(null, { status: 204 }) : lost()));
    await phone.storage.set("book/p/copy", "x");
    assert.equal(await session.leave(), isThere);
    assert.equal(asked[0], "/v1/me/devices/d Bearer first");
    assert.deepEqual(await phone.storage.names(""), []);
    await assert.rejects(phone.keys.publicKey("refresh"));
  }
});

test("a session never takes over what another person signed in with", async () => {
  const { asked, phone, open, session } = await sessions(() => renewal());
  await Session.begun(phone, open, { ...SIGNED_IN, patient_id: "q", refresh_token: "of q" });
  assert.equal(await session.renewed("first"), null);
  assert.equal(await session.end(), true);
  assert.equal(JSON.parse((await phone.storage.get("session")) ?? "").patientId, "q");
  assert.ok(!asked.includes("/v1/auth/refresh"));
});

test("tokens that cannot be renewed do not take the place of those that can", async () => {
  const { phone, session } = await sessions(() => json({ access_token: "second", expires_in_seconds: 600 }));
  await assert.rejects(session.renewed("first"));
  assert.equal(JSON.parse((await phone.storage.get("session")) ?? "").refreshToken, "r1");
});

test("a copy whose cursor is not taken is loaded anew, and a book that is closed goes", async () => {
  const change = (id: string): object => ({ item: { kind: "condition", id }, section: "conditions" });
  for (const code of ["cursor-expired", "bad-cursor"]) {
    const storage = new MemoryStorage(new Map([["book/p/copy", JSON.stringify({ cursor: "old", changes: {} })]]));
    const page = json({ items: [change("new")], removed: [], cursor: "next", has_more: false });
    const { network: service, asked } = network(problem(code === "bad-cursor" ? 400 : 410, code), page);
    const { api } = new Transport(BUILD, service, clock());
    const book = new Book(api, storage, clock(), "p", false);
    await book.refresh();
    assert.deepEqual([(await book.items()).length, asked.length, asked[1]?.headers.get("X-Patient-Id")], [1, 2, "p"]);
    assert.ok(!asked[1]?.url.includes("since"));
    await dropEnded([], [book]);
    assert.deepEqual(await storage.names(""), []);
  }
});

test("of answers to reminders one that is not taken costs itself alone", async () => {
  const sizes: number[] = [];
  const service: Network = async (request) => {
    const { items } = (await request.json()) as { items: { reminder_id: string; due_at: string }[] };
    assert.ok(sizes.push(items.length) < 30, "it never comes to an end");
    if (items.some((one) => one.reminder_id === "bad")) return problem(400, "invalid-field");
    return json({ items: items.map((one) => ({ ...one, status: "recorded" })) });
  };
  const [storage, time] = [new MemoryStorage(), clock()];
  const alarms = { replace: (_: unknown, until: Date) => Promise.resolve(until) };
  const reminders = new Reminders(new Transport(BUILD, service, time), storage, time, alarms, "p");
  for (const id of ["a", "b", "bad", "c", "d"]) await reminders.answer(id, "2026-11-21T02:00:00Z", "taken");
  const { noted, refused } = await reminders.sendAnswers();
  assert.deepEqual(noted.map((one) => one.reminder_id).sort(), ["a", "b", "c", "d"]);
  assert.deepEqual(refused.map(({ answer }) => answer.reminder_id), ["bad"]);
  assert.deepEqual(await storage.names(""), []);
});

test("a plan that changes at each acknowledgement is left for the next refresh", async () => {
  const asked: string[] = [];
  const service: Network = async (request) => {
    asked.push(request.method);
    const plan = { alarms: [], until: "2026-12-01T00:00:00Z", version: `v${asked.length}` };
    return request.method === "GET" ? json(plan) : problem(409, "reminder-plan-changed");
  };
  const [storage, time] = [new MemoryStorage(), clock()];
  const alarms = { replace: (_: unknown, until: Date) => Promise.resolve(until) };
  await new Reminders(new Transport(BUILD, service, time), storage, time, alarms, "p").refresh();
  assert.deepEqual([asked, await storage.names("")], [["GET", "POST", "GET", "POST"], []]);
});

test("a desk's code and the provider's way back begin a session with the keys of this phone", async () => {
  const bodies: Record<string, any> = {};
  const service: Network = async (request) => {
    const { pathname } = new URL(request.url);
    bodies[pathname] = await request.json();
    return json(pathname.endsWith("start") ? { address: "https://provider" } : SIGNED_IN);
  };
  const phone = await deskPhone({ network: service, clock: clock() });
  const signIn = new SignIn(phone, new Transport(BUILD, service, phone.clock), "x");
  assert.equal((await signIn.byActivation("abcd-efgh ij", "0900000001", "123456")).patientId, "p");
  const { address, secret } = await signIn.beginAtProvider("app:/back");
  assert.equal((await signIn.finishAtProvider("receipt", secret, "001095000103", "123456")).deviceId, "d");
  assert.equal(address, "https://provider");
  assert.equal(bodies["/v1/auth/activations"].code, "ABCDEFGHIJ");
  const { x } = await phone.keys.publicKey("refresh");
  assert.equal(bodies["/v1/auth/enrolments/finish"].device.refresh_key.x, x);
  const bytes = fromBase64url(secret);
  assert.equal(bytes.length, 32);
  assert.equal(bodies["/v1/auth/enrolments/start"].secret_challenge, base64url(await sha256(bytes)));
});

test("what is packed ends where its text ends", async () => {
  const raw = deflateRawSync("abc".repeat(20));
  for (const [form, packed] of [["deflate", deflateSync("abc".repeat(20))], ["deflate-raw", raw]] as const) {
    assert.equal((await inflate(packed, form, 100)).length, 60);
    for (const more of [new Uint8Array([0]), packed.subarray(-4), packed]) {
      await assert.rejects(inflate(concat(packed, more), form, 200), form);
    }
    await assert.rejects(inflate(packed.subarray(0, -1), form, 100), form);
  }
});

test("a text in pieces holds pieces of its own kind, and no others inside", () => {
  assert.deepEqual(decode(fromHex("5f41014102ff")), new Uint8Array([1, 2]));
  assert.equal(decode(fromHex("7f61616162ff")), "ab");
  for (const bad of ["5f5f4100ffff", "5fc04100ff", "5f6161ff", "7f4161ff", "5f41", "5f9f4100ffff"]) {
    assert.throws(() => decode(fromHex(bad)), bad);
  }
  assert.ok(decode(fromHex("c080")) instanceof Tagged);
  assert.throws(() => decode(new Uint8Array(60_000).fill(0x5f)), /piece|length/);
});
