// What the handset keeps: IndexedDB, everything about people sealed with AES-GCM under the key of the round.
// The key comes from the server, cannot be read out of the browser again, and is deleted at sign-out and at the end of the round.
globalThis.Handset = {};
(() => {
  "use strict";
  const NAME = "handset";
  let opened = null;

  const answered = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = () => {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        for (const store of ["meta", "sealed"]) request.result.createObjectStore(store);
        for (const store of ["queue", "answers"]) request.result.createObjectStore(store, { keyPath: "id" });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opened;
  };
  const read = async (store, key) => answered((await database()).transaction(store).objectStore(store).get(key));
  const all = async (store) => answered((await database()).transaction(store).objectStore(store).getAll());
  // resolves when the write is on disk, not only accepted
  const write = async (stores, work) => {
    const names = [].concat(stores);
    const transaction = (await database()).transaction(names, "readwrite", { durability: "strict" });
    work(...names.map((name) => transaction.objectStore(name)));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  };

  const bytesOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const setKey = async (base64) => {
    const key = await crypto.subtle.importKey("raw", bytesOf(base64), "AES-GCM", false, ["encrypt", "decrypt"]);
    await write("meta", (meta) => meta.put(key, "key"));
    return key;
  };
  const key = () => read("meta", "key");
  const dropKey = () => write("meta", (meta) => meta.delete("key"));
  const seal = async (value) => {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const text = new TextEncoder().encode(JSON.stringify(value));
    return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), text) };
  };
  const unseal = async ({ iv, data }) => JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await key(), data)));

  const keepRound = async (round) => {
    const sealed = await seal(round);
    await write(["sealed", "meta"], (store, meta) => { store.put(sealed, "round"); meta.put(round.id, "round"); });
  };
  const round = async () => {
    const sealed = await read("sealed", "round");
    return sealed && (await key()) ? unseal(sealed) : null;
  };
  const wipe = () => write(["meta", "sealed", "queue", "answers"], (meta, ...others) => {
    for (const name of ["key", "round", "sent", "handset_no"]) meta.delete(name);
    others.forEach((store) => store.clear());
  });
  const meta = (name) => read("meta", name);
  const setMeta = (name, value) => write("meta", (store) => store.put(value, name));
  const deviceId = async () => {
    const known = await meta("device");
    if (known) return known;
    const made = crypto.randomUUID();
    await setMeta("device", made);
    return made;
  };

  Object.assign(Handset, { all, deviceId, dropKey, key, keepRound, meta, read, round, seal, setKey, setMeta, unseal, wipe, write });
})();
