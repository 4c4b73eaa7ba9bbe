/**
 * The phone's own copy of a book: loaded once, then kept up by what changed.
 *
 * Copy and cursor are written together, page by page: a crash leaves a page to be taken again, and a page taken twice
 * gives the same copy. `storage` must be encrypted by the phone; the service itself says `no-store`.
 */

import type { components } from "./generated/service.js";
import type { Clock, Storage } from "./ports.js";
import { Refusal } from "./problems.js";
import { type Api, refusalOf, taken } from "./transport.js";

export type Change = components["schemas"]["Change"];
export type Summary = components["schemas"]["Summary"];

interface Copy {
  cursor: string | null;
  /** By kind and id. */
  changes: Record<string, Change>;
}

interface KeptSummary {
  etag: string | null;
  readAt: number;
  summary: Summary;
}

export class Book {
  private readonly copyName: string;
  private readonly summaryName: string;

  /** `person`: whose book; for another than the one signed in it is sent as `X-Patient-Id`. */
  constructor(
    private readonly api: Api,
    private readonly storage: Storage,
    private readonly clock: Clock,
    readonly person: string,
    private readonly isOwn: boolean,
  ) {
    this.copyName = `book/${person}/copy`;
    this.summaryName = `book/${person}/summary`;
  }

  /** What the phone has, with or without a network. */
  async items(): Promise<Change[]> {
    return Object.values((await this.copy()).changes);
  }

  /** Takes what changed. After `cursor-expired` and `bad-cursor` everything is loaded anew: the old copy stays until the first page. */
  async refresh(): Promise<void> {
    try {
      await this.follow(await this.copy());
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      if (failure.code === "cursor-expired" || failure.code === "bad-cursor") return await this.follow({ cursor: null, changes: {} });
      // The link to this person ended: a copy of what one may no longer see goes too.
      if (failure.code === "not-your-book" || failure.code === "not-in-your-care") await this.drop();
      throw failure;
    }
  }

  /** The first page; the kept one, with the time it was read, where nothing changed. */
  async summary(): Promise<KeptSummary> {
    const held = await this.keptSummary();
    const header = { ...this.whose(), ...(held?.etag ? { "If-None-Match": held.etag } : {}) };
    const { data, error, response } = await this.api.GET("/v1/me/summary", { params: { header } });
    if (response.status === 304 && held !== null) return await this.keepSummary({ ...held, readAt: this.clock.now() });
    if (data === undefined) throw refusalOf(response, error);
    return await this.keepSummary({ etag: response.headers.get("ETag"), readAt: this.clock.now(), summary: data });
  }

  /** Without a network: show it with its time. */
  async keptSummary(): Promise<KeptSummary | null> {
    const text = await this.storage.get(this.summaryName);
    return text === null ? null : (JSON.parse(text) as KeptSummary);
  }

  async drop(): Promise<void> {
    await this.storage.remove(this.copyName);
    await this.storage.remove(this.summaryName);
  }

  private async follow(copy: Copy): Promise<void> {
    let { cursor } = copy;
    const changes = { ...copy.changes };
    for (let more = true; more; ) {
      const query = cursor === null ? {} : { since: cursor };
      const page = await taken(this.api.GET("/v1/me/changes", { params: { query, header: this.whose() } }));
      for (const gone of page.removed) delete changes[`${gone.kind}/${gone.id}`];
      for (const change of page.items) changes[`${change.item.kind}/${change.item.id}`] = change;
      cursor = page.cursor;
      more = page.has_more;
      await this.storage.set(this.copyName, JSON.stringify({ cursor, changes } satisfies Copy));
    }
  }

  private async copy(): Promise<Copy> {
    const text = await this.storage.get(this.copyName);
    return text === null ? { cursor: null, changes: {} } : (JSON.parse(text) as Copy);
  }

  private async keepSummary(kept: KeptSummary): Promise<KeptSummary> {
    await this.storage.set(this.summaryName, JSON.stringify(kept));
    return kept;
  }

  private whose(): { "X-Patient-Id"?: string } {
    return this.isOwn ? {} : { "X-Patient-Id": this.person };
  }
}
