/** Who looked at the book. How a line is proved: proofs.ts. */

import type { components } from "./generated/service.js";
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

