// The scan box as a scanner gun and a Chinese input method use it. Without this script Enter still sends the form.
(() => {
  "use strict";
  const half = (text) => text.normalize("NFKC").replace(/[\s\u200b-\u200f\ufeff]/g, "").toUpperCase();
  let sound = null;

  // Two short tones up: right. One long low tone: wrong. One short tone: it was there already.
  const TONES = { success: [[880, 0, .07], [1320, .09, .09]], info: [[660, 0, .08]], warning: [[660, 0, .08], [660, .14, .08]], danger: [[180, 0, .4]] };
  const play = (kind) => {
    try {
      sound ??= new AudioContext();
      for (const [pitch, start, length] of TONES[kind] ?? []) {
        const tone = sound.createOscillator();
        const volume = sound.createGain();
        tone.type = kind === "danger" ? "square" : "sine";
        tone.frequency.value = pitch;
        volume.gain.value = .15;
        tone.connect(volume).connect(sound.destination);
        tone.start(sound.currentTime + start);
        tone.stop(sound.currentTime + start + length);
      }
    } catch { /* a machine without sound still shows the colour */ }
    if (kind === "danger") navigator.vibrate?.([180, 60, 180]);
  };

  const show = (kind) => {
    const box = document.querySelector(".scan-box");
    if (!box) return;
    box.dataset.result = kind;
    play(kind);
  };

  const box = (event) => event.target.closest?.("[data-scan-focus]");
  // Enter that ends a composition belongs to the input method, not to the form; a scanner may send Tab instead of Enter.
  document.addEventListener("keydown", (event) => {
    const input = box(event);
    if (!input) return;
    if (event.isComposing || event.keyCode === 229) { if (event.key === "Enter") event.stopPropagation(); return; }
    if (event.key === "Tab" && !event.shiftKey && input.value.trim()) {
      event.preventDefault();
      input.form.requestSubmit();
    }
  });
  document.addEventListener("submit", (event) => {
    const input = event.target.querySelector?.("[data-scan-focus]");
    if (!input || event.submitter?.name === "near") return; // a suggestion was taken: the box itself is empty
    input.value = half(input.value);
    if (!input.value) { event.preventDefault(); event.stopImmediatePropagation(); show("danger"); input.focus(); }
  }, true);
  document.addEventListener("focusin", (event) => box(event)?.select());

  const tell = () => {
    const toast = document.querySelector(".toasts .notice-toast");
    if (!toast) return;
    show(["success", "danger", "warning"].find((kind) => toast.classList.contains(`toast-${kind}`)) ?? "info");
  };
  document.addEventListener("htmx:afterSettle", tell);
  document.addEventListener("DOMContentLoaded", tell);
})();
