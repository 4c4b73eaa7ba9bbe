/**
 * Check-ins at a counter, also without a network.
 *
 * Each scan has a `client_id` of the phone's own: a repeat is the same check-in. A screen's code proves presence within
 * its minute; what is sent later says so (`is_late`) and gives a number at most, for twelve hours.
 */

import type { components } from "./generated/service.js";
import type { Clock, Storage } from "./ports.js";
import { Refusal, isUndecided } from "./problems.js";
import { type Entry, OneAtATime, Queue } from "./queue.js";
import { type Transport, taken } from "./transport.js";

export type CheckIn = components["schemas"]["CheckInShown"];

interface Scan {
  qr: string;
  client_id: string;
  is_late: boolean;
  /** Milliseconds since 1970. */
  scannedAt: number;
}

/** What became of a scan; `waits`: there is no network, and it will be sent. */
export type Outcome = { client_id: string } & (
  | { state: "noted"; checkIn: CheckIn }
  | { state: "refused"; refusal: Refusal }
  | { state: "too-late" }
  | { state: "waits" }
);

const LATE_MS = 12 * 3_600_000;

export class CheckIns {
  private readonly queue: Queue<Scan>;
  private readonly single = new OneAtATime<Outcome[]>();

  /** person: who is signed in. patientId: whom the person acts for, as a companion. */
  constructor(
    private readonly transport: Transport,
    storage: Storage,
    private readonly clock: Clock,
    person: string,
    private readonly patientId: string | null = null,
  ) {
    this.queue = new Queue(storage, clock, `check-in/${person}/${patientId ?? person}/`);
  }

  /** The text of a counter's screen or poster. Written down first, then sent with all that waits. */
  async scan(qr: string): Promise<Outcome> {
    const scan = { qr, client_id: crypto.randomUUID(), is_late: false, scannedAt: this.clock.now() };
    await this.queue.put(scan);
    // A run that was on its way may have begun before this scan was written down.
    const outcomes = [...(await this.sendAll()), ...(await this.sendAll())];
    return outcomes.find((one) => one.client_id === scan.client_id) ?? { client_id: scan.client_id, state: "waits" };
  }

  /** Call it when the network is back and at every start. */
  sendAll(): Promise<Outcome[]> {
    return this.single.run(async () => {
      const outcomes: Outcome[] = [];
      for (const entry of await this.queue.entries()) {
        const outcome = await this.sendOne(entry);
        outcomes.push(outcome);
        if (outcome.state === "waits") break;
        await this.queue.done([entry]);
      }
      return outcomes;
    });
  }

  private async sendOne(entry: Entry<Scan>): Promise<Outcome> {
    const { client_id, scannedAt } = entry.value;
    if (this.clock.now() - scannedAt > LATE_MS) return { client_id, state: "too-late" };
    try {
      return { client_id, state: "noted", checkIn: await this.post(entry.value) };
    } catch (failure) {
      const isOver = failure instanceof Refusal && failure.code === "qr-expired" && !entry.value.is_late;
      if (isOver || isUndecided(failure)) {
        // From now on it is late. If the first try arrived after all, the same client_id finds what it made.
        const late = await this.queue.keep({ name: entry.name, value: { ...entry.value, is_late: true } });
        return isOver ? this.sendOne(late) : { client_id, state: "waits" };
      }
      if (failure instanceof Refusal) return { client_id, state: "refused", refusal: failure };
      throw failure;
    }
  }

  private post({ qr, client_id, is_late }: Scan): Promise<CheckIn> {
    const header = this.patientId === null ? {} : { "X-Patient-Id": this.patientId };
    const asked = this.transport.repeating.POST("/v1/me/check-ins", {
      params: { header },
      body: { qr, client_id, is_late },
    });
    return taken(asked);
  }
}
