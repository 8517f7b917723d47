// What a page does beyond plain HTML. Everything here is a convenience: without it the forms still work.
(() => {
  "use strict";
  const announce = (text) => {
    const place = document.querySelector("[data-announce]");
    if (place) place.textContent = text;
  };

  // A dangerous button asks first, in a native dialog; the answer submits the form with that button.
  const asked = new WeakSet();
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button?.dataset.confirm || asked.has(button)) return;
    const dialog = document.getElementById("ask");
    event.preventDefault();
    event.stopImmediatePropagation();
    dialog.querySelector("[data-ask-text]").textContent = button.dataset.confirm;
    dialog.querySelector("[data-ask-yes]").textContent = button.dataset.confirmLabel || button.textContent.trim();
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "yes") { button.focus(); return; }
      asked.add(button);
      event.target.requestSubmit(button);
    }, { once: true });
    dialog.showModal();
  });

  // A second click does nothing while the first is on its way (the server also refuses it, by the idempotency key).
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    event.submitter?.classList.add("is-busy");
    event.submitter?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("[data-sent]").forEach((form) => { delete form.dataset.sent; });
    document.querySelectorAll(".is-busy").forEach((button) => { button.classList.remove("is-busy"); button.removeAttribute("aria-busy"); });
  });

  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
      announce(document.querySelector("[data-announce]")?.dataset.copied ?? "");
      copy.classList.add("is-copied");
      setTimeout(() => copy.classList.remove("is-copied"), 1500);
    });
    event.target.closest("[data-dismiss]")?.closest(".notice-toast")?.remove();
    const print = event.target.closest("[data-print]");
    if (print) window.print();
    const reveal = event.target.closest("[data-reveal]");
    if (reveal) {
      const input = document.getElementById(reveal.dataset.reveal);
      input.type = input.type === "password" ? "text" : "password";
      reveal.setAttribute("aria-pressed", String(input.type === "text"));
    }
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details[data-menu][open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing) { event.preventDefault(); document.getElementById("site-search")?.focus(); }
  });

  // What was chosen for upload, with sizes, before it is sent.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-file-preview]")) return;
    const place = event.target.parentElement.querySelector(".file-chosen");
    const files = [...event.target.files];
    place.hidden = files.length === 0;
    place.textContent = files.map((file) => `${file.name} (${(file.size / 1048576).toFixed(1)} MB)`).join(", ");
  });

  // On a phone the results come first: facets without a choice start closed.
  const foldFacets = (root) => {
    if (!window.matchMedia("(max-width: 960px)").matches) return;
    root.querySelectorAll("details.facet[open]").forEach((facet) => { if (!facet.querySelector("[aria-current]")) facet.open = false; });
  };

  const ready = (root) => {
    foldFacets(root);
    root.querySelector("[data-focus]")?.focus();
    const scan = root.querySelector("[data-scan-focus]");
    if (scan) scan.focus();
  };
  // A scanner gun types wherever the focus is: bring it back to the scan box when nothing else wants it.
  document.addEventListener("focusout", () => setTimeout(() => {
    if (document.activeElement === document.body) document.querySelector("[data-scan-focus]")?.focus();
  }, 50));
  document.addEventListener("DOMContentLoaded", () => ready(document));
  document.addEventListener("htmx:afterSwap", (event) => ready(event.target));
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector("input[name=csrf_token]");
    if (token) event.detail.headers["X-CSRFToken"] = token.value;
  });
})();
