// Takes a pasted address apart in place. Without it the whole form goes to the server and comes back filled.
(() => {
  "use strict";
  const parts = ["name", "mobile", "regionCode", "address"];
  const labelOf = (input) => (input.closest(".field")?.querySelector(".field-label")?.firstChild?.textContent ?? "").trim();
  const fill = (form, name, value) => {
    const input = form.elements.namedItem(name);
    if (!input || !value) return null;
    const picker = input.closest("[data-region-picker]");
    if (picker) picker.dispatchEvent(new CustomEvent("region:set", { detail: value }));
    input.value = value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return labelOf(input);
  };
  const enhance = (box) => {
    const [button, text, say] = [box.querySelector("button"), box.querySelector("textarea"), box.querySelector("[data-say]")];
    button.type = "button";
    const work = async () => {
      if (!text.value.trim()) { text.focus(); return; }
      button.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch("/api/addresses/parse", {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": box.closest("form").elements.namedItem("csrf_token").value },
          body: JSON.stringify({ pasted: text.value }),
        });
        if (!answer.ok) throw new Error(String(answer.status));
        const found = await answer.json();
        const values = { name: found.name, mobile: found.mobile, regionCode: found.region_code, address: found.address };
        const filled = parts.map((part) => fill(box.closest("form"), box.dataset[part], values[part])).filter(Boolean);
        say.textContent = filled.length ? say.dataset.found.replace("%(what)s", new Intl.ListFormat(document.documentElement.lang).format(filled)) : say.dataset.nothing;
      } catch (failure) {
        say.textContent = say.dataset.failed;
      } finally { button.removeAttribute("aria-busy"); }
    };
    button.addEventListener("click", work);
    text.addEventListener("paste", () => setTimeout(work, 0));
  };
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-paste-address]").forEach(enhance));
})();
