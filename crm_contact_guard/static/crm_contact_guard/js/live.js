// Open pages stay up to date without moving what is being read. htmx fetches; this file decides how the answer is put in:
// rows are matched by id, so what has not changed is not touched (selection, focus and hover survive).
(() => {
  "use strict";
  const root = (element) => element.closest(".cg");
  const say = (element, name) => root(element)?.dataset["cgSay" + name] ?? "";

  // --- asking
  const lastAsked = new WeakMap();
  const ask = () => {
    // A hidden page asks only for the count, and only for who wants to be told.
    if (document.hidden && !notifies()) return;
    const now = Date.now();
    for (const element of document.querySelectorAll(document.hidden ? ".cg-bell[data-cg-poll]" : "[data-cg-poll]")) {
      const pause = Number(element.dataset.cgPoll) * (failures > 0 ? Math.min(2 ** failures, 10) : 1);
      if (now - (lastAsked.get(element) ?? opened) < pause) continue;
      lastAsked.set(element, now);
      window.htmx.trigger(element, "cg-poll");
    }
  };
  const askNow = () => {
    document.querySelectorAll("[data-cg-poll]").forEach((element) => lastAsked.set(element, 0));
    ask();
  };
  const opened = Date.now();
  let failures = 0;

  document.addEventListener("htmx:configRequest", (event) => {
    const element = event.detail.elt;
    if (element.dataset.cgVersion !== undefined) event.detail.parameters.v = element.dataset.cgVersion;
    if (element.dataset.cgTyping !== undefined && Date.now() - (typed.get(element.dataset.cgTyping) ?? 0) < TYPING) {
      event.detail.parameters.typing = "1";
    }
    // Colleagues see that somebody writes here, over whichever channel.
    if (element.dataset.cgTyping !== undefined && Date.now() - (written.get(element.dataset.cgTyping) ?? 0) < TYPING) {
      event.detail.parameters.writing = "1";
    }
    if (element.dataset.cgFrom !== undefined) {
      event.detail.parameters.from = element.querySelector("[data-message]")?.dataset.message ?? "";
    }
  });

  // --- typing: whoever writes in a web chat says so with the next look at the other's messages, never what they write
  const TYPING = 4000;
  const typed = new Map();
  const written = new Map();
  const channelOf = (form) => {
    const field = form.querySelector("[data-cg-channel]");
    return field?.selectedOptions ? field.selectedOptions[0] : field;
  };
  document.addEventListener("input", (event) => {
    const form = event.target.dataset?.cgText !== undefined && event.target.closest("form[data-cg-composer]");
    if (form && event.target.value.trim()) written.set(form.dataset.cgComposer, Date.now());
    if (!form || !event.target.value.trim() || !channelOf(form)?.hasAttribute("data-chat")) return;
    const began = Date.now() - (typed.get(form.dataset.cgComposer) ?? 0) >= TYPING;
    typed.set(form.dataset.cgComposer, Date.now());
    if (!began || failures) return;
    for (const list of document.querySelectorAll("[data-cg-typing]")) {
      if (list.dataset.cgTyping === form.dataset.cgComposer) lastAsked.set(list, 0);
    }
    ask();
  });
  document.addEventListener("submit", (event) => {
    typed.delete(event.target.dataset?.cgComposer);
    written.delete(event.target.dataset?.cgComposer);
    // What the page shows counts as seen, also what came in after the form.
    const list = document.getElementById(`cg-lines-${event.target.dataset?.cgComposer}`);
    const seen = event.target.querySelector?.("[data-cg-seen]");
    const newest = list && [...list.querySelectorAll("[data-message]")].at(-1);
    if (seen && newest) seen.value = newest.dataset.message;
  }, true);

  // --- putting in
  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const busy = (list) =>
    list.hasAttribute("data-cg-hold") &&
    (list.contains(document.activeElement) || (matchMedia("(hover: hover)").matches && list.matches(":hover")));

  const merge = (list, fresh) => {
    const wanted = [...fresh.children].filter((row) => row.id);
    const ids = new Set(wanted.map((row) => row.id));
    let added = 0;
    // A queue loses rows; a thread never does: what is no longer sent stands further up.
    if (list.hasAttribute("data-cg-hold")) for (const row of [...list.children]) if (row.id && !ids.has(row.id)) row.remove();
    let place = list.firstElementChild;
    for (const row of wanted) {
      const known = document.getElementById(row.id);
      if (known && known.parentElement === list) {
        const focused = known.contains(document.activeElement) ? document.activeElement.id : "";
        const current = known.dataset.v === row.dataset.v ? known : row;
        if (current === row) known.replaceWith(row);
        if (current === row && place === known) place = row;
        if (place !== current) list.insertBefore(current, place);
        else place = place.nextElementSibling;
        if (current === row) window.htmx.process(row);
        if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      } else {
        row.classList.add("cg-new");
        list.insertBefore(row, place);
        window.htmx.process(row);
        added += 1;
      }
    }
    list.dataset.cgVersion = fresh.dataset.cgVersion;
    return added;
  };

  const pillOf = (list) => {
    for (let box = list.parentElement; box && !box.matches(".cg"); box = box.parentElement) {
      const pill = box.querySelector("[data-cg-pill]");
      if (pill) return pill;
    }
    return null;
  };
  const showPill = (pill, count, action) => {
    if (!pill) return;
    pill.textContent = say(pill, "New").replace("{n}", count);
    pill.hidden = false;
    pill.onclick = () => { pill.hidden = true; action(); };
  };
  const announce = (element, count) => {
    const place = root(element)?.querySelector("[data-cg-announce]");
    if (place && count) place.textContent = say(element, "New").replace("{n}", count);
  };

  const waiting = new Map();
  const apply = (list, fresh) => {
    const box = list.closest("[data-cg-scroll]");
    const end = box && atEnd(box);
    const unseen = Number(pillOf(list)?.dataset.count ?? 0);
    const added = merge(list, fresh);
    announce(list, added);
    list.parentElement.querySelectorAll("[data-cg-when-empty]").forEach((line) => (line.hidden = list.children.length > 0));
    if (box && end) box.scrollTop = box.scrollHeight;
    else if (box && added) {
      const pill = pillOf(list);
      if (pill) pill.dataset.count = unseen + added;
      showPill(pill, unseen + added, () => {
        pill.dataset.count = 0;
        box.scrollTop = box.scrollHeight;
      });
    }
  };
  const release = (list) => {
    if (!waiting.has(list) || busy(list)) return;
    const fresh = waiting.get(list);
    waiting.delete(list);
    const pill = pillOf(list);
    if (pill) pill.hidden = true;
    apply(list, fresh);
  };

  // forced: somebody works through the list by keyboard and waits for what comes next.
  // The title counts unread notices and messages. What is new is told outside the page, too, to who wants it.
  let unseenBefore;
  const countInTitle = (now) => {
    const [, before, words] = document.title.match(/^(?:\((\d+)\) )?(.*)$/s);
    document.title = (now ? `(${now}) ` : "") + words;
    unseenBefore ??= Number(before ?? 0);
    if (now > unseenBefore && document.hidden && notifies()) {
      const page = document.querySelector(".cg-app");
      // Never what was said: a screen may be seen by anybody.
      const told = new Notification(words, { body: say(page, "New").replace("{n}", now - unseenBefore), tag: "cg" });
      told.onclick = () => { window.focus(); told.close(); };
    }
    unseenBefore = now;
  };
  const notifies = () => "Notification" in window && Notification.permission === "granted" && wish() === "on";
  const wish = (value) => {
    try { return value ? localStorage.setItem("cg-notify", value) : localStorage.getItem("cg-notify"); } catch { return ""; }
  };
  document.addEventListener("change", async (event) => {
    if (event.target.dataset?.cgNotify === undefined) return;
    wish(event.target.checked ? "on" : "off");
    if (event.target.checked) event.target.checked = (await Notification.requestPermission()) === "granted";
  });
  const showWish = () => document.querySelectorAll("[data-cg-notify]").forEach((box) => {
    box.closest("label").hidden = !("Notification" in window);
    box.checked = notifies();
  });

  const receive = (text, forced = false) => {
    const holder = new DOMParser().parseFromString(text, "text/html").body;
    for (const fresh of holder.querySelectorAll("[data-cg-replace]")) {
      const known = document.getElementById(fresh.id);
      if (known && known.outerHTML !== fresh.outerHTML) known.replaceWith(document.importNode(fresh, true));
    }
    const unseen = holder.querySelector("[data-cg-unseen]")?.dataset.cgUnseen;
    if (unseen !== undefined) {
      countInTitle(Number(unseen));
      document.querySelectorAll(".cg-bell").forEach((bell) => (bell.dataset.cgVersion = unseen));
    }
    for (const fresh of holder.querySelectorAll("[data-cg-words]")) {
      // Written into the place that is there: a live region that is replaced is not read out.
      const known = document.getElementById(fresh.id);
      if (known && known.textContent !== fresh.textContent) known.textContent = fresh.textContent;
    }
    for (const fresh of holder.querySelectorAll("[data-cg-merge]")) {
      const list = document.getElementById(fresh.id);
      if (!list) continue;
      const incoming = document.importNode(fresh, true);
      const added = [...incoming.children].filter((row) => row.id && !document.getElementById(row.id)).length;
      if (busy(list) && !forced) {
        // Somebody is about to click here: hold it back until the pointer leaves, or they ask for it.
        waiting.set(list, incoming);
        list.dataset.cgVersion = incoming.dataset.cgVersion;
        if (added) {
          announce(list, added);
          showPill(pillOf(list), added, () => { waiting.delete(list); apply(list, incoming); });
        }
      } else {
        waiting.delete(list);
        apply(list, incoming);
      }
    }
  };
  document.addEventListener("pointerout", () => setTimeout(() => [...waiting.keys()].forEach(release), 200));
  document.addEventListener("focusout", () => setTimeout(() => [...waiting.keys()].forEach(release), 200));

  // --- answers that are not plain successes
  const banner = (element, words) => {
    const place = (root(element) ?? document).querySelector("[data-cg-banner]");
    if (!place) return;
    place.textContent = words;
    place.hidden = !words;
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, xhr } = event.detail;
    if (!root(elt)) return;
    if (elt.hasAttribute("data-cg-live")) {
      event.detail.shouldSwap = false;
      if (xhr.status === 200) receive(xhr.responseText);
      if (xhr.status < 400) { failures = 0; banner(elt, ""); }
      return;
    }
    // Ours answer a refused form with the form itself, the text still in it.
    const ours = [403, 409, 422, 429].includes(xhr.status) && xhr.responseText.includes("data-cg-composer");
    if (ours) { event.detail.shouldSwap = true; event.detail.isError = false; }
    else if (xhr.status < 400) banner(elt, "");
  });
  // Older messages come in above what is being read, which stays where it is.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { shouldSwap, target } = event.detail;
    const box = shouldSwap && target?.matches(".cg-more") && target.closest("[data-cg-scroll]");
    if (!box) return;
    const below = box.scrollHeight - box.scrollTop;
    document.addEventListener("htmx:afterSwap", () => { box.scrollTop = box.scrollHeight - below; }, { once: true });
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { elt, xhr } = event.detail;
    if (!root(elt)) return;
    failures += 1;
    const out = xhr.status === 401 || xhr.status === 410;
    banner(elt, out ? say(elt, "Out") : elt.hasAttribute("data-cg-live") ? say(elt, "Lost") : say(elt, "Refused"));
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (!root(event.detail.elt)) return;
      failures += 1;
      banner(event.detail.elt, say(event.detail.elt, "Lost"));
    });
  }

  // --- times
  const write = (element, format) => {
    const lang = root(element)?.lang || "en";
    // The server writes no space between a number and its unit in Japanese.
    element.textContent = lang.startsWith("ja") ? format(lang).replace(" ", "") : format(lang);
  };
  const refreshTimes = () => {
    for (const element of document.querySelectorAll("time[data-cg-ago]")) {
      const at = new Date(element.dateTime);
      const minutes = Math.floor((Date.now() - at) / 60000);
      // Only what the server wrote as relative; what became yesterday's is told exactly at the next reload.
      if (minutes < 1 || at.toDateString() !== new Date().toDateString()) continue;
      const [unit, size] = minutes < 60 ? ["minute", 1] : ["hour", 60];
      const passed = -Math.floor(minutes / size);
      write(element, (lang) => new Intl.RelativeTimeFormat(lang, { style: "short" }).format(passed, unit));
    }
    for (const element of document.querySelectorAll("time[data-cg-lasting]")) {
      const minutes = Math.max(Math.floor((Date.now() - new Date(element.dateTime)) / 60000), 0);
      const [unit, size, unitDisplay] =
        minutes < 60 ? ["minute", 1, "short"] : minutes < 48 * 60 ? ["hour", 60, "long"] : ["day", 1440, "long"];
      const counted = { style: "unit", unit, unitDisplay };
      write(element, (lang) => new Intl.NumberFormat(lang, counted).format(Math.floor(minutes / size)));
    }
  };

  // --- scrolling and copying
  const stay = new ResizeObserver((entries) => {
    // The composer grows and shrinks under the thread; whoever reads the newest message keeps reading it.
    // So do pictures, which have no height until they are loaded.
    for (const { target } of entries) {
      const box = target.closest("[data-cg-scroll]");
      if (box?.dataset.cgAtEnd) box.scrollTop = box.scrollHeight;
    }
  });
  document.addEventListener("scroll", (event) => {
    if (event.target.dataset?.cgScroll !== undefined) event.target.dataset.cgAtEnd = atEnd(event.target) ? "1" : "";
  }, true);
  const toEnd = () => {
    for (const box of document.querySelectorAll("[data-cg-scroll]")) {
      if (new URLSearchParams(location.search).has("around")) continue;
      box.scrollTop = box.scrollHeight;
      box.dataset.cgAtEnd = "1";
      stay.observe(box);
      box.querySelectorAll(".cg-lines").forEach((list) => stay.observe(list));
    }
    const first = document.querySelector(".cg-evidence .cg-flagged") ?? document.querySelector(location.hash.startsWith("#m-") ? location.hash : ".cg-none");
    if (first) {
      const box = first.closest(".cg-thread");
      box.scrollTop += first.getBoundingClientRect().top - box.getBoundingClientRect().top - 80;
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-cg-copy]");
    if (!button) return;
    const field = button.parentElement.querySelector("[data-cg-copy-from]");
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    button.querySelector("span").textContent = say(button, "Copied");
  });
  document.addEventListener("change", (event) => event.target.closest?.("[data-cg-submit-on-change]")?.requestSubmit());
  document.addEventListener("cg-sent", askNow);
  document.addEventListener("cg-queue-answer", (event) => receive(event.detail, true));
  document.addEventListener("cg-queue-refused", (event) => banner(event.target, event.detail));
  document.addEventListener("cg-alert-refused", (event) => banner(event.target, event.detail));
  document.addEventListener("cg-alert-shown", (event) => {
    banner(event.target, "");
    const place = root(event.target)?.querySelector("[data-cg-announce]");
    if (place) place.textContent = event.detail;
    toEnd();
  });

  const begin = () => {
    if (!window.htmx) return;
    toEnd();
    showWish();
    setInterval(ask, 500);
    setInterval(refreshTimes, 30000);
    window.addEventListener("online", () => { failures = 0; askNow(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) askNow(); });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
