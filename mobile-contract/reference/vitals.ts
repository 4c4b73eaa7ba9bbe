/**
 * Measurements: kept on the disk, sent in batches, dropped when an answer names their batch (docs/vitals.md).
 *
 * One batch is on its way at a time. Its bytes are written down before they are sent and never changed: after a crash or
 * a lost answer the same bytes go again under the same `seq`, and the service answers as before.
 */

import type { components } from "./generated/service.js";
import type { Clock, Storage } from "./ports.js";
import { Refusal, isUndecided } from "./problems.js";
import { OneAtATime } from "./queue.js";
import { type Transport, taken } from "./transport.js";

type Schemas = components["schemas"];
type Batch = Schemas["Batch"];
export type Ack = Schemas["Ack"];
export type Source = Batch["sources"][number];
type Parts = Required<Pick<Batch, "samples" | "series" | "deleted" | "windows">>;
type Part = keyof Parts;

/** One thing to send, with the source that measured it, where it has one. */
export type Item = { [Name in Part]: { part: Name; value: Parts[Name][number]; source?: Source } }[Part];

/** An item that is not taken for good: show it to whoever looks for a value that is missing. */
export interface Rejection {
  item: Item | null;
  code: string;
}

export interface Sent {
  state: "all-sent" | "later" | "stopped";
  rejected: Rejection[];
  /** Of `stopped`: why the service wants no more of this device (`vital-device-revoked`, `not-in-your-care` …). */
  refusal: Refusal | null;
}

interface OnItsWay {
  seq: number;
  body: string;
  names: Record<Part, string[]>;
}

const PARTS: readonly Part[] = ["samples", "series", "deleted", "windows"];
const MOST: Readonly<Record<Part, number>> = { samples: 2000, series: 500, deleted: 500, windows: 50 };
const POINTS_MAX = 60_000;
const SOURCES_MAX = 50;
// The service takes 4 MiB; a small batch is sooner through a bad network.
const BYTES_MAX = 512 * 1024;
// What may ring goes first, the newest before all: the backlog of three days must not delay it.
const RINGS = new Set(["heart-rate", "spo2", "resp-rate", "temperature", "blood-pressure", "glucose"]);
const HOUR_MS = 3_600_000;
const LAST = 9_999_999_999_999;

export class Vitals {
  private readonly single = new OneAtATime<Sent>();
  private readonly base: string;
  private most = BYTES_MAX;
  private mostItems = Infinity;

  /** device: made once for each installation of the app, such as `phone-` and a UUID; a new one after a restore. */
  constructor(
    private readonly transport: Transport,
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly device: string,
    person: string,
    private readonly patientId: string | null = null,
  ) {
    this.base = `vitals/${person}/${patientId ?? person}/`;
  }

  /** Safe from here on. The same id and version twice is harmless. */
  async add(items: readonly Item[]): Promise<void> {
    for (const item of items) await this.storage.set(this.nameOf(item), JSON.stringify(item));
  }

  /** An anchor or token of HealthKit or Health Connect, to be kept when all that was read up to it is stored. */
  async reached(stream: string, cursor: string): Promise<void> {
    await this.storage.set(`${this.base}reached/${encodeURIComponent(stream)}`, cursor);
  }

  /** From where to read on; null: from the beginning. Only what the service gave back counts. */
  cursor(stream: string): Promise<string | null> {
    return this.storage.get(`${this.base}cursor/${encodeURIComponent(stream)}`);
  }

  sendAll(): Promise<Sent> {
    return this.single.run(async () => {
      const rejected: Rejection[] = [];
      for (;;) {
        const batch = (await this.onItsWay()) ?? (await this.formed());
        if (batch === null) return { state: "all-sent", rejected, refusal: null };
        try {
          const ack = await this.post(batch);
          rejected.push(...(await this.settle(batch, ack)));
          await this.clock.sleep((ack.next.wait_s ?? 0) * 1000);
        } catch (failure) {
          if (isUndecided(failure)) return { state: "later", rejected, refusal: null };
          if (!(failure instanceof Refusal)) throw failure;
          if (!(await this.formAnew(failure, batch, rejected))) return { state: "stopped", rejected, refusal: failure };
        }
      }
    });
  }

  private post(batch: OnItsWay): Promise<Ack> {
    const asked = this.transport.api.POST("/v1/me/vitals/batches", {
      // The clock at this very request: a batch that waited five hours is not taken for a clock that is behind.
      params: { header: { ...this.header, "X-Sent-At": new Date(this.clock.now()).toISOString() } },
      body: JSON.parse(batch.body) as Batch,
      bodySerializer: () => batch.body,
    });
    return taken(asked);
  }

  /** Takes the batch out of the queue; what is refused as `too-many` stays for a later one. */
  private async settle(batch: OnItsWay, ack: Ack): Promise<Rejection[]> {
    const again = new Set<string>();
    const rejected: Rejection[] = [];
    for (const { of, i, code } of ack.rejected) {
      const name = of in batch.names ? batch.names[of as Part][i] : undefined;
      // A window is asked again narrower by whoever knows which ids lie where; deletions and series go as they are.
      if (code === "too-many" && name !== undefined && of !== "windows") again.add(name);
      else rejected.push({ item: name === undefined ? null : await this.read(name), code });
    }
    for (const [stream, cursor] of Object.entries(ack.cursors)) {
      await this.storage.set(`${this.base}cursor/${encodeURIComponent(stream)}`, cursor);
      const name = `${this.base}reached/${encodeURIComponent(stream)}`;
      if ((await this.storage.get(name)) === cursor) await this.storage.remove(name);
    }
    const names = PARTS.flatMap((part) => batch.names[part]).filter((name) => !again.has(name));
    for (const name of names) await this.storage.remove(name);
    // Last: until then the same bytes go again.
    await this.storage.remove(`${this.base}on-its-way`);
    return rejected;
  }

