/**
 * The session of one person on this phone.
 *
 * Rules that a client gets wrong easily:
 * - One refresh at a time, over all processes of the app: everybody who meets a spent token waits for the same one.
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

interface Access {
  token: string;
  /** Milliseconds since 1970. */
  until: number;
}

const NAME = "session";
const RENEW_BEFORE_MS = 60_000;
const TRIES = 5;

/** The person has to sign in; what was kept of the book may stay, locked. */
export class SignInNeeded extends Error {}

export class Session implements Bearer, Signer {
  private access: Access | null = null;
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

  /** The session ends here at once, then at the service; false where that could not be reached. */
  async end(): Promise<boolean> {
    const [kept, held] = [this.kept, this.access];
    await this.forget();
    return await this.told(kept, held, (headers) => this.open.repeating.POST("/v1/auth/sign-out", { headers }));
  }

  /**
   * "Leave this phone": the device ends at the service, and all that is kept of the person goes, keys too. False where
   * the service could not be told: then the person ends this device from another one.
   */
  async leave(): Promise<boolean> {
    const { storage, keys } = this.phone;
    const params = { path: { device_id: this.deviceId } };
    const isTold = await this.told(this.kept, this.access, (headers) =>
      this.open.api.DELETE("/v1/me/devices/{device_id}", { params, headers }),
    );
    await this.forget();
    for (const name of await storage.names("")) await storage.remove(name);
    await keys.forget();
    return isTold;
  }

  /** Asks with the token that was held, or with one more of which nothing is written down. */
  private async told(
    kept: Kept,
    held: Access | null,
    ask: (headers: { Authorization: string }) => Promise<{ response: Response }>,
  ): Promise<boolean> {
    try {
      const isGood = held !== null && this.phone.clock.now() < held.until;
      const token = isGood ? held.token : (await this.refreshed(kept)).access_token;
      await taken(ask({ Authorization: `Bearer ${token}` }));
      return true;
    } catch {
      return false;
    }
  }

  private async renew(): Promise<string | null> {
    return await this.phone.storage.locked(NAME, async () => {
      // Another process of the app (a widget, a push extension) may have renewed it: its token is the one that counts.
      const kept = await this.onDisk();
      if (kept === null) return null;
      this.kept = kept;
      try {
        const tokens = await this.refreshed(kept);
        if (!tokens.refresh_token) throw new Error("tokens that cannot be renewed");
        // Signed out while the answer was on its way.
        if ((await this.onDisk()) === null) return null;
        return await this.keep(tokens.access_token, tokens.expires_in_seconds, tokens.refresh_token);
      } catch (failure) {
        if (!(failure instanceof Refusal) || failure.code !== "session-ended") throw failure;
        await this.forget();
        return null;
      }
    });
  }

  private async refreshed(kept: Kept): Promise<components["schemas"]["Tokens"]> {
    let behindMs = 0;
    for (let tried = 1; ; tried++) {
      // Signed for each try: the service takes the same signature for a recording after a while.
      const body = await signedRefresh(this.phone, kept.refreshToken, behindMs);
      try {
        return await taken(this.open.api.POST("/v1/auth/refresh", { body }));
      } catch (failure) {
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
    if ((await this.onDisk()) !== null) await this.phone.storage.remove(NAME);
  }

  /** What is kept of this person; null where nobody is signed in, or somebody else. */
  private async onDisk(): Promise<Kept | null> {
    const text = await this.phone.storage.get(NAME);
    const kept = text === null ? null : (JSON.parse(text) as Kept);
    return kept?.patientId === this.patientId ? kept : null;
  }
}
