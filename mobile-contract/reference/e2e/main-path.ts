/**
 * The whole main path of a citizen's app, over whatever network there is.
 *
 * tests/reference/test_end_to_end.py runs it through a proxy that drops, repeats and spoils, and judges afterwards by
 * the service's own database that nothing was lost and nothing doubled.
 */

import { accessLog, byOthers, checkedLog } from "../access-log.js";
import { App, type Build, openTransport } from "../app.js";
import { Book, type Change } from "../book.js";
import type { Choice, Request } from "../consent.js";
import { fromBase64url } from "../encoding.js";
import { MemoryKeys, MemoryStorage, deskPhone } from "../memory.js";
import type { Phone } from "../ports.js";
import { Session } from "../session.js";
import { SignIn } from "../sign-in.js";
import { taken } from "../transport.js";
import { checkIn, measure, takeMedicine } from "./others.js";
import { patiently } from "./patience.js";
import { Stage } from "./stage.js";

interface Play {
  baseUrl: string;
  appVersion: string;
  /** kid → raw Ed25519 key, base64url. */
  qrKeys: Record<string, string>;
  citizen: {
    patient_id: string;
    number: string;
    device: {
      device_id: string;
      refresh_token: string;
      refresh_key: string;
      step_up_key: string;
      hotp_secret: string;
    };
  };
  newcomer: { number: string; pin: string };
  statements: number;
}

async function phoneOf(play: Play, kept: Map<string, string>): Promise<Phone> {
  const { device } = play.citizen;
  const jwks = {
    refresh: JSON.parse(device.refresh_key) as JsonWebKey,
    "step-up": JSON.parse(device.step_up_key) as JsonWebKey,
  };
  return await deskPhone({ storage: new MemoryStorage(kept), keys: await MemoryKeys.of(jwks) });
}

/** The app as it starts anew over what the phone kept: memory and the access token are gone. */
async function started(play: Play, build: Build, kept: Map<string, string>): Promise<App> {
  const app = await App.started(await phoneOf(play, kept), build);
  if (app === null) throw new Error("nobody is signed in");
  return app;
}

async function newPhone(play: Play, build: Build, stage: Stage): Promise<string> {
  const phone = await deskPhone();
  const signIn = new SignIn(phone, openTransport(phone, build), "Máy mới");
  // A lost answer of the last step spends the letters: the person asks for new ones, with the keys of the first try.
  for (let tried = 1; ; tried++) {
    const challenge = await patiently(() => signIn.askForLetters(play.newcomer.number));
    const { letters } = await stage.ask<{ letters: string }>("letters");
    try {
      const session = await signIn.byLetters(challenge, letters, play.newcomer.pin);
      const app = await App.started(phone, build);
      await patiently(async () => await app?.book.summary());
      return session.deviceId;
    } catch (failure) {
      if (tried === 4) throw failure;
    }
  }
}

async function readBook(app: App, stage: Stage): Promise<void> {
  await patiently(() => app.book.refresh());
  const first = await patiently(() => app.book.summary());
  const again = await patiently(() => app.book.summary());
  if (first.etag !== again.etag) throw new Error("the summary changed by itself");
  const { title } = await stage.ask<{ title: string }>("record-comes-in");
  await patiently(() => app.book.refresh());
  const fresh = new Book(app.api, new MemoryStorage(), app.phone.clock, app.session.patientId, true);
  await patiently(() => fresh.refresh());
  const [followed, loaded] = [await app.book.items(), await fresh.items()].map(sorted);
  if (followed !== loaded) throw new Error("the copy that followed is not the book");
  if (!followed?.includes(title)) throw new Error("the new record is not in the book");
}

function sorted(changes: Change[]): string {
  return JSON.stringify([...changes].sort((one, other) => one.item.id.localeCompare(other.item.id)));
}

/** What was asked, without sensitive labels. */
function all(request: Request): Choice {
  const { types, since, until, duration_seconds } = request;
  return { types, since: since ?? null, until: until ?? null, duration_seconds, labels: [] };
}

interface Opened {
  request_id: string;
  qr: string;
  digits: string;
}

