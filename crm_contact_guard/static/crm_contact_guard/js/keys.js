// Everything by keyboard. An element says which key works it (data-cg-key, one letter or two in a row) and in which words
// the list of keys names it (data-cg-key-says). No letter acts while somebody types or composes.
(() => {
  "use strict";
  const typing = (element) => element.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  // A person can switch letter keys off (WCAG 2.1.4): speech input and slips of the hand press letters, too.
  const letters = {
    get on() { try { return localStorage.getItem("cg-letters") !== "off"; } catch { return true; } },
    set on(value) { try { localStorage.setItem("cg-letters", value ? "on" : "off"); } catch { /* private mode */ } },
  };
  const showLetters = () => document.querySelectorAll("[data-cg-letters]").forEach((box) => (box.checked = letters.on));
  document.addEventListener("change", (event) => {
    if (event.target.dataset?.cgLetters !== undefined) letters.on = event.target.checked;
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", showLetters);
  else showLetters();
  // A menu closes when somebody goes on elsewhere.
  const closeMenus = (besides) => {
    for (const menu of document.querySelectorAll(".cg-menu[open]")) if (!menu.contains(besides)) menu.open = false;
  };
  document.addEventListener("pointerdown", (event) => closeMenus(event.target));
  document.addEventListener("focusin", (event) => closeMenus(event.target));

  let first = "";
  let firstAt = 0;

  const act = (element) => {
    if (element.matches("a, button, summary, input[type=checkbox]")) element.click();
    else {
      element.focus();
      element.scrollIntoView({ block: "nearest" });
    }
  };
  const move = (step) => {
    const rows = [...document.querySelectorAll("[data-cg-row]")].filter((row) => row.offsetParent);
    if (!rows.length) return false;
    const at = rows.indexOf(document.activeElement);
    const marked = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
    const from = at >= 0 ? at : marked;
    rows[from < 0 ? 0 : Math.min(Math.max(from + step, 0), rows.length - 1)].focus();
    return true;
  };
  const list = () => {
    const dialog = document.querySelector("[data-cg-keys]");
    if (!dialog || dialog.open) return;
    const entries = dialog.querySelector("[data-cg-keys-list]");
    entries.querySelectorAll("[data-of-page]").forEach((entry) => entry.remove());
    for (const element of document.querySelectorAll("[data-cg-key-says]")) {
      const entry = document.createElement("div");
      entry.dataset.ofPage = "";
      const term = document.createElement("dt");
      for (const key of element.dataset.cgKey.split(" ")) {
        const sign = document.createElement("kbd");
        sign.textContent = key;
        term.append(sign, " ");
      }
      const words = document.createElement("dd");
      words.textContent = element.dataset.cgKeySays;
      entry.append(term, words);
      entries.append(entry);
    }
    dialog.showModal();
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") {
      document.activeElement?.closest?.(".cg-menu[open]")?.querySelector("summary").focus();
      closeMenus(null);
      if (typing(event.target)) event.target.blur();
    }
    if (typing(event.target) || event.key.length !== 1) return;
    // A panel in a host's page leaves the host's keys alone.
    if (!letters.on || !document.querySelector(".cg-app")) return;
    const pair = Date.now() - firstAt < 1200 ? `${first} ${event.key}` : "";
    first = event.key;
    firstAt = Date.now();
    const find = (key) => key && [...document.querySelectorAll("[data-cg-key]")].find((element) => element.dataset.cgKey === key);
    const found = find(pair) || find(event.key);
    if (found) {
      event.preventDefault();
      act(found);
    } else if (event.key === "?") list();
    else if (event.key === "j" || event.key === "k") {
      if (move(event.key === "j" ? 1 : -1)) event.preventDefault();
    }
  });
})();
