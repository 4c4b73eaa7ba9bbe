/** What the two keys of a device sign (device-keys.md): its enrolment, each refresh, each step-up act. */

import { base64url, sha256, utf8 } from "./encoding.js";
import type { components } from "./generated/service.js";
import { canonical } from "./jcs.js";
import type { KeyName, Phone } from "./ports.js";

export type NewDevice = components["schemas"]["NewDevice"];
export type SignedAct = components["schemas"]["SignedAct"];

/** Who signs: the person and the phone as the service knows them. */
export interface Signer {
  patientId: string;
  deviceId: string;
}

/** `demo` where the service is a demo: an app is built for one of them and shows no sign of the other. */
export type Environment = "production" | "demo";

const ACT_SECONDS = 120;
const NONCE_BYTES = 16;

/**
 * The enrolment of this phone. `challenge`: the activation code without spaces, a `challenge_id` or a `receipt`.
 *
 * The keys are those that the phone has already, where it has any: it then stays the device that it was.
 */
export async function newDevice(phone: Phone, challenge: string, name: string): Promise<NewDevice> {
  const [refresh, stepUp] = [await phone.keys.publicKey("refresh"), await phone.keys.publicKey("step-up")];
  const text = {
    typ: "device-enrolment",
    challenge,
    refresh_x: refresh.x,
    step_up_x: stepUp.x,
    user_present: "yes",
  };
  return {
    kind: "app",
    name,
    user_present: true,
    refresh_key: refresh,
    refresh_proof: await sign(phone, "refresh", text),
    step_up_key: stepUp,
    step_up_proof: await sign(phone, "step-up", text),
    step_up_registration: null,
  };
}

export async function signedRefresh(
  phone: Phone,
  refreshToken: string,
  /** How far the phone's clock is behind the service's; below 0 where it is ahead. */
  behindMs = 0,
): Promise<components["schemas"]["RefreshBody"]> {
  const iat = seconds(phone) + Math.round(behindMs / 1000);
  const text = { typ: "refresh", iat, token_sha256: base64url(await sha256(utf8(refreshToken))) };
  return { refresh_token: refreshToken, iat, signature: await sign(phone, "refresh", text) };
}

/** A step-up act. `facts`: what the act itself names, all of it shown on the screen before. */
export async function signedAct(
  phone: Phone,
  signer: Signer,
  environment: Environment,
  typ: string,
  facts: { [name: string]: unknown },
): Promise<SignedAct> {
  const iat = seconds(phone);
  const nonce = base64url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
  const act = { nonce, iat, exp: iat + ACT_SECONDS };
  const common = { typ, environment, patient_id: signer.patientId, device_id: signer.deviceId };
  return { ...act, signature: await sign(phone, "step-up", { ...facts, ...common, ...act }) };
}

async function sign(phone: Phone, name: KeyName, text: { [name: string]: unknown }): Promise<string> {
  return base64url(await phone.keys.sign(name, utf8(canonical(text))));
}

function seconds(phone: Phone): number {
  return Math.floor(phone.clock.now() / 1000);
}
