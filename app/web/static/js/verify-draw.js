// Repeats a GMDRAW/1 draw in the reader's browser from the two public files, and compares step by step with the page.
// The same file runs under Node for its test: there `module.exports` carries the pure part.
(() => {
  "use strict";
  const ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  const FACTORS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
  const NUMBER = /^[1-9][0-9]{0,11}$/;
  const LABEL = /^[A-Z0-9]{1,32}$/;
  const SOURCES = {
    "drand-quicknet": [NUMBER, /^[0-9a-f]{96}$/],
    "cwl-kl8": [LABEL, /^[0-9]{2}(-[0-9]{2}){19}$/],
    "hall-d10": [LABEL, /^[0-9]{40}$/],
    "demo-beacon": [NUMBER, /^[0-9a-f]{64}$/],
  };
  const ascii = (text) => new TextEncoder().encode(text);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const joined = (...parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
    return whole;
  };
  const need = (condition, message) => { if (!condition) throw new Error(message); };

  const linesOf = (bytes, name) => {
    need(bytes.every((byte) => (byte >= 32 && byte < 127) || byte === 10), `${name}: only printable ASCII and LF`);
    need(bytes.length > 0 && bytes[bytes.length - 1] === 10, `${name}: one final line feed`);
    const lines = new TextDecoder().decode(bytes.slice(0, -1)).split("\n");
    need(lines.every((line) => line !== ""), `${name}: empty line`);
    return lines;
  };
  const goodCode = (code) => {
    if (code.length !== 18 || [...code].some((c) => !ALPHABET.includes(c))) return false;
    const total = FACTORS.reduce((sum, factor, i) => sum + ALPHABET.indexOf(code[i]) * factor, 0);
    return ALPHABET[(31 - (total % 31)) % 31] === code[17];
  };
  const momentOf = (text) => {
    const parts = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$/.exec(text);
    need(parts, "draw.txt: bad freeze");
    const moment = new Date(text);
    need(!Number.isNaN(moment.valueOf()) && moment.toISOString() === text.replace("Z", ".000Z"), "draw.txt: freeze is not a real moment");
    return moment.valueOf() / 1000;
  };
  const sourceOf = (text, frozen, demonstration) => {
    const parts = text.split(" ");
    need(parts.length === 2 && Object.hasOwn(SOURCES, parts[0]), `draw.txt: unknown source: ${text}`);
    const [name, round] = parts;
    need(demonstration || name !== "demo-beacon", "draw.txt: a demonstration beacon proves nothing");
    need(SOURCES[name][0].test(round), `draw.txt: bad round: ${text}`);
    const known = { "drand-quicknet": 1692803367 + 3 * (Number(round) - 1), "demo-beacon": Number(round) }[name];
    need(known === undefined || known >= frozen + 600, "draw.txt: the value is known less than 600 s after the freeze");
    return { name, round };
  };
  const entryOf = (text) => {
    const parts = text.split(" ");
    need(parts.length === 3 && goodCode(parts[0]), `draw.txt: bad entry: ${text}`);
    need(NUMBER.test(parts[1]) && Number(parts[1]) <= 1000, `draw.txt: bad weight: ${text}`);
    need(/^[0-9a-f]{64}$/.test(parts[2]), `draw.txt: bad contribution: ${text}`);
    return { code: parts[0], weight: Number(parts[1]) };
  };
  const readDraw = (bytes, demonstration) => {
    const lines = linesOf(bytes, "draw.txt");
    need(lines.length >= 6 && lines[0] === "GMDRAW/1", "draw.txt: line 1 must be GMDRAW/1");
    const heads = ["draw: ", "select: ", "freeze: "];
    heads.forEach((head, i) => need(lines[i + 1].startsWith(head), `draw.txt: ${head} expected`));
    const [id, select, freeze] = heads.map((head, i) => lines[i + 1].slice(head.length));
    need(/^[A-Z0-9]([A-Z0-9-]{0,62}[A-Z0-9])?$/.test(id), "draw.txt: bad draw id");
    need(NUMBER.test(select), "draw.txt: bad select");
    const frozen = momentOf(freeze);
    const sources = [];
    const entries = [];
    for (const line of lines.slice(4)) {
      if (line.startsWith("source: ") && entries.length === 0) sources.push(sourceOf(line.slice(8), frozen, demonstration));
      else if (line.startsWith("entry: ")) entries.push(entryOf(line.slice(7)));
      else need(false, `draw.txt: unexpected line: ${line}`);
    }
    need(sources.length > 0 && new Set(sources.map((s) => s.name)).size === sources.length, "draw.txt: each source once");
    need(entries.length > 0 && entries.every((e, i) => i === 0 || entries[i - 1].code < e.code), "draw.txt: entries in ascending order, each once");
    need(Number(select) <= entries.length && entries.length <= 100000, "draw.txt: fewer entries than seats");
    return { seats: Number(select), sources, entries };
  };
  const checkBeacons = (bytes, sources) => {
    const lines = linesOf(bytes, "beacon.txt");
    need(lines.length === sources.length, "beacon.txt: one line per announced source");
    lines.forEach((line, i) => {
      const parts = line.split(" ");
      const { name, round } = sources[i];
      need(parts.length === 3 && parts[0] === name && parts[1] === round, `beacon.txt: expected ${name} ${round}`);
      need(SOURCES[name][1].test(parts[2]), "beacon.txt: not in its canonical spelling");
      if (name !== "cwl-kl8") return;
      const numbers = parts[2].split("-").map(Number);
      need(numbers.every((n, k) => n >= 1 && n <= 80 && (k === 0 || numbers[k - 1] < n)), "beacon.txt: bad numbers");
    });
  };
  const rank = async (draw, beacon, demonstration) => {
    const listHash = await sha256(draw);
    const listed = readDraw(draw, demonstration);
    checkBeacons(beacon, listed.sources);
    const seed = await sha256(joined(ascii("GMDRAW/1 seed\n"), listHash, beacon));
    const scored = await Promise.all(listed.entries.map(async ({ code, weight }) => {
      const tickets = Array.from({ length: weight }, (_, t) => sha256(joined(ascii("GMDRAW/1 score\n"), seed, ascii(`${code}\n${t}`))));
      return { code, score: (await Promise.all(tickets)).map(hex).sort()[0] };
    }));
    scored.sort((a, b) => (a.score < b.score || (a.score === b.score && a.code < b.code) ? -1 : 1));
    return { listHash: hex(listHash), seed: hex(seed), seats: listed.seats, ranking: scored };
  };
  if (typeof module !== "undefined") { module.exports = { rank }; return; }

  const panel = document.querySelector("[data-verify-draw]");
  if (!panel) return;
  const report = (step, good, text) => {
    const row = panel.querySelector(`[data-step=${step}]`);
    row.dataset.outcome = good ? "good" : "bad";
    row.querySelector("[data-out]").textContent = text;
    return good;
  };
  const conclude = (good, text) => {
    const line = panel.querySelector("[data-verdict]");
    line.hidden = false;
    line.dataset.outcome = good ? "good" : "bad";
    line.textContent = text;
  };
  const bytesOf = async (address) => {
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok) throw new TypeError(`${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  };
  const verify = async () => {
    panel.querySelectorAll("[data-step]").forEach((row) => { delete row.dataset.outcome; row.querySelector("[data-out]").textContent = ""; });
    const [draw, beacon] = await Promise.all([bytesOf(panel.dataset.draw), bytesOf(panel.dataset.beacon)]);
    const receipt = panel.querySelector("[data-receipt]").value.trim().toLowerCase();
    const listHash = hex(await sha256(draw));
    let good = report("hash", listHash === panel.dataset.hash && (receipt === "" || receipt === listHash), listHash);
    let result;
    try {
      result = await rank(draw, beacon, "demonstration" in panel.dataset);
    } catch (refusal) {
      report("files", false, refusal.message);
      return false;
    }
    report("files", true, `draw.txt ${draw.length} B, beacon.txt ${beacon.length} B`);
    good = report("seed", result.seed === panel.dataset.seed, result.seed) && good;
    const published = Array.from(document.querySelectorAll("[data-rank]"), (cell) => ({ code: cell.dataset.code, score: cell.dataset.score }));
    const scores = new Map(published.map((row) => [row.code, row.score]));
    const same = result.ranking.filter((row) => scores.get(row.code) === row.score).length;
    good = report("scores", same === result.ranking.length && same === published.length, `${same} / ${result.ranking.length}`) && good;
    const order = result.ranking.every((row, i) => published[i] && published[i].code === row.code) && result.seats === Number(panel.dataset.seats);
    return report("order", order, result.ranking.slice(0, result.seats).map((row) => row.code).join(" ")) && good;
  };
  panel.querySelector("[data-verify]").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const good = await verify();
      conclude(good, good ? panel.dataset.good : panel.dataset.bad);
    } catch (failure) {
      conclude(false, panel.dataset.failed);
    } finally {
      button.disabled = false;
    }
  });
})();
