/**
 * Ways into an account on a new phone (auth.md).
 *
 * None of these calls is repeated by itself: a code is spent by its first use. After a lost answer the person signs in
 * by letters and PIN; the keys are the ones of the first try, so it is the same device, and no second one.
 */

import { base64url, sha256 } from "./encoding.js";
import { newDevice } from "./device.js";
import type { Phone } from "./ports.js";
import { Session, type SignedIn } from "./session.js";
import { taken, type Transport } from "./transport.js";

export class SignIn {
  constructor(
    private readonly phone: Phone,
    private readonly open: Transport,
    /** How the phone is called in the list of devices. */
    private readonly deviceName: string,
  ) {}

  /** Six letters go to the login phone, or nowhere: the answer never says which. */
  async askForLetters(number: string): Promise<string> {
    const body = { kind: "number" as const, value: number };
    const started = await taken(this.open.api.POST("/v1/auth/sign-in/start", { body }));
    return started.challenge_id;
  }

  async byLetters(challengeId: string, letters: string, pin: string): Promise<Session> {
    const device = await newDevice(this.phone, challengeId, this.deviceName);
    const body = { challenge_id: challengeId, code: letters, pin, device };
    return await this.begin(taken(this.open.api.POST("/v1/auth/sign-in/verify", { body })));
  }

  /** The code of a desk. `phoneNumber` is typed by the person: never filled in from the SIM. */
  async byActivation(code: string, phoneNumber: string, pin: string): Promise<Session> {
    const plain = code.replaceAll(/[\s-]/g, "").toUpperCase();
    const device = await newDevice(this.phone, plain, this.deviceName);
    const body = { code: plain, phone: phoneNumber, pin, device };
    return await this.begin(taken(this.open.api.POST("/v1/auth/activations", { body })));
  }

  /** The address to open in the system's browser, and the secret that stays here until the way back. */
  async beginAtProvider(returnTo: string): Promise<{ address: string; secret: string }> {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const body = { secret_challenge: base64url(await sha256(secret)), return_to: returnTo };
    const begun = await taken(this.open.api.POST("/v1/auth/enrolments/start", { body }));
    return { address: begun.address, secret: base64url(secret) };
  }

  /** `receipt`: of the fragment that the browser came back with. `number` is typed by the person. */
  async finishAtProvider(receipt: string, secret: string, number: string, pin: string): Promise<Session> {
    const device = await newDevice(this.phone, receipt, this.deviceName);
    const body = { receipt, secret, number, pin, device, phone: null };
    return await this.begin(taken(this.open.api.POST("/v1/auth/enrolments/finish", { body })));
  }

  private async begin(answered: Promise<SignedIn>): Promise<Session> {
    return await Session.begun(this.phone, this.open, await answered);
  }
}
