"use strict";

// The pages are complete without this script, but for what their buttons do and what changes by itself.
(() => {
  const LIVE_MS = 20000; // with a stream: what other processes changed
  const POLL_MS = 5000; // without one, e.g. under WSGI
  const BUSY_MS = 1000; // likewise, while an import runs
  const RETRY_MS = 60000; // until a stream that was refused is asked for again

  const byId = (id) => document.getElementById(id);
  const parts = () => [...document.querySelectorAll("[data-part]")];

  async function ask(path, body) {
    const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    let answer;
    let text;
    try {
      answer = await fetch(path, body === undefined ? {} : post);
      text = await answer.text();
    } catch {
      throw new Error("The host does not answer.");
    }
    if (answer.status === 401 && !byId("sign-in")) location.reload(); // to the sign-in
    if (!answer.ok) throw new Error(reason(text) || `The host answered with status ${answer.status}.`);
    return text;
  }

  function reason(text) {
    try {
      return JSON.parse(text).detail;
    } catch {
      return "";
    }
  }

  function say(topic, text, bad) {
    const place = document.querySelector(`[data-say="${topic}"]`);
    place.textContent = text;
    place.classList.toggle("bad", Boolean(bad));
    place.hidden = !text;
  }

  function tellLine(text, bad) {
    if (byId("line").textContent !== text) byId("line").textContent = text;
    byId("line").classList.toggle("bad", Boolean(bad));
  }

  // What changes by itself: a part is replaced only when the host renders it differently.

  const shown = new Map();

  function localise(place) {
    const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
    for (const time of place.querySelectorAll("time[datetime]")) {
      time.title = time.textContent;
      time.textContent = format.format(new Date(time.dateTime));
    }
  }

  function replace(place, html) {
    const focused = place.contains(document.activeElement) ? document.activeElement.id : null;
    const open = [...place.querySelectorAll("details[open]")].map((each) => each.id);
    const chosen = place.querySelector("input:checked")?.value;
    place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    localise(place);
    for (const id of open) byId(id)?.setAttribute("open", "");
    const again = [...place.querySelectorAll("input")].find((input) => input.value === chosen);
    if (again) again.checked = true;
    if (focused !== null) (byId(focused) || place.closest("section").querySelector("h2")).focus();
  }

  function applyFlags() {
    const flags = byId("flags").dataset;
    byId("import-form").hidden = flags.configured === "no";
    byId("unready").hidden = flags.configured !== "no";
    byId("items").hidden = flags.items === "0";
    return flags;
  }

  async function loadItems() {
    const list = byId("items-list");
    try {
      const html = await ask("console/items");
      if (shown.get("items") !== html) replace(list, html);
      shown.set("items", html);
    } catch (error) {
      list.textContent = error.message;
      shown.delete("items");
    }
  }

  async function fetchStatus() {
    const fresh = new DOMParser().parseFromString(await ask("console/status"), "text/html");
    for (const place of parts()) {
      const html = fresh.querySelector(`[data-part="${place.dataset.part}"]`).innerHTML;
      if (shown.get(place.dataset.part) !== html) replace(place, html);
      shown.set(place.dataset.part, html);
    }
    applyFlags();
    if (byId("items").open) await loadItems();
  }

  let refreshing = null;
  let again = false;

  async function refreshOften() {
    do {
      again = false;
      try {
        await fetchStatus();
        tellLine(stream?.readyState === EventSource.OPEN ? "Live" : "Looks every few seconds");
      } catch (error) {
        tellLine(error.message, true);
      }
    } while (again);
    refreshing = null;
  }

  // Whoever awaits this sees a state that is not older than the call.
  function refresh() {
    again = refreshing !== null;
    refreshing = refreshing || refreshOften();
    return refreshing;
  }

  function showProgress({ fetched, total, label }) {
    const bar = byId("bar");
    if (!bar) {
      refresh();
      return;
    }
    if (total) {
      bar.max = total;
      bar.value = fetched;
    }
    byId("bar-label").textContent = label;
  }

  // Staying up to date: a stream, and a look now and then; neither while nobody looks at the page.

  let stream = null;
  let pulse = null;
  let refusedAt = -RETRY_MS;

  function listen() {
    stream = new EventSource("console/live");
    stream.onopen = () => { document.body.dataset.live = "yes"; tellLine("Live"); };
    stream.addEventListener("progress", (event) => showProgress(JSON.parse(event.data)));
    stream.addEventListener("changed", refresh);
    stream.onerror = () => {
      document.body.dataset.live = "no";
      if (stream.readyState === EventSource.CLOSED) { stream = null; refusedAt = performance.now(); }
      beat(0);
    };
  }

  function beat(delay) {
    clearTimeout(pulse);
    pulse = setTimeout(async () => {
      if (stream === null && performance.now() - refusedAt > RETRY_MS) listen();
      await refresh();
      const live = document.body.dataset.live === "yes";
      beat(live ? LIVE_MS : byId("flags").dataset.running === "yes" ? BUSY_MS : POLL_MS);
    }, delay);
  }

  function sleepOrWake() {
    if (document.hidden) {
      clearTimeout(pulse);
      stream?.close();
      stream = null;
    } else {
      beat(0);
    }
  }

  // What people do. A button that works is aria-disabled, not disabled: it would lose the focus.

  const isBusy = (button) => button.getAttribute("aria-disabled") === "true";

  async function work(button, topic, action) {
    if (isBusy(button)) return;
    button.setAttribute("aria-disabled", "true");
    if (topic) say(topic, "");
    try {
      const told = await action();
      if (topic && told) say(topic, told);
    } catch (error) {
      if (topic) say(topic, error.message, true);
    } finally {
      button.removeAttribute("aria-disabled"); // where it was rendered anew meanwhile, the host decides
    }
  }

  async function act(path, body) {
    const done = JSON.parse(await ask(path, body));
    await refresh();
    return done.message;
  }

  const acts = {
    check: ["connection", () => act("console/check", {})],
    cycles: ["import", async () => { await act("console/cycles", {}); }],
    toggle: ["loop", (button) => act("console/toggle", { enabled: button.getAttribute("aria-checked") !== "true" })],
  };

  async function importChosen() {
    const button = byId("import");
    const chosen = document.querySelector("input[name=cycle]:checked");
    if (!button) return work(byId("load-cycles"), ...acts.cycles);
    // How it ended stands in the part "result", in every tab.
    return work(button, "import", async () => {
      button.textContent = "Importing…";
      if (document.body.dataset.live !== "yes") beat(BUSY_MS);
      try {
        await ask("console/import", { cycle_id: chosen.value, project: byId("project").value });
      } finally {
        shown.delete("cycles");
        await refresh();
      }
    });
  }

  async function enter() {
    try {
      await ask("console/sign-in", { token: byId("token").value });
    } catch (error) {
      byId("token").setAttribute("aria-invalid", "true");
      byId("token").select();
      throw error;
    }
    location.reload();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    if (!button) return;
    const [topic, action] = acts[button.dataset.act];
    work(button, topic, () => action(button));
  });

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.target.id === "import-form") importChosen();
    if (event.target.id === "sign-in") work(byId("enter"), "sign-in", enter);
  });

  byId("sign-out")?.addEventListener("click", async () => {
    await ask("console/sign-out", {}).catch(() => {});
    location.reload();
  });

  if (byId("flags")) {
    for (const place of parts()) shown.set(place.dataset.part, place.innerHTML);
    localise(document);
    byId("items").addEventListener("toggle", () => { if (byId("items").open) loadItems(); });
    document.addEventListener("visibilitychange", sleepOrWake);
    sleepOrWake();
  }
})();
