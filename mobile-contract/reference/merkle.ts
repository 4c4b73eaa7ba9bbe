/** Trees of hashes as RFC 9162 has them. Sizes go beyond 32 bits, so nothing is shifted. */

import { type Bytes, hex, sha256 } from "./encoding.js";

export const leafHash = (data: Bytes): Promise<Bytes> => sha256(Uint8Array.of(0), data);

const nodeHash = (left: Bytes, right: Bytes): Promise<Bytes> => sha256(Uint8Array.of(1), left, right);
const half = (value: number): number => Math.floor(value / 2);
const isOdd = (value: number): boolean => value % 2 === 1;

/** Whether a leaf stands at `index` of the tree (§2.1.3.2). */
export async function holdsInclusion(
  leaf: Bytes,
  index: number,
  size: number,
  path: readonly Bytes[],
  root: Bytes,
): Promise<boolean> {
  if (index < 0 || index >= size) return false;
  let [at, last, made] = [index, size - 1, leaf];
  for (const step of path) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      made = await nodeHash(step, made);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      made = await nodeHash(made, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && hex(made) === hex(root);
}

/** Whether the tree of `size` continues the one of `old` (§2.1.4.2). Every tree continues the empty one. */
export async function holdsConsistency(
  old: number,
  size: number,
  path: readonly Bytes[],
  oldRoot: Bytes,
  root: Bytes,
): Promise<boolean> {
  if (old < 0 || old > size) return false;
  if (old === size) return path.length === 0 && hex(oldRoot) === hex(root);
  if (old === 0) return path.length === 0 && hex(oldRoot) === hex(await sha256());
  const steps = Number.isInteger(Math.log2(old)) ? [oldRoot, ...path] : [...path];
  let [at, last] = [old - 1, size - 1];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  const first = steps.shift();
  if (first === undefined) return false;
  let [madeOld, made] = [first, first];
  for (const step of steps) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      [madeOld, made] = [await nodeHash(step, madeOld), await nodeHash(step, made)];
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      made = await nodeHash(made, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && hex(madeOld) === hex(oldRoot) && hex(made) === hex(root);
}
