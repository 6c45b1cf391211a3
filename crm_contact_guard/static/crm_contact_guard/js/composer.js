// The composer: drafts that survive reload, error and a lost login; evidence underlined in place; Enter that respects
// Japanese composition.
(() => {
  "use strict";
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, text) { try { text ? localStorage.setItem(key, text) : localStorage.removeItem(key); } catch { /* private mode */ } },
  };
  const person = (element) => element.closest(".cg")?.dataset.cgPerson ?? "";
  const draftKey = (form) => `cg-draft:${person(form)}:${form.dataset.cgComposer}`;
  const keepKey = (field) => `cg-keep:${person(field)}:${field.dataset.cgKeep}`;
  // Longer forms, such as a note's: what was typed into their fields.
  const KEPT = "textarea, input:is([type=text], [type=number])";
  const fieldKey = (box, field) => `cg-keep:${person(box)}:${box.dataset.cgKeptIn}.${field.name}`;
  const textOf = (form) => form.querySelector("[data-cg-text]");
  const channelOf = (form) => {
    const field = form.querySelector("[data-cg-channel]");
    return field?.selectedOptions ? field.selectedOptions[0] : field;
  };
  const isQuick = (form) => channelOf(form)?.hasAttribute("data-quick") ?? false;

  const grow = (text) => {
    text.rows = 1;
    const style = getComputedStyle(text);
    const line = parseFloat(style.lineHeight) || 22;
    const room = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
    const least = text.closest(".cg-chat") ? 1 : 2;
    text.rows = Math.min(Math.max(Math.round((text.scrollHeight - room) / line), least), 10);
  };
  const clearMarks = (form) => {
    const backdrop = form.querySelector("[data-cg-backdrop]");
    if (backdrop) backdrop.replaceChildren();
  };
  const showMarks = (form) => {
    const backdrop = form.querySelector("[data-cg-backdrop]");
    const marked = form.querySelector("[data-cg-marked]");
    const text = textOf(form);
    if (!backdrop || !text) return;
    backdrop.replaceChildren();
    if (!marked || marked.textContent !== text.value) return;
    backdrop.append(...[...marked.childNodes].map((node) => node.cloneNode(true)));
    backdrop.scrollTop = text.scrollTop;
    marked.hidden = true;
  };
  const showOptions = (form) => {
    const subject = form.querySelector("[data-cg-subject]");
    if (subject) subject.hidden = !channelOf(form)?.hasAttribute("data-subject");
    const hint = form.querySelector("[data-cg-enter]");
    if (hint) hint.textContent = isQuick(form) ? hint.dataset.cgEnter : hint.dataset.cgEnterSlow;
  };

  // The server keeps drafts, so that they are there on another computer, too. Until it has one, the browser does.
  const keeping = new Map();
  const forgetKeeping = (form) => {
    const kept = keeping.get(form.dataset.cgComposer);
    clearTimeout(kept?.timer);
    kept?.request?.abort();
    keeping.delete(form.dataset.cgComposer);
  };
  const body = (form, value) => {
    const data = new FormData();
    data.set("text", value);
    data.set("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
    return data;
  };
  const keepNow = async (form) => {
    const text = textOf(form);
    if (!text) return;
    const value = text.value;
    const request = new AbortController();
    keeping.set(form.dataset.cgComposer, { request });
    try {
      const answer = await fetch(form.dataset.cgDraftAt, { method: "POST", body: body(form, value), signal: request.signal, headers: { "HX-Request": "true" } });
      if (answer.status === 204 && store.get(draftKey(form)) === value) store.set(draftKey(form), "");
    } catch { /* the browser's copy stays */ }
  };
  const keepSoon = (form) => {
    forgetKeeping(form);
    keeping.set(form.dataset.cgComposer, { timer: setTimeout(() => keepNow(form), 1000) });
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return;
    for (const form of document.querySelectorAll("form[data-cg-draft-at]")) {
      const text = textOf(form);
      if (text && keeping.get(form.dataset.cgComposer)?.timer) navigator.sendBeacon(form.dataset.cgDraftAt, body(form, text.value));
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.dataset?.cgDraftAt) forgetKeeping(event.target);
  }, true);

  const begin = (form) => {
    if (form.dataset.cgReady) return;
    form.dataset.cgReady = "1";
    const text = textOf(form);
    if (!text) return;
    const sent = new URLSearchParams(location.search).get("sent");
    if (sent === form.dataset.cgComposer || form.hasAttribute("data-cg-sent")) store.set(draftKey(form), "");
    if (sent) {
      const address = new URL(location.href);
      address.searchParams.delete("sent");
      history.replaceState(history.state, "", address);
      if (sent === "1") store.set(draftKey(form), "");
    }
    // What lies here has not reached the server, which keeps the drafts: it is newer than what came with the page.
    if (form.dataset.cgDraftAt && store.get(draftKey(form)) === text.value) store.set(draftKey(form), "");
    const draft = store.get(draftKey(form));
    if (draft && draft !== text.value && (!text.value || !form.querySelector("[data-cg-draft]")?.hidden)) {
      text.value = draft;
      if (form.dataset.cgDraftAt) keepSoon(form);
      const note = form.querySelector("[data-cg-draft]");
      if (note) note.hidden = false;
    }
    grow(text);
    showOptions(form);
    showMarks(form);
  };
  const beginAll = () => {
    document.querySelectorAll("form[data-cg-composer]").forEach(begin);
    for (const field of document.querySelectorAll("[data-cg-keep]")) {
      if (!field.value) field.value = store.get(keepKey(field)) ?? "";
    }
    for (const box of document.querySelectorAll("[data-cg-kept-in]")) {
      const taken = new URLSearchParams(location.search).get("noted");
      for (const field of box.querySelectorAll(KEPT)) {
        if (taken && box.dataset.cgKeptIn.endsWith(taken)) store.set(fieldKey(box, field), "");
        const kept = store.get(fieldKey(box, field));
        if (!kept || field.value) continue;
        field.value = kept;
        box.open = true;
      }
    }
    // What was typed here has been taken: the alert is closed.
    for (const done of document.querySelectorAll("[data-cg-taken]")) {
      store.set(`cg-keep:${person(done)}:${done.dataset.cgTaken}`, "");
    }
  };

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.dataset?.cgKeep) store.set(keepKey(field), field.value);
    const box = field.closest?.("[data-cg-kept-in]");
    if (box && field.matches(KEPT)) store.set(fieldKey(box, field), field.value);
    if (field.dataset?.cgText === undefined) return;
    const form = field.closest("form");
    store.set(draftKey(form), field.value);
    if (form.dataset.cgDraftAt) keepSoon(form);
    const note = form.querySelector("[data-cg-draft]");
    if (note) note.hidden = true;
    clearMarks(form);
    grow(field);
  });
  // Chosen files: their names, each with a button that removes it; and the files themselves, which a form that comes back
  // from the server has lost.
  const chosen = new Map();
  const showFiles = (form) => {
    const input = form.querySelector("[data-cg-files]");
    const line = form.querySelector("[data-cg-chosen]");
    if (!line) return;
    const files = [...(input?.files ?? [])];
    line.replaceChildren(...files.map((file, number) => {
      const chip = document.createElement("span");
      chip.className = "cg-file";
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", (line.dataset.cgRemove ?? "{name}").replace("{name}", file.name));
      remove.onclick = () => { setFiles(form, files.filter((_file, other) => other !== number)); input.focus(); };
      chip.append(file.name, remove);
      return chip;
    }));
    line.hidden = !files.length;
    const text = textOf(form);
    if (text && input) text.required = text.required && line.hidden;
  };
  const setFiles = (form, files) => {
    const input = form.querySelector("[data-cg-files]");
    if (!input) return;
    const held = new DataTransfer();
    files.forEach((file) => held.items.add(file));
    input.files = held.files;
    chosen.set(form.dataset.cgComposer, input.files);
    showFiles(form);
  };
  const addFiles = (form, files) => {
    const input = form.querySelector("[data-cg-files]");
    if (input) setFiles(form, [...input.files, ...files]);
  };
  const dropped = (event) => {
    const form = event.target.closest?.(".cg-talk, .cg-panel, .cg-chat main")?.querySelector("form[data-cg-composer]");
    return form?.querySelector("[data-cg-files]") && [...(event.dataTransfer?.types ?? [])].includes("Files") ? form : null;
  };
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const form = dropped(event);
      if (!form) return;
      if (name !== "dragleave") event.preventDefault();
      form.classList.toggle("cg-dropping", name === "dragover");
      if (name === "drop") addFiles(form, event.dataTransfer.files);
    });
  }
  document.addEventListener("paste", (event) => {
    const form = event.target.dataset?.cgText !== undefined && event.target.closest("form");
    if (!form || !event.clipboardData?.files.length) return;
    event.preventDefault();
    addFiles(form, event.clipboardData.files);
  });
  const restoreFiles = (form) => {
    const input = form.querySelector("[data-cg-files]");
    const kept = chosen.get(form.dataset.cgComposer);
    if (form.hasAttribute("data-cg-sent")) chosen.delete(form.dataset.cgComposer);
    else if (input && kept?.length && !input.files.length) {
      input.files = kept;
      form.querySelector("[data-cg-files-gone]")?.remove();
    }
    showFiles(form);
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-cg-composer]");
    if (!form) return;
    if (event.target.dataset?.cgFiles !== undefined) {
      chosen.set(form.dataset.cgComposer, event.target.files);
      showFiles(form);
    }
    showOptions(form);
  });
  document.addEventListener("scroll", (event) => {
    if (event.target.dataset?.cgText === undefined) return;
    const backdrop = event.target.closest("form").querySelector("[data-cg-backdrop]");
    if (backdrop) backdrop.scrollTop = event.target.scrollTop;
  }, true);
  document.addEventListener("keydown", (event) => {
    // "/" as the first sign opens the text blocks.
    const blocks = event.key === "/" && event.target.dataset?.cgText !== undefined && !event.target.value && !event.isComposing && event.keyCode !== 229 ? event.target.closest("form").querySelector("[data-cg-blocks]") : null;
    if (blocks) {
      event.preventDefault();
      blocks.focus();
      try { blocks.showPicker(); } catch { /* older browsers: the focus is enough */ }
    }
    if (event.key !== "Enter" || event.target.dataset?.cgText === undefined) return;
    // keyCode 229: Safari ends the composition before it reports the Enter that confirmed it.
    if (event.isComposing || event.keyCode === 229) return;
    const form = event.target.closest("form");
    const plain = !event.shiftKey && !event.altKey && isQuick(form) && matchMedia("(pointer: fine)").matches;
    if (!(event.ctrlKey || event.metaKey || plain)) return;
    event.preventDefault();
    form.requestSubmit([...form.querySelectorAll("[data-cg-send]")].at(-1));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-cg-use]");
    if (!button) return;
    const text = textOf(button.closest("form"));
    if (!text) return;
    event.preventDefault();
    text.focus();
    text.select();
    // Through the browser's own editing, so that Ctrl+Z brings the old text back.
    if (!document.execCommand("insertText", false, button.dataset.cgUse)) {
      text.value = button.dataset.cgUse;
      text.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    beginAll();
    const form = event.target.closest?.("form[data-cg-composer]");
    if (form) showMarks(form);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const advice = event.detail.target;
    if (advice?.hasAttribute?.("data-cg-advice")) showMarks(advice.closest("form"));
  });
  document.addEventListener("htmx:load", (event) => {
    const form = event.target.matches?.("form[data-cg-composer]") ? event.target : null;
    if (!form) return;
    beginAll();
    restoreFiles(form);
    if (form.hasAttribute("data-cg-sent") || form.closest(".cg-chat")) textOf(form)?.focus({ preventScroll: true });
  });
  document.addEventListener("cg-alert-shown", beginAll);
  document.addEventListener("cg-sent", (event) => {
    const form = event.target.closest?.("form[data-cg-composer]");
    if (!form) return;
    store.set(draftKey(form), "");
    chosen.delete(form.dataset.cgComposer);
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", beginAll);
  else beginAll();
})();
