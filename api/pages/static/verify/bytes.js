/** What codes are written in. Every reader throws on what is not its own: nothing is guessed. */

const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** Reading ended at this step with this status: the service's own words. at: seconds, of a time that passed. */
export class Unreadable extends Error {
  constructor(step, status, at = null) {
    super(`${step}: ${status}`);
    Object.assign(this, { step, status, at });
  }
}

/** What `work` makes; that this step failed where it throws. */
export async function attempt(step, status, work) {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable(step, status);
  }
}

// The last second of the year 9999; some write milliseconds.
const SECONDS_MAX = 253_402_300_799;

/** A text as it may be shown; null for anything else. */
export const shown = (value) => (typeof value === "string" ? value.slice(0, 200) : null);
export const textIn = (value) => (typeof value === "string" ? value : null);
/** A time in seconds, whole or not; null for what is none. */
export const numberIn = (value) =>
  typeof value === "number" && value >= -SECONDS_MAX && value <= SECONDS_MAX * 1000 ? value : null;
export const utf8 = (text) => new TextEncoder().encode(text);
export const textOf = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
export const base64url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** With padding. */
export function fromBase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) throw new Error("no base64");
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Without padding. */
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error("no base64url");
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((4 - (text.length % 4)) % 4));
}

/** RFC 9285. A space is a digit, so the text is taken as it is. */
export function fromBase45(text) {
  if (text.length % 3 === 1) throw new Error("impossible length");
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const group = text.slice(at, at + 3).split("").map((letter) => BASE45.indexOf(letter));
    const value = group.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (group.includes(-1) || value > (group.length === 3 ? 0xffff : 0xff)) throw new Error("no base45");
    if (group.length === 3) bytes.push(value >> 8);
    bytes.push(value & 0xff);
  }
  return Uint8Array.from(bytes);
}

/**
 * What zlib ("deflate") or raw DEFLATE ("deflate-raw") packed. Throws where it is cut, has anything behind its
 * end, or is larger than `most` bytes: a code holds few, and what unpacks to many is an attack.
 */
export async function inflate(packed, form, most) {
  const whole = await unpacked(packed, form, most);
  // Not every browser says that bytes stand behind the end: then it comes to its end without the last one too.
  const isLonger = await unpacked(packed.slice(0, -1), form, most).then(
    () => true,
    () => false,
  );
  if (isLonger) throw new Error("bytes after the end");
  return whole;
}

async function unpacked(packed, form, most) {
  const parts = [];
  let size = 0;
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream(form)).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new Error("too large");
    }
    parts.push(value);
  }
}
