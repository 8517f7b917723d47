// Runs before the first paint: sets the theme that was chosen, or the one of the system.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try { return localStorage.getItem("theme"); } catch { return null; } // storage may be forbidden: follow the system
  };
  const apply = () => {
    const theme = chosen() ?? (system.matches ? "dark" : "light");
    root.setAttribute("data-bs-theme", theme);
    root.setAttribute("data-theme-choice", chosen() ?? "auto");
  };
  root.classList.add("has-js");
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { root.setAttribute("data-bs-theme", next); return; }
    apply();
  });
})();
