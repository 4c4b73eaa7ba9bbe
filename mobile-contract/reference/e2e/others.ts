/** Measurements, check-ins and answers to reminders, by the queues that outlive a crash. */

import type { App } from "../app.js";
import { CheckIns } from "../check-ins.js";
import { Reminders } from "../reminders.js";
import { taken, Transport } from "../transport.js";
import { type Item, Vitals } from "../vitals.js";
import { patiently } from "./patience.js";
import type { Stage } from "./stage.js";

const SAMPLES = 60;
const TRIES_MAX = 40;

export async function measure(app: App): Promise<void> {
  const { phone, transport, session } = app;
  const source = { app: "vn.mo-phong.so-suc-khoe", kind: "watch" as const };
  for (let number = 0; number < SAMPLES; number++) {
    // Every sample meets an app that has just been started: what is kept is all that it knows.
    const vitals = new Vitals(transport, phone.storage, phone.clock, "phone-e2e", session.patientId);
    await vitals.add([sample(number, source)]);
    await vitals.reached("heart-rate", `anchor-${number}`);
    if (number % 10 === 5) await vitals.sendAll();
  }
  const vitals = new Vitals(transport, phone.storage, phone.clock, "phone-e2e", session.patientId);
  await until(async () => (await vitals.sendAll()).state === "all-sent");
  const cursor = await vitals.cursor("heart-rate");
  if (cursor !== `anchor-${SAMPLES - 1}`) throw new Error(`the cursor stands at ${cursor}`);
}

function sample(number: number, source: { app: string; kind: "watch" }): Item {
  const t = new Date(Date.now() - (SAMPLES - number) * 60_000).toISOString();
  const value = { id: crypto.randomUUID(), k: "heart-rate", t, v: 70 + (number % 10), u: "/min", s: 0, ver: 1, z: 420 };
  return { part: "samples", value, source };
}

/** One scan with a network, and one in airplane mode that is sent later. */
export async function checkIn(app: App, stage: Stage): Promise<void> {
  const { phone, transport, session } = app;
  const { screen, poster } = await stage.ask<{ screen: string; poster: string }>("counter");
  const online = new CheckIns(transport, phone.storage, phone.clock, session.patientId);
  await online.scan(screen);
  await until(async () => !(await online.sendAll()).some((one) => one.state === "waits"));

  const air = (): Promise<Response> => Promise.reject(new TypeError("airplane mode"));
  const offline = new Transport({ ...app.build, tries: 1 }, air, phone.clock, session);
  const waits = await new CheckIns(offline, phone.storage, phone.clock, session.patientId).scan(poster);
  if (waits.state !== "waits") throw new Error(`in airplane mode a scan was ${waits.state}`);
  await until(async () => !(await online.sendAll()).some((one) => one.state === "waits"));
}

export async function takeMedicine(app: App, stage: Stage): Promise<void> {
  const { phone, transport, session } = app;
  const { prescription } = await stage.ask<{ prescription: string }>("handed-out");
  let reminder: string | undefined;
  await until(async () => {
    const { items } = await patiently(() => taken(transport.api.GET("/v1/me/reminders")));
    reminder = items.find((one) => one.title.includes(prescription) && one.state === "active")?.reminder_id;
    if (reminder === undefined) await phone.clock.sleep(250);
    return reminder !== undefined;
  });
  const { due_at } = await stage.ask<{ due_at: string }>("rings", { reminder_id: reminder });
  const alarms = { replace: (_: unknown, end: Date): Promise<Date> => Promise.resolve(end) };
  const reminders = new Reminders(transport, phone.storage, phone.clock, alarms, session.patientId);
  await patiently(() => reminders.refresh());
  await reminders.answer(reminder ?? "", due_at, "taken");
  await until(async () => (await reminders.sendAnswers()).noted.some((one) => one.status === "recorded"));
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let tried = 1; !(await done()); tried++) if (tried === TRIES_MAX) throw new Error("it never came to an end");
}