async function letIn(app: App, stage: Stage, tier: "A" | "B" | "C"): Promise<void> {
  const code = await patiently(() => taken(app.api.GET("/v1/me/identification-qr")));
  const opened = await stage.ask<Opened>("doctor-asks", { qr: code.qr });
  let grantId: string;
  if (tier === "C") {
    const digits = await app.consent.digits(opened.qr, app.session.hotpSecret);
    ({ grant_id: grantId } = await stage.ask<{ grant_id: string }>("doctor-types", { ...opened, digits }));
  } else {
    const { request, proof } =
      tier === "A" ? await patiently(() => app.consent.scan(opened.qr)) : await typed(app, opened);
    ({ grant_id: grantId } = await patiently(() => app.consent.approve(request, proof, all(request))));
  }
  await stage.ask("doctor-reads", { patient_id: app.session.patientId, grant_id: grantId });
  await patiently(() => app.consent.revoke(grantId));
  await stage.ask("doctor-is-refused", { patient_id: app.session.patientId });
}

async function typed(app: App, opened: Opened): Promise<{ request: Request; proof: { tier: "B"; secret: string } }> {
  const request = (await patiently(() => app.consent.waiting())).find((one) => one.request_id === opened.request_id);
  if (request === undefined) throw new Error("nobody asks");
  return { request, proof: { tier: "B", secret: opened.digits } };
}

async function statement(play: Play, build: Build, kept: Map<string, string>, number: number): Promise<void> {
  let app = await started(play, build, kept);
  const body = { kind: "medicine" as const, name: `Thuốc thử ${number}`, origin: "own" as const };
  const act = await app.acts.begin(`statement/${number}`, body);
  await patiently(async () => {
    // Each try is another start of the app: the key is the one that was kept.
    app = await started(play, build, kept);
    await app.acts.send(act, async ({ key, body }) =>
      taken(app.api.POST("/v1/me/statements", { params: { header: { "Idempotency-Key": key } }, body })),
    );
  });
}

async function appointment(app: App, stage: Stage): Promise<void> {
  const slot = await stage.ask<{ facility_id: string; schedule_id: string; slot_id: string }>("free-slot");
  const act = await app.acts.begin("appointment", slot);
  const held = await patiently(() =>
    app.acts.send(act, async ({ key, body }) =>
      taken(app.api.POST("/v1/me/appointments", { params: { header: { "Idempotency-Key": key } }, body })),
    ),
  );
  const path = { appointment_id: held.appointment_id };
  const confirmed = await patiently(() =>
    taken(app.transport.repeating.POST("/v1/me/appointments/{appointment_id}/confirm", { params: { path } })),
  );
  if (confirmed.state !== "booked") throw new Error(`the appointment is ${confirmed.state}`);
}

/** Many screens at once after a start: all of them meet a session that has to be renewed. */
async function manyAtOnce(app: App): Promise<void> {
  await Promise.all([
    patiently(() => taken(app.api.GET("/v1/me"))),
    patiently(() => taken(app.api.GET("/v1/me/family"))),
    patiently(() => taken(app.api.GET("/v1/me/devices"))),
    patiently(() => app.consent.grants()),
  ]);
}

async function run(): Promise<void> {
  const stage = new Stage();
  const play = await stage.ask<Play>("play");
  const qrKeys = new Map(Object.entries(play.qrKeys).map(([kid, key]) => [kid, fromBase64url(key)]));
  const build: Build = {
    baseUrl: play.baseUrl,
    appVersion: play.appVersion,
    environment: "demo",
    qrKeys,
    // Few, so that it is often the person who tries again, with an app that has just been started.
    tries: 2,
    timeoutSeconds: 10,
    patienceSeconds: 20,
  };
  const newDevice = await newPhone(play, build, stage);

  const kept = new Map<string, string>();
  const phone = await phoneOf(play, kept);
  const { device } = play.citizen;
  await Session.begun(phone, openTransport(phone, build), {
    patient_id: play.citizen.patient_id,
    device_id: device.device_id,
    hotp_secret: device.hotp_secret,
    refresh_token: device.refresh_token,
    access_token: "",
    expires_in_seconds: 0,
    probation_until: "",
  });
  await manyAtOnce(await started(play, build, kept));
  const app = await started(play, build, kept);
  await stage.ask("rooted");
  const before = await patiently(() => checkedLog(app.api, null));
  await readBook(app, stage);
  for (const tier of ["A", "B", "C"] as const) await letIn(app, stage, tier);
  for (let number = 0; number < play.statements; number++) await statement(play, build, kept, number);
  await appointment(app, stage);
  await measure(app);
  await checkIn(app, stage);
  await takeMedicine(app, stage);
  const lines = byOthers(await patiently(() => accessLog(app.api)));
  await stage.ask("rooted");
  const checked = await patiently(() => checkedLog(app.api, before.pin));
  await stage.ask("end", { newDevice, lines, before, checked, left: await app.acts.left() });
  stage.end();
}

await run();
