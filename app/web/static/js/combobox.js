// Arrow keys through the suggestions below the search box (ARIA combobox). Without scripts the box simply searches.
(() => {
  "use strict";
  const box = () => document.querySelector("[data-combobox]");
  const list = (input) => input.parentElement.querySelector("#suggestions");
  const options = (input) => [...list(input).querySelectorAll("[role=option]")];
  const choose = (input, option) => {
    options(input).forEach((one) => one.setAttribute("aria-selected", String(one === option)));
    if (option) { input.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  };
  const close = (input) => { list(input).replaceChildren(); input.setAttribute("aria-expanded", "false"); choose(input, null); };

  document.addEventListener("htmx:afterSwap", (event) => {
    const input = box();
    if (!input || event.target !== list(input)) return;
    input.setAttribute("aria-expanded", String(options(input).length > 0));
    choose(input, null);
  });
  document.addEventListener("keydown", (event) => {
    const input = event.target.closest?.("[data-combobox]");
    if (!input) return;
    const all = options(input);
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    if (event.key === "Escape" && all.length) { event.preventDefault(); close(input); }
    if (event.key === "Enter" && at >= 0) { event.preventDefault(); all[at].click(); }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !all.length) return;
    event.preventDefault();
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
    choose(input, all[next] ?? null); // beyond the ends: back to what was typed
  });
  document.addEventListener("focusout", (event) => {
    const input = event.target.closest?.("[data-combobox]");
    if (input) setTimeout(() => { if (!list(input).contains(document.activeElement)) close(input); }, 150);
  });
})();
