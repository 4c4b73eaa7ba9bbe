/**
 * Acts that create something (a statement, an appointment, a case): kept with their key until the service answered.
 *
 * The key is made and written down before the first try, so that the app can die at any moment: the next start sends the same
 * act with the same key and body, and the service makes nothing twice. After a day a key says nothing any more: then
 * the app shows the act to the person, who looks whether it is there and sends it again or not.
 */

import type { Clock, Storage } from "./ports.js";
import { Refusal } from "./problems.js";

export interface Act<Body> {
  name: string;
  key: string;
  body: Body;
  /** Milliseconds since 1970. */
  begunAt: number;
}

const PREFIX = "act/";
const KEY_LIFE_MS = 24 * 60 * 60 * 1000;

export class Acts {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
  ) {}

  /** `name` is the screen's own for this one act: a second tap finds the first one's. */
  async begin<Body>(name: string, body: Body): Promise<Act<Body>> {
    const kept = await this.storage.get(PREFIX + name);
    if (kept !== null) return JSON.parse(kept) as Act<Body>;
    const act = { name, key: crypto.randomUUID(), body, begunAt: this.clock.now() };
    await this.storage.set(PREFIX + name, JSON.stringify(act));
    return act;
  }

  /** Sends it and forgets it once the service has decided; no answer, 429 and 5xx leave it for later. */
  async send<Body, Answer>(act: Act<Body>, post: (act: Act<Body>) => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await post(act);
      await this.forget(act);
      return answer;
    } catch (failure) {
      if (failure instanceof Refusal && isDecision(failure)) await this.forget(act);
      throw failure;
    }
  }

  /** What an earlier run of the app left. */
  async left(): Promise<Act<unknown>[]> {
    const texts = await Promise.all((await this.storage.names(PREFIX)).map((name) => this.storage.get(name)));
    return texts.filter((text) => text !== null).map((text) => JSON.parse(text) as Act<unknown>);
  }

  isStale(act: Act<unknown>): boolean {
    return this.clock.now() - act.begunAt >= KEY_LIFE_MS;
  }

  async forget(act: Act<unknown>): Promise<void> {
    await this.storage.remove(PREFIX + act.name);
  }
}

function isDecision({ status, isOfSession }: Refusal): boolean {
  return status < 500 && status !== 429 && status !== 426 && !isOfSession;
}
