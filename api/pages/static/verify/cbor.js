/** Reading CBOR that strangers wrote (RFC 8949): one item, nothing behind it, nothing that is built by a tag. */

import { concat, textOf } from "./bytes.js";

// A certificate nests nine deep, envelope and claims together.
const DEPTH_MAX = 32;
// Dates stay as they are written, with or without their tag.
const DATES = new Set([0, 1, 100, 1004]);
// What builds something (references that multiply, patterns, messages) has no place in a certificate.
const REFUSED = new Set([4, 5, 25, 28, 29, 30, 35, 36, 37, 256, 258, 260, 261, 43000, 55799]);
const BREAK = Symbol("the end of a length that was not said");

export class Tagged {
  constructor(tag, value) {
    Object.assign(this, { tag, value });
  }
}

/** Maps become Map, byte strings Uint8Array. Throws on what is not one whole item. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const item = reader.item(0);
  if (reader.at !== bytes.length) throw new Error("bytes after the end");
  return item;
}

/** A byte string as it is written. */
export function byteString(bytes) {
  const { length } = bytes;
  if (length >= 0x10000) throw new Error("longer than a code can be");
  const wide = length < 0x100 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
  return concat(Uint8Array.from(length < 24 ? [0x40 | length] : wide), bytes);
}

class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  item(depth) {
    const item = this.next(depth);
    if (item === BREAK) throw new Error("a break outside");
    return item;
  }

  next(depth) {
    if (depth > DEPTH_MAX) throw new Error("too deep");
    const first = this.view.getUint8(this.skip(1));
    const [major, more] = [first >> 5, first & 31];
    if (major === 7) return this.simple(more);
    const isOpen = more === 31 && major >= 2 && major <= 5;
    const length = isOpen ? null : this.number(more);
    if (major === 0) return length;
    if (major === 1) return -1 - length;
    if (major === 2) return isOpen ? concat(...this.pieces(2)) : this.take(length);
    if (major === 3) return isOpen ? this.pieces(3).map(textOf).join("") : textOf(this.take(length));
    if (major === 4) return this.many(length, depth);
    return major === 5 ? this.map(length, depth) : this.tagged(length, depth);
  }

  /** A date is told as text or number; around anything else the tag is none of ours. */
  tagged(tag, depth) {
    if (REFUSED.has(tag)) throw new Error("a tag that builds something");
    const value = this.item(depth + 1);
    const isDate = DATES.has(tag) && (typeof value === "string" || typeof value === "number");
    return isDate ? value : new Tagged(tag, value);
  }

  many(length, depth) {
    const items = [];
    while (length === null || items.length < length) {
      const item = this.next(depth + 1);
      if (item !== BREAK) items.push(item);
      else if (length === null) return items;
      else throw new Error("a break inside");
    }
    return items;
  }

  /** Names are texts or numbers, and none comes twice. */
  map(length, depth) {
    const flat = this.many(length === null ? null : length * 2, depth);
    const map = new Map();
    for (let at = 0; at < flat.length; at += 2) {
      const [name, value] = [flat[at], flat[at + 1]];
      const isName = typeof name === "number" || typeof name === "string";
      if (!isName || value === undefined || map.has(name)) throw new Error("no map of a certificate");
      map.set(name, value);
    }
    return map;
  }

  /** Of a text without a length: each piece is of the same kind, and has one (RFC 8949 §3.2.3). */
  pieces(major) {
    const found = [];
    for (;;) {
      const first = this.view.getUint8(this.skip(1));
      if (first === 0xff) return found;
      if (first >> 5 !== major) throw new Error("a piece of another kind");
      found.push(this.take(this.number(first & 31)));
    }
  }

  simple(more) {
    if (more === 20 || more === 21) return more === 21;
    if (more === 22 || more === 23) return null;
    if (more === 25) return half(this.number(25));
    if (more === 26) return this.view.getFloat32(this.skip(4));
    if (more === 27) return this.view.getFloat64(this.skip(8));
    if (more === 31) return BREAK;
    throw new Error("a simple value that nobody knows");
  }

  number(more) {
    if (more < 24) return more;
    if (more === 24) return this.view.getUint8(this.skip(1));
    if (more === 25) return this.view.getUint16(this.skip(2));
    if (more === 26) return this.view.getUint32(this.skip(4));
    if (more === 27) return Number(this.view.getBigUint64(this.skip(8)));
    throw new Error("no length");
  }

  skip(count) {
    if (this.at + count > this.bytes.length) throw new Error("cut");
    this.at += count;
    return this.at - count;
  }

  take(count) {
    const begin = this.skip(count);
    return this.bytes.slice(begin, begin + count);
  }
}

/** A float of 16 bits. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 25) * (fraction + 1024);
}
