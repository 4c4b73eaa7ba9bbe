/**
 * Requests to the service: typed by its document, repeated where that is harmless.
 *
 * Rules: policy.md. A request is repeated after a lost connection only where the service makes a repeat harmless: reads,
 * PUT, DELETE, whatever carries an Idempotency-Key, and bodies with an id of the phone's own (`repeating`). 429 and
 * 503 were refused before anything happened, so those are repeated always.
 */

import createClient, { type Client } from "openapi-fetch";
import type { paths } from "./generated/service.js";
import type { Clock, Network } from "./ports.js";
import { NoAnswer, problemOf, Refusal } from "./problems.js";

export type Api = Client<paths>;

/** The access token of a signed-in person. */
export interface Bearer {
  token(): Promise<string>;
  /** Another token, after the service did not take `spent`; null when the person has to sign in. */
  renewed(spent: string): Promise<string | null>;
}

export interface Settings {
  /** Such as `https://so-suc-khoe.example`; no path. */
  baseUrl: string;
  /** `X-App-Version`: platform and version (versions.md). */
  appVersion: string;
  /** Tries of one request, the first included. */
  tries?: number;
  /** Seconds that a screen waits for one request before it is given up for now. */
  patienceSeconds?: number;
  timeoutSeconds?: number;
  /** Told once for every answer 426: show its text and the way to the store. */
  onTooOld?: (refusal: Refusal) => void;
}

const WAIT_FIRST_MS = 500;
const WAIT_MAX_MS = 30_000;
const NO_BODY = new Set([204, 205, 304]);
const HARMLESS = new Set(["GET", "HEAD", "PUT", "DELETE"]);

export class Transport {
  readonly api: Api;
  /** For bodies with an id of the phone's own (check-ins, vitals, answers to reminders): every request is repeated. */
  readonly repeating: Api;

  constructor(
    private readonly settings: Settings,
    private readonly network: Network,
    private readonly clock: Clock,
    private readonly bearer?: Bearer,
  ) {
    const baseUrl = settings.baseUrl;
    this.api = createClient<paths>({ baseUrl, fetch: (request) => this.send(request, isHarmless(request)) });
    this.repeating = createClient<paths>({ baseUrl, fetch: (request) => this.send(request, true) });
  }

  /** The answer as it came, a refusal too; rejects with NoAnswer where none came. */
  private async send(request: Request, harmless: boolean): Promise<Response> {
    const body = request.body === null ? null : await request.arrayBuffer();
    const until = this.clock.now() + (this.settings.patienceSeconds ?? 60) * 1000;
    const tries = this.settings.tries ?? 6;
    let renewed = false;
    for (let tried = 1; ; tried++) {
      const token = await this.bearer?.token();
      const answer = await this.once(request, body, token).catch((failure: unknown) => noAnswer(failure));
      if (answer instanceof Response && token && !renewed && (await isOfSession(answer))) {
        renewed = true;
        if ((await this.bearer?.renewed(token)) != null) continue;
      }
      if (!isForAnotherTry(answer, harmless, request.method, tried)) return await this.settled(answer);
      const wait = pause(answer, tried);
      if (tried >= tries || this.clock.now() + wait > until) return await this.settled(answer);
      await this.clock.sleep(wait);
    }
  }

  /** One try. The body is read here: an answer that was cut short is no answer. */
  private async once(request: Request, body: ArrayBuffer | null, token?: string): Promise<Response> {
    const headers = new Headers(request.headers);
    headers.set("X-App-Version", this.settings.appVersion);
    if (token) headers.set("Authorization", `Bearer ${token}`);
    const signal = AbortSignal.timeout((this.settings.timeoutSeconds ?? 30) * 1000);
    const answer = await this.network(
      new Request(request.url, { method: request.method, headers, body, signal, redirect: "error" }),
    );
    const content = await answer.arrayBuffer();
    const { status } = answer;
    if (isForeign(answer)) throw new Error(`${status} of somebody in between`);
    return new Response(NO_BODY.has(status) ? null : content, { status, headers: answer.headers });
  }

  private async settled(answer: Response | NoAnswer): Promise<Response> {
    if (answer instanceof NoAnswer) throw answer;
    if (answer.status === 426) this.settings.onTooOld?.(refusalOf(answer, await answer.clone().text()));
    return answer;
  }
}

/** What an operation answers; a refusal is thrown as `Refusal`. */
export async function taken<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (response.ok) return data as T;
  throw refusalOf(response, error);
}

/** The refusal in an answer; `error` is its body as openapi-fetch read it. */
export function refusalOf(response: Response, error: unknown): Refusal {
  const text = typeof error === "string" ? error : JSON.stringify(error ?? null);
  const answeredAt = Date.parse(response.headers.get("Date") ?? "");
  return new Refusal(
    problemOf(response.status, text),
    response.headers.get("X-Request-Id"),
    retryAfter(response),
    Number.isNaN(answeredAt) ? null : answeredAt,
  );
}

async function isOfSession(answer: Response): Promise<boolean> {
  return answer.status === 401 && refusalOf(answer, await answer.clone().text()).isOfSession;
}

/**
 * Of a gateway or the page of a hotel's Wi-Fi: it says nothing of what the service did. The service refuses by a problem,
 * redirects nobody and has no pages for apps; a body that is too large for a gateway is too large all the same.
 */
function isForeign({ status, headers }: Response): boolean {
  const type = headers.get("Content-Type") ?? "";
  if (status >= 400) return status !== 413 && !/^application\/(problem|fhir)\+json/.test(type);
  return (status >= 300 && status !== 304) || type.startsWith("text/html");
}

function isHarmless(request: Request): boolean {
  return HARMLESS.has(request.method) || request.headers.has("Idempotency-Key");
}

function isForAnotherTry(answer: Response | NoAnswer, harmless: boolean, method: string, tried: number): boolean {
  if (answer instanceof NoAnswer) return harmless;
  if (answer.status === 429 || answer.status === 503) return true;
  // Several times with one key or one id is harmless; a plain read of a broken page is not worth more than one.
  if (answer.status === 500 || answer.status === 502 || answer.status === 504) {
    return harmless && (method !== "GET" || tried === 1);
  }
  // Something that is being made just now: the only conflict that ends by itself.
  return answer.status === 409 && answer.headers.has("Retry-After");
}

/** Doubling waits with full jitter, never shorter than what the service asked for. */
function pause(answer: Response | NoAnswer, tried: number): number {
  const jitter = Math.random() * Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** (tried - 1));
  const asked = answer instanceof NoAnswer ? null : retryAfter(answer);
  return asked === null ? jitter : asked * 1000 + Math.min(jitter, 1000);
}

function retryAfter(answer: Response): number | null {
  const said = Number(answer.headers.get("Retry-After") ?? "x");
  return Number.isInteger(said) && said >= 0 ? said : null;
}

function noAnswer(failure: unknown): NoAnswer {
  return new NoAnswer("no whole answer", { cause: failure });
}
