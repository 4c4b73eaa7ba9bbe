/**
 * What the person did while there was no network: kept on the disk until the service answered for it.
 *
 * An entry is written before it is sent and removed after the answer was read. Whatever happens in between (the app is
 * killed, the answer is lost), it is sent again; that is harmless because each entry names itself (a `client_id`, a
 * `seq`, the time that is answered), and the service takes the same name for the same thing.
 */

import type { Clock, Storage } from "./ports.js";

export interface Entry<Value> {
  name: string;
  value: Value;
}

export class Queue<Value> {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    /** Such as `check-in/`; of one person, so that nothing is sent as somebody else. */
    private readonly prefix: string,
  ) {}

  /** Behind everything that is there. */
  async put(value: Value): Promise<Entry<Value>> {
    const place = String(this.clock.now()).padStart(15, "0");
    return this.keep({ name: `${this.prefix}${place}-${crypto.randomUUID()}`, value });
  }

  /** An entry as it is now. */
  async keep(entry: Entry<Value>): Promise<Entry<Value>> {
    await this.storage.set(entry.name, JSON.stringify(entry.value));
    return entry;
  }

  /** The oldest first. */
  async entries(most = Infinity): Promise<Entry<Value>[]> {
    const found: Entry<Value>[] = [];
    for (const name of (await this.storage.names(this.prefix)).slice(0, most)) {
      const text = await this.storage.get(name);
      if (text !== null) found.push({ name, value: JSON.parse(text) as Value });
    }
    return found;
  }

  async done(entries: readonly Entry<Value>[]): Promise<void> {
    for (const { name } of entries) await this.storage.remove(name);
  }
}

/** One run at a time, however many screens ask for it; between processes the names of what is sent make it harmless. */
export class OneAtATime<Result> {
  private running: Promise<Result> | null = null;

  run(work: () => Promise<Result>): Promise<Result> {
    this.running ??= work().finally(() => {
      this.running = null;
    });
    return this.running;
  }
}
