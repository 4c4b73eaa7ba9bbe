/** What the service refuses, and what the app does about it (policy.md, errors.json). */

import type { components } from "./generated/service.js";

export type Problem = components["schemas"]["Problem"];

/** What is next for the app: the texts for the person stand in the problem itself, in both languages. */
export type Action = "correct" | "sign-in" | "show" | "reload" | "wait" | "ask-us" | "update";

/** `unknown`: a 401 without a problem in it, of a gateway. */
const OF_SESSION = new Set(["not-signed-in", "session-ended", "unknown"]);

/** The service answered, with a refusal. */
export class Refusal extends Error {
  constructor(
    readonly problem: Problem,
    /** X-Request-Id: what the person tells a helpdesk. */
    readonly requestId: string | null,
    readonly retryAfterSeconds: number | null,
    /** The service's clock at this answer, milliseconds since 1970. */
    readonly answeredAt: number | null = null,
  ) {
    super(`${problem.status} ${problem.code}`);
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }

  /** Whether the token was not taken; other 401 refuse a signature, letters or a PIN, and a new token mends none. */
  get isOfSession(): boolean {
    return this.status === 401 && OF_SESSION.has(this.code);
  }

  get action(): Action {
    return this.status === 401 && !this.isOfSession ? "show" : actionOf(this.status);
  }
}

/** No whole answer came. Whether the service did what was asked is unknown: read it again before asking anew. */
export class NoAnswer extends Error {}

/**
 * Whether the service has not decided: no answer, too busy, broken, a first try that still runs, a gateway's refusal, or
 * the person has to sign in or update first. Everything else is an answer, and what was refused is not sent again.
 */
export function isUndecided(failure: unknown): boolean {
  if (failure instanceof NoAnswer) return true;
  if (!(failure instanceof Refusal)) return false;
  const { status, isOfSession, code, problem } = failure;
  if (status === 409) return failure.retryAfterSeconds !== null || problem.retryable === true;
  if (code === "unknown" && status !== 413) return true;
  return status >= 500 || status === 429 || status === 426 || isOfSession;
}

/** By status: a code that is newer than the app then still has its action. */
export function actionOf(status: number): Action {
  if (status === 401) return "sign-in";
  if (status === 403) return "show";
  if (status === 404 || status === 409 || status === 410 || status === 412) return "reload";
  if (status === 426) return "update";
  if (status === 429 || status === 503) return "wait";
  return status >= 500 ? "ask-us" : "correct";
}

/** The problem of an answer; one of our own making where the body is none (a gateway's page, a FHIR outcome). */
export function problemOf(status: number, body: string): Problem {
  const read = parsed(body);
  if (typeof read?.code === "string" && typeof read.status === "number") return read as Problem;
  return {
    type: "about:blank",
    status,
    code: "unknown",
    title: "Chưa làm được việc này.",
    detail: "Thử lại sau ít phút.",
    title_en: "This did not work.",
    detail_en: "Try again in some minutes.",
    retryable: status >= 500 || status === 429,
  };
}

function parsed(body: string): Partial<Problem> | null {
  try {
    const read: unknown = JSON.parse(body);
    return typeof read === "object" ? (read as Partial<Problem>) : null;
  } catch {
    return null;
  }
}
