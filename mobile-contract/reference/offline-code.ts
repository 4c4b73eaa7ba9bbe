/** The eight digits that a phone in airplane mode gives in answer to a doctor's code (tier C). */

import { type Bytes, sha256, utf8 } from "./encoding.js";
import { canonical } from "./jcs.js";

export interface OfflineAnswer {
  /** The whole request in canonical JSON: one letter changed, and the digits are others. */
  text: string;
  /** The first 8 bytes of its SHA-256, big-endian. */
  counter: Bytes;
  digits: string;
}

/** body: of a `doctor-request` code that was checked with the pinned keys. Show it to the person before the digits. */
export async function offlineAnswer(secret: Bytes, body: object): Promise<OfflineAnswer> {
  const text = canonical(body);
  const counter = (await sha256(utf8(text))).slice(0, 8);
  return { text, counter, digits: await hotp(secret, counter) };
}

/** RFC 4226 with SHA-1 and 8 digits. */
export async function hotp(secret: Bytes, counter: Bytes): Promise<string> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-1" }, false, ["sign"]);
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter));
  const number = mac.getUint32(mac.getUint8(19) & 0x0f) & 0x7fffffff;
  return String(number % 100_000_000).padStart(8, "0");
}
