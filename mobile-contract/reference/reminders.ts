/**
 * Reminders: the phone rings by itself, by the plan of the service, and answers wait for the network.
 *
 * Every alarm of 14 days is dropped and set anew after each fetch; until the service is told that they are set, it pushes
 * what they say. `alarm.id` is the id of the push that says the same (push.ts, `Once`).
 */

import type { components } from "./generated/service.js";
import type { Clock, Storage } from "./ports.js";
import { Refusal } from "./problems.js";
import { OneAtATime, Queue, isForLater } from "./queue.js";
import { type Transport, refusalOf, taken } from "./transport.js";

type Schemas = components["schemas"];
export type Alarm = Schemas["Alarm"];
export type Answer = Schemas["AnswerInput"];
export type Noted = Schemas["Noted"];

/** The phone's alarms. */
export interface Alarms {
  /** In place of all that were set for this person before. Returns up to when they reach: an iPhone holds 64. */
  replace(alarms: readonly Alarm[], until: Date): Promise<Date>;
}

interface KeptPlan {
  etag: string | null;
  version: string;
  coversUntil: string;
  isAcknowledged: boolean;
}

const ANSWERS_MAX = 100;

export class Reminders {
  private readonly answers: Queue<Answer>;
  private readonly single = new OneAtATime<Noted[]>();
  private readonly planName: string;

  constructor(
    private readonly transport: Transport,
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly alarms: Alarms,
    person: string,
    private readonly patientId: string | null = null,
  ) {
    this.answers = new Queue(storage, clock, `reminder-answer/${person}/${patientId ?? person}/`);
    this.planName = `reminder-plan/${person}/${patientId ?? person}`;
  }

  /** At every start, after a push that leads to the plan, and once a day. */
  async refresh(): Promise<void> {
    const kept = await this.plan();
    const headers = kept?.etag ? { "If-None-Match": kept.etag } : {};
    const { data, error, response } = await this.transport.api.GET("/v1/me/reminders/plan", {
      params: { header: { ...this.header, ...headers } },
    });
    if (response.status === 304 && kept !== null) return this.acknowledge(kept);
    if (data === undefined) throw refusalOf(response, error);
    const reached = await this.alarms.replace(data.alarms, new Date(data.until));
    const coversUntil = new Date(Math.min(reached.getTime(), Date.parse(data.until))).toISOString();
    const etag = response.headers.get("ETag");
    await this.acknowledge({ etag, version: data.version, coversUntil, isAcknowledged: false });
  }

  /** dueAt: as the alarm has it. Works without a network; of two answers to one time the later one counts. */
  async answer(reminderId: string, dueAt: string, act: Answer["act"], minutes: number | null = null): Promise<void> {
    const at = new Date(this.clock.now()).toISOString();
    await this.answers.put({ reminder_id: reminderId, due_at: dueAt, act, at, minutes });
  }

  /** In any order, as often as need be: sending the same again changes nothing. */
  sendAnswers(): Promise<Noted[]> {
    return this.single.run(async () => {
      const noted: Noted[] = [];
      for (;;) {
        const entries = await this.answers.entries(ANSWERS_MAX);
        if (entries.length === 0) return noted;
        const sent_at = new Date(this.clock.now()).toISOString();
        const asked = this.transport.repeating.POST("/v1/me/reminders/answers", {
          params: { header: this.header },
          body: { sent_at, items: entries.map(({ value }) => value) },
        });
        try {
          noted.push(...(await taken(asked)).items);
        } catch (failure) {
          if (isForLater(failure)) return noted;
          // The link to that person ended, or a bug of ours: sent again it would be refused again.
          await this.answers.done(entries);
          throw failure;
        }
        await this.answers.done(entries);
      }
    });
  }

  private async acknowledge(plan: KeptPlan): Promise<void> {
    await this.storage.set(this.planName, JSON.stringify(plan));
    if (plan.isAcknowledged) return;
    const { version, coversUntil } = plan;
    const asked = this.transport.repeating.POST("/v1/me/reminders/plan/ack", {
      params: { header: this.header },
      body: { version, covers_until: coversUntil },
    });
    try {
      await taken(asked);
    } catch (failure) {
      if (!(failure instanceof Refusal) || failure.code !== "reminder-plan-changed") throw failure;
      await this.storage.remove(this.planName); // another plan is there already
      return this.refresh();
    }
    await this.storage.set(this.planName, JSON.stringify({ ...plan, isAcknowledged: true }));
  }

  private async plan(): Promise<KeptPlan | null> {
    const text = await this.storage.get(this.planName);
    return text === null ? null : (JSON.parse(text) as KeptPlan);
  }

  private get header(): { "X-Patient-Id"?: string } {
    return this.patientId === null ? {} : { "X-Patient-Id": this.patientId };
  }
}
