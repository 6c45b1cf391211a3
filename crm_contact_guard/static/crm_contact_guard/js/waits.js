// Counts down the seconds in which sending can be undone. The server decides whether a message has gone.
(() => {
  "use strict";
  const tick = () => {
    for (const element of document.querySelectorAll("[data-cg-until]")) {
      const left = Math.ceil((Date.parse(element.dataset.cgUntil) - Date.now()) / 1000);
      element.textContent = left > 0 ? String(left) : "";
    }
  };
  setInterval(tick, 500);
  document.addEventListener("htmx:load", tick);
})();
