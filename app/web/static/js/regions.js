// Turns the six-digit code field of a region picker into province, city and county selects. The field stays the one that is sent.
(() => {
  "use strict";
  let list;
  const load = (address) => (list ??= fetch(address).then((answer) => answer.json()));

  const path = (nodes, code) => {
    for (const node of nodes) {
      if (node[0] === code) return [node];
      const below = path(node[2] ?? [], code);
      if (below.length) return [node, ...below];
    }
    return [];
  };

  const build = (picker, provinces) => {
    const input = picker.querySelector("input");
    const words = picker.dataset;
    const labels = [words.province, words.city, words.county];
    const row = document.createElement("div");
    row.className = "region-row";
    const selects = labels.map((label, depth) => {
      const select = document.createElement("select");
      select.className = "form-select";
      select.setAttribute("aria-label", label);
      select.addEventListener("change", () => { fill(depth + 1); write(); });
      row.append(select);
      return select;
    });
    const nodesAt = (depth) => depth === 0 ? provinces : (nodesAt(depth - 1).find((node) => node[0] === selects[depth - 1].value)?.[2] ?? []);
    const fill = (depth) => {
      for (let at = depth; at < selects.length; at += 1) {
        const nodes = at > 0 && !selects[at - 1].value ? [] : nodesAt(at);
        selects[at].replaceChildren(new Option(labels[at], ""), ...nodes.map(([code, name]) => new Option(name, code)));
        selects[at].hidden = at > 0 && nodes.length === 0;
      }
    };
    const write = () => {
      input.value = selects.map((select) => select.value).filter(Boolean).at(-1) ?? "";
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const choose = (code) => {
      fill(0);
      path(provinces, code).forEach((node, depth) => { selects[depth].value = node[0]; fill(depth + 1); });
    };
    choose(input.value);
    picker.addEventListener("region:set", (event) => choose(event.detail));
    selects[0].id = input.id;
    input.removeAttribute("id");
    if (input.getAttribute("aria-invalid")) selects.forEach((select) => select.setAttribute("aria-invalid", "true"));
    input.type = "hidden";
    input.after(row);
  };

  const enhance = (root) => root.querySelectorAll("[data-region-picker]:not([data-built])").forEach((picker) => {
    picker.dataset.built = "yes";
    load(picker.dataset.regions).then((provinces) => build(picker, provinces)).catch(() => { list = undefined; });
  });
  document.addEventListener("DOMContentLoaded", () => enhance(document));
  document.addEventListener("htmx:afterSwap", (event) => enhance(event.target));
})();
