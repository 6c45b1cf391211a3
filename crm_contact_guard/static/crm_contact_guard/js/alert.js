// One alert after the other by keyboard: a step on the alert's page is sent by fetch, and the page that answers it comes
// in place. Without this file, the same forms and links load whole pages.
(() => {
  "use strict";
  const page = () => document.querySelector("[data-cg-alert]");
  const tell = (name, detail) => page().dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  let busy = false;

  const put = (fresh, title) => {
    const known = page();
    const incoming = document.importNode(fresh, true);
    known.replaceWith(incoming);
    document.title = title;
    window.htmx?.process(incoming);
    // The arrow keys scroll the messages, and a screen reader says which alert this is.
    incoming.querySelector(".cg-thread")?.focus({ preventScroll: true });
    tell("cg-alert-shown", incoming.querySelector("h1").textContent);
  };
  // Only the alert that is shown may be decided, so a key that is pressed while the next one comes does nothing.
  const go = async (address, options, { push = true } = {}) => {
    if (busy) return;
    busy = true;
    try {
      const answer = await fetch(address, { credentials: "same-origin", ...options }).catch(() => null);
      if (!answer) return tell("cg-alert-refused", page().closest(".cg").dataset.cgSayLost);
      const read = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = read.querySelector("[data-cg-alert]");
      if (!fresh) {
        // The queue, when nothing is left under its filters; or the login.
        if (answer.ok) location.assign(answer.url);
        else tell("cg-alert-refused", page().closest(".cg").dataset.cgSayRefused);
        return;
      }
      // A refused step answers at its own address, which can't be opened again.
      if (push && answer.ok) history.pushState(null, "", answer.url);
      put(fresh, read.title);
    } finally {
      busy = false;
    }
  };
  const send = (form, address, values = {}) => {
    const body = new FormData(form);
    for (const [name, value] of Object.entries(values)) body.set(name, value);
    go(address, { method: "POST", body });
  };

  document.addEventListener("click", (event) => {
    const here = event.target.closest?.("[data-cg-alert]");
    if (!here || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const step = event.target.closest("[data-cg-step]");
    const link = event.target.closest("a[rel=next], a[rel=prev]");
    if (step) {
      const values = { next: "1" };
      if (step.dataset.cgResolution) values.resolution = step.dataset.cgResolution;
      if (step.dataset.cgUntil) values.until = step.dataset.cgUntil;
      send(document.getElementById("cg-step-form"), step.dataset.cgStep, { ...values, ...typed(here) });
    } else if (link) {
      event.preventDefault();
      go(link.href);
    }
  });
  const typed = (here) => {
    const all = here.querySelector("[name=alike]");
    const comment = here.querySelector("#cg-close textarea")?.value ?? "";
    return all?.checked ? { comment, alike: all.value } : { comment };
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches?.("[data-cg-alert] [data-cg-in-place]")) return;
    event.preventDefault();
    const { submitter } = event;
    const address = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
    send(form, address, submitter?.name ? { [submitter.name]: submitter.value } : {});
  });
  window.addEventListener("popstate", () => {
    if (page()) go(location.href, {}, { push: false });
  });
})();
