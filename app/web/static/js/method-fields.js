// Shows, in a notice form, only the fields that the chosen selection method uses. Without it all of them stand there.
(() => {
  "use strict";
  for (const box of document.querySelectorAll("[data-method-fields]")) {
    const form = box.closest("form");
    const parts = [...box.querySelectorAll("[data-methods]")];
    const show = () => {
      const chosen = form.querySelector("input[name=method]:checked, input[name=method][type=hidden]")?.value ?? "";
      let any = false;
      for (const part of parts) {
        part.hidden = !part.dataset.methods.split(" ").includes(chosen);
        any ||= !part.hidden;
      }
      box.hidden = !any;
    };
    form.addEventListener("change", show);
    show();
  }
})();
