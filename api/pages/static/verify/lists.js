/**
 * The lists that this browser keeps: fetched while there is a network, all of them or none, and kept with the time
 * at which they came. They say whose certificates count and hold nothing of a person.
 */

import { trustOf } from "./trust.js";

const PUBLIC = "/v1/public/certificates";
const STORE = "verify-lists";
const NAME = "/verify/lists";
const PAGES_MAX = 200;
export const MAX_AGE_MS = 30 * 86_400_000;

async function ask(path) {
  const answer = await fetch(path, { credentials: "omit", cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** Every page of one key's list, or nothing where it changed meanwhile. */
async function pagesOf(kid) {
  const name = kid.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const pages = [];
  for (let after = ""; pages.length < PAGES_MAX; ) {
    pages.push(await ask(`${PUBLIC}/revocations/${name}${after && `?after=${encodeURIComponent(after)}`}`));
    after = pages.at(-1).after ?? "";
    if (!after) break;
  }
  if (new Set(pages.map((page) => page.changes)).size !== 1) throw new Error("a list that changes");
  return pages;
}

/** issuer: the `iss` of this service's health cards. Rejects where anything of it did not come. */
async function fetched(issuer) {
  const [keys, heads, cards] = await Promise.all([
    ask(`${PUBLIC}/keys`),
    ask(`${PUBLIC}/revocations`),
    ask("/shc/.well-known/jwks.json"),
  ]);
  const hc1 = keys.certificates.map((one) => one.kid);
  const listed = heads.lists.map((one) => one.kid).filter((kid) => hc1.includes(kid));
  const revocations = (await Promise.all(listed.map(pagesOf))).flat();
  // Of the keys that no list speaks of nothing was revoked, as of the same day.
  const silent = hc1.filter((kid) => !listed.includes(kid));
  const none = silent.map((kid) => ({ kid, changes: 0, hashes: {}, issued_at: keys.issued_at }));
  const cardRevocations = await Promise.all(cards.keys.map(({ kid }) => ask(`/shc/.well-known/crl/${kid}.json`)));
  const own = [{ issuer, keys: cards.keys, issued_at: new Date().toISOString() }];
  return { keys: [keys], revocations: [...revocations, ...none], cards: own, cardRevocations };
}

async function opened(kept, isDemo) {
  const trust = await trustOf(kept.lists, MAX_AGE_MS, isDemo);
  return { ...kept, trust, issuedAt: Date.parse(kept.lists.keys[0].issued_at) };
}

/** {trust, at, issuedAt} as they were kept; null where there are none that can be read. */
export async function keptLists(isDemo) {
  try {
    const found = await (await caches.open(STORE)).match(NAME);
    return found ? await opened(await found.json(), isDemo) : null;
  } catch {
    return null;
  }
}

/**
 * Whether these lists are of an earlier state than those of `before`: their numbers rise with each change. A key that
 * is gone says nothing any more; a list that is gone, of a key that stays, must not have named anything.
 */
export function isOlder(lists, before) {
  const reached = (kid) => Math.max(...lists.revocations.filter((page) => page.kid === kid).map((page) => page.changes));
  const namesAny = (page) => Object.values(page.hashes).some((values) => values.length > 0);
  const told = before.revocations.filter((page) => namesAny(page) || reached(page.kid) > 0);
  return told.some((page) => reached(page.kid) > -Infinity && reached(page.kid) < page.changes);
}

/** Those of now, kept for later; rejects without a network or for older ones than those held, which stay. */
export async function newLists(issuer, isDemo, held = null) {
  const kept = { at: Date.now(), lists: await fetched(issuer) };
  if (held !== null && isOlder(kept.lists, held.lists)) throw new Error("older lists than those at hand");
  const made = await opened(kept, isDemo);
  await caches
    .open(STORE)
    .then((store) => store.put(NAME, new Response(JSON.stringify(kept))))
    .catch(() => {}); // a browser that keeps nothing still knows them until the page is closed
  return made;
}
