/**
 * The session of one person on this phone.
 *
 * Rules that a client gets wrong easily:
 * - One refresh at a time: everybody who meets a spent token waits for the same one.
 * - The new refresh token is on disk before the access token beside it is used.
 * - A lost answer is asked for again with the same refresh token, signed anew: the service answers as before until the
 *   new token was used.
 * - Only `session-ended` signs the person out. No network, 429 or 500 do not: the book stays readable.
 */

import { type Signer, signedRefresh } from "./device.js";
import type { components } from "./generated/service.js";
import type { Phone } from "./ports.js";
import { NoAnswer, Refusal } from "./problems.js";
import { type Bearer, taken, type Transport } from "./transport.js";

/** Everything that a sign-in hands out; `hotp_secret` is for codes without a network (offline-code.ts). */
export type SignedIn = components["schemas"]["SignedInCitizen"];

interface Kept {
  patientId: string;
  deviceId: string;
  hotpSecret: string;
  refreshToken: string;
}

const NAME = "session";
const RENEW_BEFORE_MS = 60_000;
const TRIES = 5;

/** The person has to sign in; what was kept of the book may stay, locked. */
export class SignInNeeded extends Error {}

export class Session implements Bearer, Signer {
  private access: { token: string; until: number } | null = null;
  private renewing: Promise<string | null> | null = null;

  private constructor(
    private readonly phone: Phone,
    private readonly open: Transport,
    private kept: Kept,
  ) {}

  /** The session that the phone keeps; null when nobody is signed in. `open` is a transport without a session. */
  static async kept(phone: Phone, open: Transport): Promise<Session | null> {
    const text = await phone.storage.get(NAME);
    return text === null ? null : new Session(phone, open, JSON.parse(text) as Kept);
  }

  static async begun(phone: Phone, open: Transport, signedIn: SignedIn): Promise<Session> {
    const session = new Session(phone, open, {
      patientId: signedIn.patient_id,
      deviceId: signedIn.device_id,
      hotpSecret: signedIn.hotp_secret,
      refreshToken: signedIn.refresh_token,
    });
    await session.keep(signedIn.access_token, signedIn.expires_in_seconds, signedIn.refresh_token);
    return session;
  }

  get patientId(): string {
    return this.kept.patientId;
  }

  get deviceId(): string {
    return this.kept.deviceId;
  }

  get hotpSecret(): string {
    return this.kept.hotpSecret;
  }

  async token(): Promise<string> {
    const held = this.access;
    if (held !== null && this.phone.clock.now() < held.until) return held.token;
    const token = await this.renewed(held?.token ?? "");
    if (token === null) throw new SignInNeeded();
    return token;
  }

  async renewed(spent: string): Promise<string | null> {
    // Somebody else renewed it while this request was on its way.
    if (this.access !== null && this.access.token !== spent) return this.access.token;
    this.renewing ??= this.renew().finally(() => {
      this.renewing = null;
    });
    return await this.renewing;
  }

  /** The session ends here at once, and at the service when it can be reached. */
  async end(signedIn: Transport): Promise<void> {
    await taken(signedIn.repeating.POST("/v1/auth/sign-out")).catch(() => undefined);
    await this.forget();
  }

  private async renew(): Promise<string | null> {
    // Another process of the app (a widget, a push extension) may have renewed it: its token is the one that counts.
    const text = await this.phone.storage.get(NAME);
    if (text === null) return null;
    this.kept = JSON.parse(text) as Kept;
    let behindMs = 0;
    for (let tried = 1; ; tried++) {
      // Signed for each try: the service takes the same signature for a recording after a while.
      const body = await signedRefresh(this.phone, this.kept.refreshToken, behindMs);
      try {
        const tokens = await taken(this.open.api.POST("/v1/auth/refresh", { body }));
        return await this.keep(tokens.access_token, tokens.expires_in_seconds, tokens.refresh_token ?? "");
      } catch (failure) {
        if (failure instanceof Refusal && failure.code === "session-ended") {
          await this.forget();
          return null;
        }
        // The token is not used up: once more, by the clock of the answer.
        if (failure instanceof Refusal && failure.code === "device-clock-off" && tried < TRIES) {
          behindMs = (failure.answeredAt ?? this.phone.clock.now()) - this.phone.clock.now();
          continue;
        }
        const isOpen = failure instanceof NoAnswer || (failure instanceof Refusal && failure.problem.status >= 500);
        if (tried >= TRIES || !isOpen) throw failure;
        await this.phone.clock.sleep(Math.random() * 500 * 2 ** tried);
      }
    }
  }

  private async keep(access: string, lifeSeconds: number, refreshToken: string): Promise<string> {
    this.kept = { ...this.kept, refreshToken };
    await this.phone.storage.set(NAME, JSON.stringify(this.kept));
    this.access = { token: access, until: this.phone.clock.now() + lifeSeconds * 1000 - RENEW_BEFORE_MS };
    return access;
  }

  private async forget(): Promise<void> {
    this.access = null;
    await this.phone.storage.remove(NAME);
  }
}
