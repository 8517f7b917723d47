// Sealed quotes (GMBID/1) in the agency's browser: commitment, HPKE (RFC 9180: X25519, HKDF-SHA-256, AES-256-GCM), opening codes.
// No price, nonce or opening code leaves this page readable. The same file runs under Node for its test: `module.exports`.
(() => {
  "use strict";
  const PROTOCOL = "GMBID/1";
  const PRICE = /^(0|[1-9][0-9]{0,12})\.[0-9]{2}$/;
  const TYPED = /^(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?$/;
  const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const PKCS8 = new Uint8Array([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32]);
  const NO_PLAN = "0".repeat(64);
  const subtle = globalThis.crypto && globalThis.crypto.subtle;

  const utf8 = (text) => new TextEncoder().encode(text);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
  const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const joined = (...parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
    return whole;
  };
  const random = (length) => crypto.getRandomValues(new Uint8Array(length));
  const sha256 = async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes));

  // --- HPKE, base mode, one message ---
  const HPKE = utf8("HPKE-v1");
  const KEM_ID = joined(utf8("KEM"), new Uint8Array([0, 32]));
  const SUITE_ID = joined(utf8("HPKE"), new Uint8Array([0, 32, 0, 1, 0, 2]));
  const hmac = async (key, data) => {
    const secret = key.length ? key : new Uint8Array(32);
    const imported = await subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await subtle.sign("HMAC", imported, data));
  };
  const extract = (suite, salt, label, material) => hmac(salt, joined(HPKE, suite, utf8(label), material));
  const expand = async (suite, secret, label, info, length) => {
    const labelled = joined(new Uint8Array([0, length]), HPKE, suite, utf8(label), info);
    return (await hmac(secret, joined(labelled, new Uint8Array([1])))).slice(0, length);
  };
  const EMPTY = new Uint8Array(0);
  const schedule = async (dh, encapsulated, recipient, info) => {
    const eae = await extract(KEM_ID, EMPTY, "eae_prk", dh);
    const shared = await expand(KEM_ID, eae, "shared_secret", joined(encapsulated, recipient), 32);
    const pskHash = await extract(SUITE_ID, EMPTY, "psk_id_hash", EMPTY);
    const infoHash = await extract(SUITE_ID, EMPTY, "info_hash", info);
    const context = joined(new Uint8Array([0]), pskHash, infoHash);
    const secret = await extract(SUITE_ID, shared, "secret", EMPTY);
    const key = await expand(SUITE_ID, secret, "key", context, 32);
    const nonce = await expand(SUITE_ID, secret, "base_nonce", context, 12);
    return { key: await subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]), nonce };
  };
  const agree = async (privateKey, publicBytes) => {
    const other = await subtle.importKey("raw", publicBytes, { name: "X25519" }, true, []);
    return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: other }, privateKey, 256));
  };
  const sealTo = async (publicBytes, info, text) => {
    const pair = await subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
    const encapsulated = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
    const { key, nonce } = await schedule(await agree(pair.privateKey, publicBytes), encapsulated, publicBytes, info);
    return joined(encapsulated, new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, text)));
  };
  const openWith = async (pair, info, sealed) => {
    const encapsulated = sealed.slice(0, 32);
    const { key, nonce } = await schedule(await agree(pair.privateKey, encapsulated), encapsulated, pair.publicBytes, info);
    return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: nonce }, key, sealed.slice(32)));
  };

  // --- quotes ---
  const canonicalPrice = (typed) => {
    const text = typed.trim();
    if (!TYPED.test(text)) return null;
    const [yuan, fen = ""] = text.split(".");
    return `${yuan}.${fen.padEnd(2, "0")}`;
  };
  const fenOf = (price) => Number(price.replace(".", ""));
  const commitment = async (tender, bidder, price, nonce) => {
    if (!PRICE.test(price) || !/^[0-9a-f]{64}$/.test(nonce)) throw new Error("not canonical");
    return hex(await sha256(utf8(`${PROTOCOL}\n${tender}\n${bidder}\n${price}\n${nonce}\n`)));
  };
  const seal = async (publicBytes, tender, bidder, price, planKey = NO_PLAN) => {
    const nonce = hex(random(32));
    const text = utf8(`${PROTOCOL}\n${price.padStart(16)}\n${nonce}\n${planKey}\n`);
    const sealed = await sealTo(publicBytes, utf8(`${tender}|${bidder}`), text);
    return { sealed, nonce, commitment: await commitment(tender, bidder, price, nonce) };
  };
  const sealPlan = async (name, content) => {
    const raw = random(32);
    const nonce = random(12);
    const key = await subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
    const text = joined(utf8(`${name.replace(/\n/g, " ")}\n`), content);
    const way = { name: "AES-GCM", iv: nonce, additionalData: utf8(PROTOCOL) };
    return { sealed: joined(nonce, new Uint8Array(await subtle.encrypt(way, key, text))), key: hex(raw) };
  };

  // --- opening codes ---
  const checkBits = async (seed) => {
    const digest = await sha256(joined(utf8("GMKEY/1 check\n"), seed));
    return BigInt((digest[0] << 4) | (digest[1] >> 4));
  };
  const newCode = async () => {
    const seed = random(16);
    const number = (BigInt(`0x${hex(seed)}`) << 12n) | (await checkBits(seed));
    const signs = Array.from({ length: 28 }, (_, i) => ALPHABET[Number((number >> BigInt(5 * (27 - i))) & 31n)]).join("");
    return signs.match(/.{4}/g).join("-");
  };
  const seedOf = async (typed) => {
    const plain = typed.toUpperCase().replace(/[-\s]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
    if (plain.length !== 28 || [...plain].some((sign) => !ALPHABET.includes(sign))) return null;
    const number = [...plain].reduce((sum, sign) => sum * 32n + BigInt(ALPHABET.indexOf(sign)), 0n);
    const seed = unhex((number >> 12n).toString(16).padStart(32, "0"));
    return (number & 0xfffn) === (await checkBits(seed)) ? seed : null;
  };
  const pairOf = async (typed) => {
    const seed = await seedOf(typed);
    if (seed === null) return null;
    const material = await subtle.importKey("raw", seed, "HKDF", false, ["deriveBits"]);
    const way = { name: "HKDF", hash: "SHA-256", salt: EMPTY, info: utf8("GMKEY/1 holder") };
    const raw = new Uint8Array(await subtle.deriveBits(way, material, 256));
    const privateKey = await subtle.importKey("pkcs8", joined(PKCS8, raw), { name: "X25519" }, true, ["deriveBits"]);
    const { x } = await subtle.exportKey("jwk", privateKey);
    const padded = x.replace(/-/g, "+").replace(/_/g, "/");
    return { privateKey, publicBytes: Uint8Array.from(atob(padded), (char) => char.charCodeAt(0)) };
  };
  const openShare = async (typed, tender, holder, sealed) => {
    const pair = await pairOf(typed);
    if (pair === null) return null;
    return openWith(pair, utf8(`${tender}|${holder}`), sealed);
  };
  const canSeal = async () => {
    try {
      return Boolean(await subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]));
    } catch (missing) {
      return false;
    }
  };
  const pure = { canonicalPrice, commitment, seal, sealPlan, newCode, pairOf, openShare, openWith, hex, unhex };
  if (typeof module !== "undefined") { module.exports = pure; return; }

  // --- the pages ---
  const save = (name, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const say = (form, text) => {
    const line = form.querySelector("[data-say]");
    line.textContent = text;
    line.hidden = text === "";
  };

  const quoteForm = async (form) => {
    if (!(await canSeal())) { form.querySelector("[data-cannot-seal]").hidden = false; return; }
    form.dataset.sealing = "browser";
    const price = form.elements.price;
    const plan = form.elements.plan;
    const facts = form.dataset;
    let kept = null;
    const show = (sealed) => {
      form.querySelector("[data-before]").hidden = sealed;
      form.querySelector("[data-after]").hidden = !sealed;
      price.disabled = sealed;  // a disabled field is not sent: the price stays here
      if (plan) plan.disabled = sealed;
    };
    form.querySelector("[data-seal]").addEventListener("click", async () => {
      say(form, "");
      const spelt = canonicalPrice(price.value);
      if (spelt === null) { say(form, facts.badPrice); price.focus(); return; }
      const fen = fenOf(spelt);
      if (fen <= 0) { say(form, facts.notPositive); price.focus(); return; }
      if (fen > Number(facts.ceiling)) { say(form, facts.aboveCeiling); price.focus(); return; }
      if (facts.floor && fen < Number(facts.floor)) { say(form, facts.belowFloor); price.focus(); return; }
      let planKey = NO_PLAN;
      if (plan) {
        const file = plan.files[0];
        if (!file) { say(form, facts.noPlan); plan.focus(); return; }
        const sealedPlan = await sealPlan(file.name, new Uint8Array(await file.arrayBuffer()));
        planKey = sealedPlan.key;
        const carrier = new DataTransfer();
        carrier.items.add(new File([sealedPlan.sealed], "plan.sealed", { type: "application/octet-stream" }));
        form.elements.sealed_plan.files = carrier.files;
      }
      const made = await seal(unhex(facts.key), facts.tender, facts.bidder, spelt, planKey);
      form.elements.commitment.value = made.commitment;
      form.elements.sealed.value = base64(made.sealed);
      kept = { protocol: PROTOCOL, tender: facts.tender, bidder: facts.bidder, price: spelt, nonce: made.nonce, commitment: made.commitment };
      form.querySelector("[data-commitment]").textContent = made.commitment;
      form.querySelector("[data-price-shown]").textContent = spelt;
      show(true);
      form.querySelector("[data-save]").focus();
    });
    form.querySelector("[data-save]").addEventListener("click", () => save(`${facts.tender}-${facts.bidder}.json`, `${JSON.stringify(kept, null, 2)}\n`));
    form.querySelector("[data-again]").addEventListener("click", () => {
      form.elements.commitment.value = form.elements.sealed.value = "";
      kept = null;
      show(false);
      price.focus();
    });
    form.addEventListener("submit", (event) => {
      if (form.elements.sealed.value === "") { event.preventDefault(); form.querySelector("[data-seal]").click(); }
    });
  };

  const shareForm = async (form) => {
    if (!(await canSeal())) return;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const code = form.elements.code;
      let share = null;
      for (const sealed of form.dataset.shares.split(" ")) {
        try {
          share = share || await openShare(code.value, form.dataset.tender, form.dataset.holder, unhex(sealed));
        } catch (wrong) {
          share = null;
        }
      }
      if (share === null) { say(form, (await seedOf(code.value)) ? form.dataset.wrongCode : form.dataset.badCode); code.focus(); return; }
      form.elements.share.value = hex(share);
      code.disabled = true;  // the code stays in this browser
      form.submit();
    });
  };

  const codeForm = async (form) => {
    if (!(await canSeal())) { form.querySelector("[data-cannot-seal]").hidden = false; return; }
    form.dataset.sealing = "browser";
    let code = "";
    form.querySelector("[data-make]").addEventListener("click", async () => {
      code = await newCode();
      const { publicBytes } = await pairOf(code);
      form.elements.public_key.value = hex(publicBytes);
      form.querySelector("[data-code]").textContent = code;
      form.querySelector("[data-before]").hidden = true;
      form.querySelector("[data-after]").hidden = false;
      form.elements.typed.required = true;
      form.elements.typed.focus();
    });
    form.querySelector("[data-save]").addEventListener("click", () => save("opening-code.json", `${JSON.stringify({ "opening-code": code, organisation: form.dataset.organisation }, null, 2)}\n`));
    form.addEventListener("submit", (event) => {
      if (code === "") { event.preventDefault(); form.querySelector("[data-make]").click(); return; }
      const typed = form.elements.typed.value.toUpperCase().replace(/[-\s]/g, "");
      if (typed !== code.slice(-4)) { event.preventDefault(); say(form, form.dataset.mistyped); form.elements.typed.focus(); return; }
      form.elements.typed.disabled = true;
    });
  };

  const verifyPanel = (panel) => panel.querySelector("[data-verify]").addEventListener("click", async () => {
    let good = 0;
    const rows = Array.from(panel.querySelectorAll("[data-quote]"));
    for (const row of rows) {
      const { tender, bidder, price, nonce, commitment: promised, counts } = row.dataset;
      const same = Boolean(nonce) && (await commitment(tender, bidder, price, nonce)) === promised;
      const right = same || counts === "no";
      row.dataset.outcome = right ? "good" : "bad";
      good += right ? 1 : 0;
    }
    const line = panel.querySelector("[data-verdict]");
    line.hidden = false;
    line.dataset.outcome = good === rows.length ? "good" : "bad";
    line.textContent = `${good === rows.length ? panel.dataset.good : panel.dataset.bad} ${good} / ${rows.length}`;
  });

  document.querySelectorAll("form[data-seal-quote]").forEach(quoteForm);
  document.querySelectorAll("form[data-give-share]").forEach(shareForm);
  document.querySelectorAll("form[data-opening-code]").forEach(codeForm);
  document.querySelectorAll("[data-verify-quotes]").forEach(verifyPanel);
})();
