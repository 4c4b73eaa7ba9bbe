/** Who looked at the book. How a line is proved: proofs.ts. */

import type { components } from "./generated/service.js";
import { type Verdict, checkExport, readExport } from "./proofs.js";
import type { Pin } from "./roots.js";
import { type Api, taken } from "./transport.js";

export type LogLine = components["schemas"]["LogItem"];

/** The newest lines; `proofs` adds what a proof needs. */
export async function accessLog(api: Api, options: { proofs?: boolean; most?: number } = {}): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const most = options.most ?? 100;
  for (let cursor: string | null = ""; cursor !== null && lines.length < most; ) {
    const query: { limit: number; proofs: boolean; cursor?: string } = { limit: 100, proofs: options.proofs ?? false };
    if (cursor !== "") query.cursor = cursor;
    const page = await taken(api.GET("/v1/me/access-log", { params: { query } }));
    lines.push(...page.items);
    cursor = page.next ?? null;
  }
  return lines.slice(0, most);
}

/** Lines of others, not of the person. */
export function byOthers(lines: readonly LogLine[]): LogLine[] {
  return lines.filter((line) => !line.is_own);
}

/** The whole log, checked on the phone against what an earlier check kept; keep `pin` of the answer for the next one. */
export async function checkedLog(api: Api, pin: Pin | null): Promise<Verdict> {
  const root = pin?.root ? { root: pin.root.number } : {};
  const pages: string[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const query: { after: number; root?: number } = { after, ...root };
    const page: string = await taken(api.GET("/v1/me/access-log/export", { params: { query }, parseAs: "text" }));
    pages.push(page);
    after = nextOf(page);
  }
  const log = readExport(pages);
  // From the kept root on, or all of them.
  const since = pin?.root ? { since: pin.root.number - 1 } : {};
  return checkExport(log, pin, [await taken(api.GET("/.well-known/audit-roots", { params: { query: since } }))]);
}

const nextOf = (page: string): number | undefined =>
  (JSON.parse(page.trimEnd().split("\n").at(-1) || "{}") as { next?: number }).next;

