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
    const draft = store.get(draftKey(form));
    if (!text.value && draft) {
      text.value = draft;
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
    // What was typed here has been taken: the alert is closed.
    for (const done of document.querySelectorAll("[data-cg-taken]")) {
      store.set(`cg-keep:${person(done)}:${done.dataset.cgTaken}`, "");
    }
  };

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.dataset?.cgKeep) store.set(keepKey(field), field.value);
    if (field.dataset?.cgText === undefined) return;
    const form = field.closest("form");
    store.set(draftKey(form), field.value);
    const note = form.querySelector("[data-cg-draft]");
    if (note) note.hidden = true;
    clearMarks(form);
    grow(field);
  });
  // The names of chosen files; and the files themselves, which a form that comes back from the server has lost.
  const chosen = new Map();
  const showFiles = (form) => {
    const input = form.querySelector("[data-cg-files]");
    const line = form.querySelector("[data-cg-chosen]");
    if (!line) return;
    line.textContent = [...(input?.files ?? [])].map((file) => file.name).join(" · ");
    line.hidden = !line.textContent;
    const text = textOf(form);
    if (text && input) text.required = text.required && line.hidden;
  };
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
  document.addEventListener("cg-sent", (event) => {
    const form = event.target.closest?.("form[data-cg-composer]");
    if (!form) return;
    store.set(draftKey(form), "");
    chosen.delete(form.dataset.cgComposer);
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", beginAll);
  else beginAll();
})();
