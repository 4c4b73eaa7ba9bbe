/**
 * Reminders: the phone rings by itself, by the plan of the service, and answers wait for the network.
 *
 * Every alarm of 14 days is dropped and set anew after each fetch; until the service is told that they are set, it pushes
 * what they say. `alarm.id` is the id of the push that says the same (push.ts, `Once`).
 */

import type { components } from "./generated/service.js";
import type { Clock, Storage } from "./ports.js";
import { Refusal, isUndecided } from "./problems.js";
import { type Entry, OneAtATime, Queue } from "./queue.js";
import { type Transport, refusalOf, taken } from "./transport.js";

type Schemas = components["schemas"];
export type Alarm = Schemas["Alarm"];
export type Answer = Schemas["AnswerInput"];
export type Noted = Schemas["Noted"];

export interface AnswersSent {
  noted: Noted[];
  /** Not taken, and not sent again: tell the person. */
  refused: { answer: Answer; refusal: Refusal }[];
}

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
  private readonly single = new OneAtATime<AnswersSent>();
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
    // The plan may change between its fetch and its acknowledgement; if it does so twice, the next refresh takes it.
    if (!(await this.fetched())) await this.fetched();
  }

  private async fetched(): Promise<boolean> {
    const kept = await this.plan();
    const headers = kept?.etag ? { "If-None-Match": kept.etag } : {};
    const { data, error, response } = await this.transport.api.GET("/v1/me/reminders/plan", {
      params: { header: { ...this.header, ...headers } },
    });
    if (response.status === 304 && kept !== null) return await this.acknowledge(kept);
    if (data === undefined) throw refusalOf(response, error);
    const reached = await this.alarms.replace(data.alarms, new Date(data.until));
    const coversUntil = new Date(Math.min(reached.getTime(), Date.parse(data.until))).toISOString();
    const etag = response.headers.get("ETag");
    return await this.acknowledge({ etag, version: data.version, coversUntil, isAcknowledged: false });
  }

  /** dueAt: as the alarm has it. Works without a network; of two answers to one time the later one counts. */
  async answer(reminderId: string, dueAt: string, act: Answer["act"], minutes: number | null = null): Promise<void> {
    const at = new Date(this.clock.now()).toISOString();
    await this.answers.put({ reminder_id: reminderId, due_at: dueAt, act, at, minutes });
  }

  /** In any order, as often as need be: sending the same again changes nothing. */
  sendAnswers(): Promise<AnswersSent> {
    return this.single.run(async () => {
      const sent: AnswersSent = { noted: [], refused: [] };
      let most = ANSWERS_MAX;
      for (;;) {
        const entries = await this.answers.entries(most);
        if (entries.length === 0) return sent;
        try {
          sent.noted.push(...(await this.post(entries)));
          most = ANSWERS_MAX;
        } catch (failure) {
          if (isUndecided(failure)) return sent;
          if (!(failure instanceof Refusal)) throw failure;
          // One of them is not taken, by a bug of ours or because the link to that person ended: the others still may be.
          if (entries.length > 1) {
            most = Math.floor(entries.length / 2);
            continue;
          }
          sent.refused.push(...entries.map(({ value }) => ({ answer: value, refusal: failure })));
        }
        await this.answers.done(entries);
      }
    });
  }

  private async post(entries: readonly Entry<Answer>[]): Promise<Noted[]> {
    const sent_at = new Date(this.clock.now()).toISOString();
    const asked = this.transport.repeating.POST("/v1/me/reminders/answers", {
      params: { header: this.header },
      body: { sent_at, items: entries.map(({ value }) => value) },
    });
    return (await taken(asked)).items;
  }

  /** False where another plan is there already. */
  private async acknowledge(plan: KeptPlan): Promise<boolean> {
    await this.storage.set(this.planName, JSON.stringify(plan));
    if (plan.isAcknowledged) return true;
    const { version, coversUntil } = plan;
    const asked = this.transport.repeating.POST("/v1/me/reminders/plan/ack", {
      params: { header: this.header },
      body: { version, covers_until: coversUntil },
    });
    try {
      await taken(asked);
    } catch (failure) {
      if (!(failure instanceof Refusal) || failure.code !== "reminder-plan-changed") throw failure;
      await this.storage.remove(this.planName);
      return false;
    }
    await this.storage.set(this.planName, JSON.stringify({ ...plan, isAcknowledged: true }));
    return true;
  }

  private async plan(): Promise<KeptPlan | null> {
    const text = await this.storage.get(this.planName);
    return text === null ? null : (JSON.parse(text) as KeptPlan);
  }

  private get header(): { "X-Patient-Id"?: string } {
    return this.patientId === null ? {} : { "X-Patient-Id": this.patientId };
  }
}
