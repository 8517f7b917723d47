// The handset's service worker: keeps the page and its files, never an answer with anybody's data.
// VERSION and FILES stand before this text when the server sends it.
"use strict";
const CACHE = `handset-${VERSION}`;
const PAGE = "/handset/";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES);
    const page = await fetch(PAGE, { credentials: "same-origin", cache: "no-store" });
    if (!page.ok || page.redirected) throw new Error("not signed in: the page is kept the next time");
    await cache.put(PAGE, page);
    if (!self.registration.active) await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("handset-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => { if (event.data === "take-over") self.skipWaiting(); });

const kept = async (request) => (await (await caches.open(CACHE)).match(request)) ?? Response.error();
const pageFirstFromServer = async (request) => {
  try {
    return await Promise.race([fetch(request), new Promise((_resolve, reject) => setTimeout(reject, 4000))]);
  } catch (offline) {
    return kept(PAGE);
  }
};

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === PAGE) event.respondWith(pageFirstFromServer(event.request));
  else if (FILES.includes(url.pathname)) event.respondWith(caches.open(CACHE).then(async (cache) => (await cache.match(url.pathname)) ?? fetch(event.request)));
});
