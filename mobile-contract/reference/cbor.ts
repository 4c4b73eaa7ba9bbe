/** Reading CBOR that strangers wrote (RFC 8949): one item, nothing behind it, nothing that is built by a tag. */

import { type Bytes, concat, textOf } from "./encoding.js";

export class Tagged {
  constructor(
    readonly tag: number,
    readonly value: Item,
  ) {}
}

export type Item = null | boolean | number | string | Bytes | Item[] | Map<number | string, Item> | Tagged;

// A certificate nests nine deep, envelope and claims together.
const DEPTH_MAX = 32;
// Dates stay as they are written, with or without their tag.
const DATES = new Set([0, 1, 100, 1004]);
// What builds something (references that multiply, patterns, messages) has no place in a certificate.
const REFUSED = new Set([4, 5, 25, 28, 29, 30, 35, 36, 37, 256, 258, 260, 261, 43000, 55799]);
const BREAK = Symbol("the end of a length that was not said");

/** Throws on what is not one whole item. */
export function decode(bytes: Bytes): Item {
  const reader = new Reader(bytes);
  const item = reader.item(0);
  if (!reader.isAtEnd) throw new Error("bytes after the end");
  return item;
}

/** The head of an item: its major type and its length. */
export function head(major: number, length: number): Bytes {
  const first = major << 5;
  if (length < 24) return Uint8Array.of(first | length);
  if (length < 0x100) return Uint8Array.of(first | 24, length);
  if (length < 0x10000) return Uint8Array.of(first | 25, length >> 8, length & 0xff);
  throw new Error("longer than a code can be");
}

export const byteString = (bytes: Uint8Array): Bytes => concat(head(2, bytes.length), bytes);

class Reader {
  private at = 0;
  private readonly view: DataView<ArrayBuffer>;

  constructor(private readonly bytes: Bytes) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  item(depth: number): Item {
    const item = this.next(depth);
    if (item === BREAK) throw new Error("a break outside");
    return item;
  }

  private next(depth: number): Item | typeof BREAK {
    if (depth > DEPTH_MAX) throw new Error("too deep");
    const first = this.take(1)[0]!;
    const [major, more] = [first >> 5, first & 31];
    if (major === 7) return this.simple(more);
    const length = more === 31 ? null : this.number(more);
    switch (major) {
      case 0:
        return whole(length);
      case 1:
        return -1 - whole(length);
      case 2:
        return length === null ? concat(...this.pieces(2)) : this.take(length);
      case 3:
        return length === null ? this.pieces(3).map(textOf).join("") : textOf(this.take(length));
      case 4:
        return this.many(length, depth);
      case 5:
        return this.map(length, depth);
      default:
        return this.tagged(whole(length), depth);
    }
  }

  private tagged(tag: number, depth: number): Item {
    if (REFUSED.has(tag)) throw new Error("a tag that builds something");
    const value = this.item(depth + 1);
    // A date is told as text or number; around anything else the tag is none of ours.
    const isDate = DATES.has(tag) && (typeof value === "string" || typeof value === "number");
    return isDate ? value : new Tagged(tag, value);
  }

  private many(length: number | null, depth: number): Item[] {
    const items: Item[] = [];
    while (length === null || items.length < length) {
      const item = this.next(depth + 1);
      if (item !== BREAK) items.push(item);
      else if (length === null) return items;
      else throw new Error("a break inside");
    }
    return items;
  }

  private map(length: number | null, depth: number): Map<number | string, Item> {
    const flat = this.many(length === null ? null : length * 2, depth);
    const map = new Map<number | string, Item>();
    for (let at = 0; at < flat.length; at += 2) {
      const [name, value] = [flat[at], flat[at + 1]];
      if ((typeof name !== "number" && typeof name !== "string") || value === undefined || map.has(name)) {
        throw new Error("no map of a certificate");
      }
      map.set(name, value);
    }
    return map;
  }

  /** Of a text without a length: each piece is of the same kind, and has one (RFC 8949 §3.2.3). */
  private pieces(major: number): Bytes[] {
    const found: Bytes[] = [];
    for (;;) {
      const first = this.view.getUint8(this.skip(1));
      if (first === 0xff) return found;
      if (first >> 5 !== major) throw new Error("a piece of another kind");
      found.push(this.take(this.number(first & 31)));
    }
  }

  private simple(more: number): Item | typeof BREAK {
    if (more === 20 || more === 21) return more === 21;
    if (more === 22 || more === 23) return null;
    if (more === 25) return half(this.number(25));
    if (more === 26) return this.view.getFloat32(this.skip(4));
    if (more === 27) return this.view.getFloat64(this.skip(8));
    if (more === 31) return BREAK;
    throw new Error("a simple value that nobody knows");
  }

  private number(more: number): number {
    if (more < 24) return more;
    if (more === 24) return this.view.getUint8(this.skip(1));
    if (more === 25) return this.view.getUint16(this.skip(2));
    if (more === 26) return this.view.getUint32(this.skip(4));
    if (more === 27) return Number(this.view.getBigUint64(this.skip(8)));
    throw new Error("no length");
  }

  private skip(count: number): number {
    if (this.at + count > this.bytes.length) throw new Error("cut");
    this.at += count;
    return this.at - count;
  }

  private take(count: number): Bytes {
    const begin = this.skip(count);
    return this.bytes.slice(begin, begin + count);
  }
}

function whole(length: number | null): number {
  if (length === null) throw new Error("no length");
  return length;
}

/** A float of 16 bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 25) * (fraction + 1024);
}
