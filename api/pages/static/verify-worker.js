/**
 * Keeps the page /verify and its files (FILES, which the server names before this) for when there is no network.
 * Nothing else goes through it: verdicts are made in the page, and its lists are kept by the page.
 */

const STORE = `verify-${FILES[0]?.split("/")[2] ?? ""}`;
const PAGE = "/verify";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(STORE).then((store) => store.addAll([PAGE, ...FILES])).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith("verify-") && name !== STORE && name !== "verify-lists";
  const cleaned = caches.keys().then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))));
  event.waitUntil(cleaned.then(() => self.clients.claim()));
});

/** The page of now where there is a network, for its language and its newest scripts; else the kept one. */
async function page(request) {
  const store = await caches.open(STORE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await store.put(PAGE, answer.clone());
    return answer;
  } catch {
    return (await store.match(PAGE, { ignoreVary: true })) ?? Response.error();
  }
}

async function file(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === PAGE) event.respondWith(page(request));
  else if (pathname.startsWith("/static/")) event.respondWith(file(request));
});
