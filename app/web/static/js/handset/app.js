// The screens of the handset. Everything works from what is stored; the network only brings news and takes records.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);
  const words = one("[data-words]").dataset;
  const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]);
  const show = (selector, shown) => { const place = typeof selector === "string" ? one(selector) : selector; place.hidden = !shown; };

  let round = null; // with its stops, unsealed
  let stop = null; // the one on the screen
  let tab = "open";
  let screen = "wait";
  let courier = "";
  let pad = null;
  let photo = null;
  let codeRight = null; // the code that was found right

  // --- moving about ---
  const go = (name) => {
    if (screen === "scan" && name !== "scan") Handset.stopCamera();
    screen = name;
    each("[data-screen]", (section) => { section.hidden = section.dataset.screen !== name; });
    show("[data-back]", ["stop", "answers", "more", "scan"].includes(name) && round !== null);
    if (name === "list") drawList();
    if (name === "stop") drawStop();
    if (name === "deliver") openDoor();
    if (name === "failed") openFailed();
    if (name === "answers") drawAnswers();
    if (name === "more") drawMore();
    scrollTo(0, 0);
  };
  let fading = 0;
  const toast = (text) => {
    const place = one("[data-toast]");
    place.textContent = text;
    place.hidden = false;
    clearTimeout(fading);
    fading = setTimeout(() => { place.hidden = true; }, 4000);
  };
  const ask = (text) => new Promise((resolve) => {
    const dialog = one("[data-ask]");
    one("[data-ask-text]", dialog).textContent = text;
    one("[data-yes]", dialog).onclick = () => { dialog.close(); resolve(true); };
    one("[data-no]", dialog).onclick = () => { dialog.close(); resolve(false); };
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
  const drawLines = async () => {
    const [left, answers] = [await Handset.waiting(), await Handset.all("answers")];
    one("[data-waiting]").textContent = left.length;
    show("[data-send]", left.length > 0);
    one("[data-look-count]").textContent = answers.length;
    show("[data-looks]", answers.length > 0);
    show("[data-offline]", !navigator.onLine);
    document.body.dataset.queue = left.length;
  };

  // --- drawing ---
  const addressOf = (at) => `${at.county}${at.address}`;
  const drawList = () => {
    one("[data-title]").textContent = round.number;
    const count = { open: 0, delivered: 0, failed: 0 };
    round.stops.forEach((at) => { count[at.state] += 1; });
    each("[data-count]", (place) => { place.textContent = count[place.dataset.count]; });
    each("[data-tab]", (button) => { button.setAttribute("aria-pressed", String(button.dataset.tab === tab)); });
    const sought = one("[data-search]").value.normalize("NFKC").trim().toUpperCase();
    const fits = (at) => !sought || [at.name, addressOf(at), at.waybill_no, at.number, at.mobile].some((text) => text.toUpperCase().includes(sought));
    const shown = round.stops.filter((at) => at.state === tab && fits(at));
    const place = one("[data-stops]");
    place.replaceChildren(...shown.map(rowOf));
    show("[data-no-stops]", shown.length === 0);
    const next = round.stops.find((at) => at.state === "open");
    show("[data-next]", tab === "open" && !sought && next !== undefined);
    if (next) {
      one("[data-next-name]").textContent = next.name;
      one("[data-next-address]").textContent = addressOf(next);
      one("[data-next-call]").href = `tel:${next.mobile}`;
      one("[data-next-open]").onclick = () => openStop(next);
    }
    show("[data-end]", count.open === 0 || tab !== "open");
  };
  const rowOf = (at) => {
    const row = one("[data-stop-row]").content.cloneNode(true);
    one(".hs-no", row).textContent = round.stops.indexOf(at) + 1;
    one("strong", row).textContent = at.name;
    one(".hs-what > span", row).textContent = addressOf(at);
    one("small", row).textContent = `${at.waybill_no} · ${at.contents}`;
    one("button", row).onclick = () => openStop(at);
    return row;
  };
  const openStop = (at) => { stop = at; go("stop"); };
  const drawStop = () => {
    const section = one("[data-screen=stop]");
    one("[data-title]").textContent = stop.number;
    each("[data-f]", (place) => { place.textContent = place.dataset.f === "address" ? addressOf(stop) : stop[place.dataset.f]; }, section);
    one("[data-call]", section).href = `tel:${stop.mobile}`;
    show("[data-only-self]", stop.who_may_sign === "self");
    show("[data-agent]", stop.who_may_sign === "agent");
    show(one("[data-code-locked]", section), stop.is_locked);
    show("[data-reach]", stop.state !== "delivered" && stop.mobile !== "");
    show("[data-do]", stop.state !== "delivered");
    show("[data-settled]", stop.state !== "open");
    one("[data-settled]").textContent = stop.state === "open" ? "" : stop.state === "delivered" ? words.doneDelivered : words.doneFailed;
  };
  const drawAnswers = async () => {
    const answers = await Handset.all("answers");
    one("[data-answers]").replaceChildren(...answers.map((answer) => {
      const row = one("[data-answer-row]").content.cloneNode(true);
      one("strong", row).textContent = answer.number;
      one("span", row).textContent = answer.message || words[`result${answer.standing[0].toUpperCase()}${answer.standing.slice(1)}`] || answer.standing;
      const button = one("button", row);
      button.hidden = false;
      button.onclick = async () => { await Handset.discard(answer.id); await drawLines(); drawAnswers(); };
      return row;
    }));
    show("[data-no-answers]", answers.length === 0);
  };
  const drawMore = async () => {
    one("[data-who]").textContent = courier;
    one("[data-round-number]").textContent = round?.number ?? "—";
    const sent = await Handset.meta("sent");
    one("[data-sent-at]").textContent = sent ? new Date(sent).toLocaleTimeString() : "—";
    const seconds = Math.round(Math.abs(await Handset.knownOffset()) / 1000);
    one("[data-clock]").textContent = seconds < 60 ? words.clockRight : filled(words.clockWrong, { count: seconds });
  };
  const drawHome = (rounds) => {
    one("[data-rounds]").replaceChildren(...rounds.map((row) => {
      const made = one("[data-round-row]").content.cloneNode(true);
      one("strong", made).textContent = row.number;
      one(".hs-what > span", made).textContent = `${row.work_day} · ${filled(words.stops, { count: row.stops })}`;
      one("button", made).onclick = () => takeOut(row);
      return made;
    }));
    show("[data-no-rounds]", rounds.length === 0);
    show("[data-needs-net]", false);
    go("home");
  };

  // --- the round ---
  const keep = (fresh) => {
    const { key: _key, ...facts } = fresh;
    round = facts;
    return Handset.keepRound(facts);
  };
  const takeOut = async (row) => {
    if (row.state === "planned" && !(await ask(filled(words.setOut, { count: row.stops })))) return;
    try {
      const fresh = await Handset.call(row.state === "planned" ? `rounds/${row.id}/set-out` : `rounds/${row.id}`, row.state === "planned" ? {} : undefined, 30_000);
      await Handset.setKey(fresh.key);
      await Handset.setMeta("handset_no", fresh.handset_no);
      await keep(fresh);
      tab = "open";
      go("list");
      await drawLines();
    } catch (failure) { await met(failure); }
  };
  // What is recorded here and not sent yet outweighs what the server still believes; the order is the courier's.
  const merged = async (fresh) => {
    const pending = new Map((await Handset.waiting()).filter((item) => item.kind !== "code_locked").map((item) => [item.parcel, item.kind]));
    const place = new Map((round?.stops ?? []).map((at, index) => [at.parcel_id, index]));
    fresh.stops.forEach((at) => { if (pending.has(at.parcel_id)) at.state = pending.get(at.parcel_id); });
    if (await Handset.meta("reordered")) fresh.stops.sort((a, b) => (place.get(a.parcel_id) ?? 999) - (place.get(b.parcel_id) ?? 999));
    return fresh;
  };
  const over = async (text = words.roundOver) => {
    await Handset.wipe();
    round = stop = null;
    toast(text);
    await drawLines();
    drawHome((await Handset.session()).rounds);
  };
  const refresh = async () => {
    const id = await Handset.meta("round");
    const fresh = await Handset.call(`rounds/${id}`, undefined, 15_000);
    if (fresh.state !== "out") {
      if ((await Handset.waiting()).length === 0) await over();
      else if (!(await Handset.key())) go("ended");
      return;
    }
    if (!(await Handset.key())) await Handset.setKey(fresh.key);
    round ??= await Handset.round();
    if ((await Handset.meta("handset_no") ?? 1) < fresh.handset_no) {
      await send(); // kept by the hall as evidence, and refused
      await over(words.givenUp);
      return;
    }
    const shownParcel = stop?.parcel_id;
    await keep(await merged(fresh));
    if (shownParcel) stop = round.stops.find((at) => at.parcel_id === shownParcel) ?? stop;
    if (["wait", "locked", "list"].includes(screen)) go("list");
  };
  const forget = (at) => { Object.assign(at, { name: `${at.name.slice(0, 1)}**`, mobile: "", address: "", code_hint: "" }); };
  const send = async () => {
    try {
      const known = new Set(await Handset.sendAll());
      if (known.size && round) {
        round.stops.filter((at) => known.has(at.parcel_id)).forEach(forget);
        await Handset.keepRound(round);
      }
      if (round && (await Handset.meta("reordered"))) {
        await Handset.call(`rounds/${round.id}/order`, { parcel_ids: round.stops.map((at) => at.parcel_id) });
        await Handset.setMeta("reordered", false);
      }
    } finally { await drawLines(); }
  };
  let syncing = null;
  const sync = (spoken) => {
    syncing ??= (async () => {
      try {
        const facts = await Handset.session();
        courier = facts.courier;
        if (await Handset.meta("round")) {
          await refresh();
          if (await Handset.key()) await send();
          if (spoken) toast((await Handset.waiting()).length ? words.notSent : words.sent);
        } else if (["wait", "locked", "home", "foreign"].includes(screen)) drawHome(facts.rounds);
      } catch (failure) { await met(failure, spoken); }
      syncing = null;
      await drawLines();
    })();
    return syncing;
  };
  // What an answer or its absence means.
  const met = async (failure, spoken = true) => {
    if (failure instanceof Handset.Refusal && failure.status === 401) {
      await Handset.dropKey();
      round = stop = null;
      go("locked");
    } else if (failure instanceof Handset.Refusal && failure.status === 404 && screen !== "stop") {
      go("foreign");
    } else if (failure instanceof Handset.Refusal) {
      toast(failure.message);
    } else {
      if (spoken) toast(words.notSent);
      if (screen === "wait") await startAlone();
    }
  };
  const startAlone = async () => {
    round = await Handset.round();
    if (round) return go("list");
    if (await Handset.meta("round")) return go("locked");
    go("home");
    show("[data-needs-net]", true);
    return show("[data-no-rounds]", false);
  };

  // --- recording ---
  const store = async (facts, state) => {
    await Handset.add({ round_id: round.id, handset_no: round.handset_no ?? 1, parcel_id: stop.parcel_id, ...facts }, stop.waybill_no);
    if (state) stop.state = state;
    await Handset.keepRound(round);
    await drawLines();
    if (state) { toast(words.saved); tab = "open"; one("[data-search]").value = ""; go("list"); }
    if (navigator.onLine) sync(false);
  };
  const field = (name) => one(`[data-i=${name}]`);
  const signerNow = () => one("[name=signer]:checked")?.value ?? "";
  const say = (text) => {
    const place = one("[data-missing]", one(`[data-screen=${screen}]`));
    place.textContent = text ?? "";
    place.hidden = !text;
    if (text) place.scrollIntoView({ block: "center" });
  };
  const openDoor = () => {
    const section = one("[data-screen=deliver]");
    one("[data-title]").textContent = stop.name;
    each("input[type=radio]", (radio) => { radio.checked = radio.value === "self"; }, section);
    each("[data-i]", (input) => { input.value = ""; }, section);
    codeRight = photo = null;
    one("[data-code-say]").textContent = stop.is_locked ? words.codeLocked : "";
    show("[data-preview]", false);
    one("[data-photo]").value = "";
    pad?.off();
    pad = Handset.padOn(one("[data-pad]"));
    say(null);
    fitSigner();
  };
  const fitSigner = () => {
    const signer = signerNow();
    show("[data-not-allowed]", signer !== "" && !Handset.isAllowed(stop, signer));
    show("[data-for-name]", ["agent", "family", "reception"].includes(signer));
    show("[data-for-code]", ["self", "agent"].includes(signer));
    show("[data-for-id]", signer !== "unattended");
    show("[data-for-signature]", signer !== "unattended");
    field("code").disabled = one("[data-check-code]").disabled = stop.is_locked;
  };
  const tryCode = async () => {
    const code = field("code").value.normalize("NFKC").trim();
    if (!code) return;
    const answer = await Handset.checkCode(round, stop, code);
    stop.tries_left = answer.left;
    stop.is_locked = answer.locked;
    codeRight = answer.right ? code : null;
    if (!answer.right) field("code").value = "";
    one("[data-code-say]").textContent = answer.right ? (answer.sure ? words.codeRight : words.codeLikely)
      : answer.locked ? words.codeLocked : filled(words.codeWrong, { count: answer.left });
    one("[data-code-say]").dataset.tone = answer.right ? "good" : "bad";
    await Handset.keepRound(round);
    if (answer.isNews) await store({ kind: "code_locked" }, null);
    fitSigner();
  };
  const saveDelivered = async () => {
    if (field("code").value && codeRight === null && ["self", "agent"].includes(signerNow())) await tryCode();
    const signer = signerNow();
    const given = {
      signer, signer_name: signer === "self" ? stop.name : field("signer_name").value.trim(), codeRight,
      id_type: signer === "unattended" ? "" : field("id_type").value, id_last4: field("id_last4").value.normalize("NFKC").trim().toUpperCase(),
      signature: signer === "unattended" || pad.isEmpty() ? null : Handset.base64Of(pad.toDataURL("image/png")), photo: photo && Handset.base64Of(photo),
    };
    const lack = Handset.missing(words, stop, given);
    if (lack) return say(lack);
    const { codeRight: code, id_type: type, ...facts } = given;
    const shown = type ? { id_type: type, id_last4: given.id_last4 } : {};
    delete facts.id_last4;
    return store({ kind: "delivered", ...facts, ...shown, code: code ?? "", note: field("note").value.trim() }, "delivered");
  };
  const openFailed = () => {
    one("[data-title]").textContent = stop.name;
    each("[name=reason]", (radio) => { radio.checked = false; });
    field("why").value = "";
    say(null);
  };
  const saveFailed = () => {
    const reason = one("[name=reason]:checked")?.value;
    if (!reason) return say(words.needReason);
    return store({ kind: "failed", reason, next_step: field("next_step").value, note: field("why").value.trim() }, "failed");
  };

  // --- codes ---
  const openCode = (code) => {
    const found = round?.stops.find((at) => at.waybill_no === code || at.number === code);
    if (found) return openStop(found);
    return toast(filled(words.unknownCode, { code }));
  };
  const scanByCamera = async () => {
    go("scan");
    try {
      const code = await Handset.fromCamera(one("[data-video]"));
      if (code === null) return;
      go("list");
      openCode(code);
    } catch (missing) {
      go("list");
      toast(words.noCamera);
    }
  };

  // --- end and leave ---
  const end = async () => {
    await sync(false);
    if ((await Handset.waiting()).length || !navigator.onLine) return toast(words.endWaiting);
    const open = round.stops.filter((at) => at.state === "open").length;
    if (!(await ask(open ? filled(words.endOpen, { count: open }) : words.endNow))) return undefined;
    try {
      await Handset.call(`rounds/${round.id}/finish`, {});
      return await over();
    } catch (failure) { return met(failure); }
  };
  const leave = async () => {
    const left = (await Handset.waiting()).length;
    if (left && !(await ask(words.leave))) return;
    try {
      await Handset.session();
      await Handset.signOut();
    } catch (offline) { /* the session ends by itself; the key goes now */ }
    if (left) await Handset.dropKey(); else await Handset.wipe();
    location.assign("/sign-in");
  };

  // --- listening ---
  each("[data-go]", (button) => { button.addEventListener("click", () => go(button.dataset.go === "list" && !round ? "home" : button.dataset.go)); });
  each("[data-tab]", (button) => { button.addEventListener("click", () => { tab = button.dataset.tab; drawList(); }); });
  each("[name=signer]", (radio) => { radio.addEventListener("change", fitSigner); });
  each("[name=reason]", (radio) => { radio.addEventListener("change", () => { field("next_step").value = radio.dataset.default; }); });
  const on = (selector, act) => one(selector).addEventListener("click", act);
  on("[data-check-code]", tryCode);
  on("[data-save-delivered]", saveDelivered);
  on("[data-save-failed]", saveFailed);
  on("[data-clear]", () => pad.clear());
  on("[data-camera]", scanByCamera);
  on("[data-send]", () => sync(true));
  on("[data-send-now]", () => sync(true));
  on("[data-empty]", async () => { if (await ask(words.empty)) { await Handset.wipe(); go("wait"); sync(true); } });
  on("[data-end]", end);
  on("[data-sign-out]", leave);
  on("[data-first]", async () => {
    round.stops = [stop, ...round.stops.filter((at) => at !== stop)];
    await Handset.setMeta("reordered", true);
    await Handset.keepRound(round);
    go("list");
    if (navigator.onLine) sync(false);
  });
  field("code").addEventListener("input", () => { codeRight = null; one("[data-code-say]").textContent = ""; });
  one("[data-search]").addEventListener("input", drawList);
  one("[data-search]").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    openCode(Handset.normal(event.target.value));
    event.target.value = "";
  });
  one("[data-photo]").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    photo = await Handset.photoOf(file);
    one("[data-preview]").src = photo;
    show("[data-preview]", true);
    one("[data-photo-say]").textContent = one("[data-photo-say]").dataset.again;
  });
  Handset.listen((code) => { if (round) openCode(code); });
  addEventListener("online", () => sync(false));
  addEventListener("offline", drawLines);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && navigator.onLine) sync(false); });
  setInterval(() => { if (navigator.onLine && !document.hidden && document.body.dataset.queue > 0) sync(false); }, 30_000);

  // --- staying up to date ---
  const install = async () => {
    if (!("serviceWorker" in navigator)) return;
    const had = Boolean(navigator.serviceWorker.controller);
    const registration = await navigator.serviceWorker.register("/handset/worker.js", { scope: "/handset/" });
    const offer = () => { if (registration.waiting && had) show("[data-update]", true); };
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
    offer();
    on("[data-update]", () => registration.waiting?.postMessage("take-over"));
    navigator.serviceWorker.addEventListener("controllerchange", () => { if (had) location.reload(); });
  };
  navigator.storage?.persist?.();
  install().catch(() => { /* without a worker the page still works while it is open */ });
  if (navigator.onLine) sync(false); else startAlone().then(drawLines);
})();