  /** Whether it may go on after this refusal of a whole batch. */
  private async formAnew({ code, problem }: Refusal, batch: OnItsWay, rejected: Rejection[]): Promise<boolean> {
    const names = PARTS.flatMap((part) => batch.names[part]);
    const isOfItems = problem.status === 413 || problem.status === 400;
    if (code === "batch-seq-reused") {
      // An old copy of the phone's storage came back: other bytes once had this number.
      await this.storage.set(`${this.base}seq`, String(Math.max(batch.seq, this.clock.now())));
    } else if (isOfItems && names.length > 1) {
      // Fewer each time, down to one: whatever is wrong with an item, this comes to an end.
      this.most = Math.floor(Math.min(this.most, batch.body.length) / 2);
      this.mostItems = Math.floor(names.length / 2);
    } else if (isOfItems && names.length === 1) {
      for (const name of names) {
        rejected.push({ item: await this.read(name), code });
        await this.storage.remove(name);
      }
    } else {
      return false;
    }
    await this.storage.remove(`${this.base}on-its-way`);
    return true;
  }

  private async onItsWay(): Promise<OnItsWay | null> {
    const text = await this.storage.get(`${this.base}on-its-way`);
    return text === null ? null : (JSON.parse(text) as OnItsWay);
  }

  /** The next batch, written down; null where there is nothing to send. */
  private async formed(): Promise<OnItsWay | null> {
    const names: Record<Part, string[]> = { samples: [], series: [], deleted: [], windows: [] };
    const parts: Parts = { samples: [], series: [], deleted: [], windows: [] };
    const sources: Source[] = [];
    const waiting = await this.storage.names(`${this.base}item/`);
    let [size, points, isWhole] = [0, 0, true];
    for (const name of waiting) {
      if (PARTS.reduce((sum, part) => sum + names[part].length, 0) >= this.mostItems) {
        isWhole = false;
        break;
      }
      const item = await this.read(name);
      if (item === null) continue;
      const more = item.part === "series" ? item.value.v.length : 0;
      const length = JSON.stringify(item.value).length;
      const isFull = names[item.part].length >= MOST[item.part] || points + more > POINTS_MAX;
      const s = placeOf(sources, item.source);
      if (isFull || s === null || (size > 0 && size + length > this.most)) {
        isWhole = false;
        continue;
      }
      names[item.part].push(name);
      (parts[item.part] as object[]).push(item.source === undefined ? item.value : { ...item.value, s });
      [size, points] = [size + length, points + more];
    }
    const streams = isWhole ? await this.streams() : {};
    if (size === 0 && Object.keys(streams).length === 0) return null;
    return this.writtenDown({ sources, ...parts, streams }, names);
  }

  private async writtenDown(parts: Omit<Batch, "device" | "seq" | "sent_at">, names: OnItsWay["names"]): Promise<OnItsWay> {
    const seq = Number((await this.storage.get(`${this.base}seq`)) ?? 0) + 1;
    // First the number: a crash behind it wastes one, and no number is ever used for two batches.
    await this.storage.set(`${this.base}seq`, String(seq));
    const sent_at = new Date(this.clock.now()).toISOString();
    const body = JSON.stringify({ device: this.device, seq, sent_at, ...parts });
    const batch = { seq, body, names };
    await this.storage.set(`${this.base}on-its-way`, JSON.stringify(batch));
    return batch;
  }

  /** Cursors leave with the last of what was read up to them. */
  private async streams(): Promise<NonNullable<Batch["streams"]>> {
    const found: NonNullable<Batch["streams"]> = {};
    const prefix = `${this.base}reached/`;
    for (const name of await this.storage.names(prefix)) {
      const cursor = await this.storage.get(name);
      if (cursor !== null) found[decodeURIComponent(name.slice(prefix.length))] = { cursor };
    }
    return found;
  }

  /** Names sort as items are sent: what may ring and is of the last hour newest first, then from the oldest on. */
  private nameOf({ part, value }: Item): string {
    const said = value as { id?: string; k?: string; t?: string; t0?: string; since?: string; ver?: number };
    const at = Date.parse(said.t ?? said.t0 ?? said.since ?? "") || this.clock.now();
    const isUrgent = RINGS.has(said.k ?? "") && part !== "windows" && at > this.clock.now() - HOUR_MS;
    const place = String(isUrgent ? LAST - at : at).padStart(15, "0");
    return `${this.base}item/${isUrgent ? 0 : 1}-${place}-${part}-${said.id ?? crypto.randomUUID()}-${said.ver ?? ""}`;
  }

  private async read(name: string): Promise<Item | null> {
    const text = await this.storage.get(name);
    return text === null ? null : (JSON.parse(text) as Item);
  }

  private get header(): { "X-Patient-Id"?: string } {
    return this.patientId === null ? {} : { "X-Patient-Id": this.patientId };
  }
}

/** The place of a source in the batch's list, added where it is new; null where the list is full. */
function placeOf(sources: Source[], source: Source | undefined): number | null {
  if (source === undefined) return 0;
  const text = JSON.stringify(source);
  const at = sources.findIndex((one) => JSON.stringify(one) === text);
  if (at >= 0) return at;
  return sources.length < SOURCES_MAX ? sources.push(source) - 1 : null;
}
