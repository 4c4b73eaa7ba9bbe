/**
 * Acts that create something (a statement, an appointment, a case): kept with their key until the service answered.
 *
 * The key is made and written down before the first try, so that the app can die at any moment: the next start sends the same
 * act with the same key and body, and the service makes nothing twice. After a day a key says nothing any more: then
 * the app shows the act to the person, who looks whether it is there and sends it again or not.
 */

import type { Clock, Storage } from "./ports.js";
import { Refusal, isUndecided } from "./problems.js";

export interface Act<Body> {
  name: string;
  key: string;
  body: Body;
  /** Milliseconds since 1970. */
  begunAt: number;
}

/** A day has passed: nobody knows any more whether it was made. Show it; `forget` it once the person has looked. */
export class StaleAct extends Error {
  constructor(readonly act: Act<unknown>) {
    super(`${act.name} waits for more than a day`);
  }
}

const KEY_LIFE_MS = 24 * 60 * 60 * 1000;

export class Acts {
  private readonly prefix: string;

  /** person: who is signed in; what somebody else left on this phone is never sent as theirs. */
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    person: string,
  ) {
    this.prefix = `act/${person}/`;
  }

  /** `name` is the screen's own for this one act: a second tap finds the first one's, with the body that it has. */
  async begin<Body>(name: string, body: Body): Promise<Act<Body>> {
    return await this.storage.locked(this.prefix + name, async () => {
      const kept = await this.storage.get(this.prefix + name);
      if (kept !== null) return this.fresh(JSON.parse(kept) as Act<Body>);
      const act = { name, key: crypto.randomUUID(), body, begunAt: this.clock.now() };
      await this.storage.set(this.prefix + name, JSON.stringify(act));
      return act;
    });
  }

  /** Sends it and forgets it once the service has decided (`isUndecided`). */
  async send<Body, Answer>(act: Act<Body>, post: (act: Act<Body>) => Promise<Answer>): Promise<Answer> {
    this.fresh(act);
    try {
      const answer = await post(act);
      await this.forget(act);
      return answer;
    } catch (failure) {
      if (failure instanceof Refusal && !isUndecided(failure)) await this.forget(act);
      throw failure;
    }
  }

  /** What an earlier run of the app left. */
  async left(): Promise<Act<unknown>[]> {
    const texts = await Promise.all((await this.storage.names(this.prefix)).map((name) => this.storage.get(name)));
    return texts.filter((text) => text !== null).map((text) => JSON.parse(text) as Act<unknown>);
  }

  private fresh<Body>(act: Act<Body>): Act<Body> {
    if (this.clock.now() - act.begunAt >= KEY_LIFE_MS) throw new StaleAct(act);
    return act;
  }

  async forget(act: Act<unknown>): Promise<void> {
    await this.storage.remove(this.prefix + act.name);
  }
}
