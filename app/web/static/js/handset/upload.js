// The queue: a record is sealed and on disk before the courier sees "recorded", and leaves only when the server has it.
(() => {
  "use strict";
  const limit = Number(document.body.dataset.uploadLimit);
  const LARGEST = 6_000_000; // characters in one upload; photos count
  let token = null;
  let offset = 0;

  class Refusal extends Error {
    constructor(status, problem) { super(problem?.detail || problem?.title || String(status)); this.status = status; this.problem = problem; }
  }

  // Raises Refusal for an answer of the server and whatever fetch raises without one.
  const call = async (path, body, wait = 8000) => {
    const began = Date.now();
    const answer = await fetch(`/api/handset/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json", "X-CSRFToken": token ?? "" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(wait),
      cache: "no-store",
    });
    const facts = await answer.json().catch(() => null);
    if (!answer.ok) throw new Refusal(answer.status, facts);
    if (facts.server_ms) {
      offset = Math.round(facts.server_ms - (began + Date.now()) / 2);
      await Handset.setMeta("offset", offset);
    }
    return facts;
  };
  const session = async () => {
    const facts = await call("session");
    token = facts.csrf_token;
    return facts;
  };
  const knownOffset = async () => offset || (await Handset.meta("offset")) || 0;

  const add = async (record, number) => {
    const made = { ...record, id: crypto.randomUUID(), device_at: Date.now(), noted_offset_ms: await knownOffset() };
    const sealed = await Handset.seal(made);
    const size = (made.photo?.length ?? 0) + (made.signature?.length ?? 0) + 1000;
    await Handset.write("queue", (queue) => queue.put({ id: made.id, round: made.round_id, parcel: made.parcel_id, kind: made.kind, number, at: made.device_at, size, sealed }));
    return made;
  };
  const waiting = async () => (await Handset.all("queue")).filter((item) => !item.refused).sort((a, b) => a.at - b.at);
  const nextBatch = (items) => {
    const batch = [];
    let size = 0;
    for (const item of items) {
      if (batch.length === limit || (batch.length && size + item.size > LARGEST)) break;
      batch.push(item);
      size += item.size;
    }
    return batch;
  };

  // Of a batch: what the server has (leaves the queue), what it will never take (stays, marked), what is sent again.
  const settle = async (batch, results) => {
    const byId = new Map(results.map((result) => [result.id, result]));
    await Handset.write(["queue", "answers"], (queue, answers) => {
      for (const item of batch) {
        const result = byId.get(item.id);
        if (!result || result.result === "retry") continue;
        const looks = result.result === "refused" || ["conflict", "doubtful", "late"].includes(result.standing);
        if (looks) answers.put({ id: item.id, number: item.number, standing: result.standing || "refused", message: result.message ?? "" });
        if (result.result === "refused") queue.put({ ...item, refused: true });
        else queue.delete(item.id);
      }
    });
  };

  // Sends everything that waits, twenty at a time. Returns the parcels that the server now knows as settled.
  const sendAll = async () => navigator.locks.request("handset-send", { ifAvailable: true }, async (lock) => {
    const known = [];
    if (!lock) return known;
    for (let left = await waiting(); left.length; ) {
      if (token === null) await session();
      const batch = nextBatch(left);
      const records = await Promise.all(batch.map((item) => Handset.unseal(item.sealed)));
      const answer = await call("records", { device_id: await Handset.deviceId(), sent_at: Date.now(), records }, 60_000);
      await settle(batch, answer.results);
      await Handset.setMeta("sent", Date.now());
      known.push(...batch.filter((item) => item.kind === "delivered" && answer.results.some((one) => one.id === item.id && ["stored", "repeated"].includes(one.result))).map((item) => item.parcel));
      const before = left.length;
      left = await waiting();
      if (left.length === before) break; // all of them are to be sent again: later
    }
    return known;
  });
  const discard = (id) => Handset.write(["queue", "answers"], (queue, answers) => { queue.delete(id); answers.delete(id); });

  const signOut = () => fetch("/sign-out", { method: "POST", headers: { "X-CSRFToken": token ?? "" }, redirect: "manual" });

  Object.assign(Handset, { Refusal, add, call, discard, knownOffset, sendAll, session, signOut, waiting });
})();
