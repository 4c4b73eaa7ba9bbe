/** What codes and proofs are written in. Every decoder throws on what is not its own: nothing is guessed. */

export type Bytes = Uint8Array<ArrayBuffer>;

const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

/** Throws on bytes that are no UTF-8. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

export function concat(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function fromHex(text: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Error("no hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export const base64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/** With padding. */
export function fromBase64(text: string): Bytes {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) throw new Error("no base64");
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Without padding, as every text of the service has it. */
export const base64url = (bytes: Uint8Array): string =>
  base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export function fromBase64url(text: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error("no base64url");
  const letters = text.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(letters + "=".repeat((4 - (letters.length % 4)) % 4));
}

/** RFC 9285. */
export function base45(bytes: Uint8Array): string {
  const digits = (value: number, count: number): string => {
    let text = "";
    for (let left = value, at = 0; at < count; at += 1, left = Math.floor(left / 45)) text += BASE45.charAt(left % 45);
    return text;
  };
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) text += digits(bytes[at]! * 256 + bytes[at + 1]!, 3);
  return bytes.length % 2 ? text + digits(bytes[bytes.length - 1]!, 2) : text;
}

/** RFC 9285. A space is a digit, so the text is taken as it is. */
export function fromBase45(text: string): Bytes {
  if (text.length % 3 === 1) throw new Error("impossible length");
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 3) {
    const group = text.slice(at, at + 3).split("").map((letter) => BASE45.indexOf(letter));
    if (group.includes(-1)) throw new Error("letter outside the alphabet");
    const value = group.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (value > (group.length === 3 ? 0xffff : 0xff)) throw new Error("group too large");
    if (group.length === 3) bytes.push(value >> 8);
    bytes.push(value & 0xff);
  }
  return Uint8Array.from(bytes);
}

export async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

/**
 * What zlib ("deflate") or raw DEFLATE ("deflate-raw") packed. Throws where it is cut, has anything behind its
 * end, or is larger than `most` bytes: a code holds few, and what unpacks to many is an attack.
 */
export async function inflate(packed: Uint8Array, form: "deflate" | "deflate-raw", most: number): Promise<Bytes> {
  const whole = await unpacked(packed, form, most);
  // Not every platform says that bytes stand behind the end: then it comes to its end without the last one too.
  const isLonger = await unpacked(packed.slice(0, -1), form, most).then(
    () => true,
    () => false,
  );
  if (isLonger) throw new Error("bytes after the end");
  return whole;
}

async function unpacked(packed: Uint8Array, form: "deflate" | "deflate-raw", most: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = new Blob([concat(packed)]).stream().pipeThrough(new DecompressionStream(form)).getReader();
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
