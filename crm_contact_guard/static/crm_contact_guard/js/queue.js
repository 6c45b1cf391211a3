// The queue by keyboard: one key handles the alert that has the focus, and the focus lands on the next one. The row
// disappears at once; the server is told meanwhile. If it refuses, the row returns and the reason is shown.
(() => {
  "use strict";
  const ANY = "00000000-0000-0000-0000-000000000000";
  const rows = () => [...document.querySelectorAll("#cg-queue [data-cg-row]")].filter((row) => !row.closest("li").hidden);
  const current = () => {
    const known = rows();
    const focused = document.activeElement?.closest?.("#cg-queue li")?.querySelector("[data-cg-row]");
    if (known.includes(focused)) return focused;
    // A stray key handles nothing: it only shows where it would act.
    known[0]?.focus();
    return undefined;
  };
  const handled = new Set();
  let asked = Promise.resolve();

  const send = (form, address, values) => {
    const body = new FormData(form);
    for (const [name, value] of Object.entries(values)) body.set(name, value);
    body.set("view", form.dataset.cgView);
    body.set("left", rows().length);
    if (form.dataset.cgOverview !== undefined) body.set("overview", "1");
    return fetch(address, { method: "POST", body, headers: { "X-Contact-Guard-Queue": "1", "HX-Request": "true" } });
  };
  const tell = (form, name, detail) => form.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  const put = (form, text) => {
    tell(form, "cg-queue-answer", text);
    // The answer may be older than what was handled since.
    for (const id of handled) document.getElementById(`a-${id}`)?.remove();
    if (!document.activeElement || document.activeElement === document.body) rows()[0]?.focus();
  };

  const act = (form, button) => {
    const row = current();
    if (!row?.dataset.cgHandle) return;
    const id = row.dataset.cgHandle;
    const item = row.closest("li");
    const known = rows();
    const next = known[known.indexOf(row) + 1] ?? known[known.indexOf(row) - 1];
    item.hidden = true;
    handled.add(id);
    if (next) next.focus();
    else row.blur();
    tell(form, "cg-queue-refused", "");
    const values = {};
    if (button.dataset.cgResolution) values.resolution = button.dataset.cgResolution;
    if (button.dataset.cgUntil) values.until = button.dataset.cgUntil;
    // One after the other: the answers come in order, and the server isn't flooded.
    asked = asked.then(async () => {
      const answer = await send(form, button.dataset.cgAct.replace(ANY, id), values).catch(() => null);
      if (answer?.ok && !answer.redirected) return put(form, await answer.text());
      handled.delete(id);
      item.hidden = false;
      row.focus();
      const words = answer && (answer.headers.get("Content-Type") ?? "").startsWith("text/plain") ? await answer.text() : "";
      tell(form, "cg-queue-refused", words || form.closest(".cg").dataset[answer ? "cgSayRefused" : "cgSayLost"]);
    });
  };
  const undo = (form, id, address) => {
    handled.delete(id);
    asked = asked.then(async () => {
      const answer = await send(form, address, { left: 0 }).catch(() => null);
      if (!answer?.ok) return;
      document.getElementById("cg-undo")?.replaceChildren();
      put(form, await answer.text());
      document.getElementById(`al-${id}`)?.focus();
    });
  };

  document.addEventListener("click", (event) => {
    const form = document.querySelector("[data-cg-queue]");
    if (!form) return;
    const button = event.target.closest?.("[data-cg-act], [data-cg-select], [data-cg-undo]");
    if (!button) return;
    if (button.dataset.cgAct) act(form, button);
    else if (button.dataset.cgUndo) {
      event.preventDefault();
      undo(form, button.dataset.cgUndo, button.form.action);
    } else {
      const box = current()?.closest("li").querySelector(".cg-select");
      if (box) box.checked = !box.checked;
    }
  });
})();
