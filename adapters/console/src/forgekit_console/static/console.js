"use strict";

// The pages are complete without this script, but for what their buttons do and what changes by itself.
(() => {
  const LIVE_MS = 20000; // with a stream: what other processes changed
  const POLL_MS = 5000; // without one, e.g. under WSGI
  const BUSY_MS = 1000; // likewise, while an import runs
  const RETRY_MS = 60000; // until a stream that was refused is asked for again
  const REST_MS = 500; // between two looks at what takes the host longer
  const HEARD_MS = 3000; // how long what the stream told of an import is news

  const home = new URL("../../", document.currentScript.src); // where the host mounted the pages
  const byId = (id) => document.getElementById(id);
  const news = byId("main").dataset; // where this page hears what changed
  const parts = () => [...document.querySelectorAll("[data-part]")];

  async function ask(path, body) {
    const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    let answer;
    let text;
    try {
      answer = await fetch(new URL(path, home), body === undefined ? {} : post);
      text = await answer.text();
    } catch {
      throw new Error("The host does not answer.");
    }
    if (answer.status === 401 && !byId("sign-in")) reopen(); // to the sign-in
    if (!answer.ok) throw new Error(reason(text) || `The host answered with status ${answer.status}.`);
    return text;
  }

  // Not reload: a page that answers a form would be asked for by sending the form again.
  function reopen() {
    location.replace(location.pathname + location.search);
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
  const shownBy = new Map(); // the look that each part is of
  let looks = 0;

  function localise(place) {
    const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
    const near = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
    for (const time of place.querySelectorAll("time[datetime]")) {
      time.title = time.textContent;
      time.textContent = ("clock" in time.dataset ? near : exact).format(new Date(time.dateTime));
    }
  }

  function replace(place, html) {
    const focused = place.contains(document.activeElement) ? document.activeElement.id : null;
    const open = [...place.querySelectorAll("details[open]")].map((each) => each.id);
    const chosen = place.querySelector("input[type=radio]:checked")?.value;
    const typed = [...place.querySelectorAll("select[id], input[id]:not([type=radio])")].map((each) => [each.id, each.value]);
    place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    localise(place);
    for (const id of open) byId(id)?.setAttribute("open", "");
    const again = [...place.querySelectorAll("input[type=radio]")].find((input) => input.value === chosen);
    if (again) again.checked = true;
    for (const [id, value] of typed) if (byId(id)) byId(id).value = value;
    if (focused !== null) (byId(focused) || place.closest("section").querySelector("h2")).focus();
  }

  function applyFlags() {
    if (!byId("import-form")) return;
    const flags = byId("flags").dataset;
    byId("import-form").hidden = flags.configured === "no";
    byId("unready").hidden = flags.configured !== "no";
    byId("items").hidden = flags.items === "0";
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

  const isRunning = () => byId("flags").dataset.running === "yes";

  async function fetchParts(path) {
    const look = ++looks;
    const fresh = new DOMParser().parseFromString(await ask(path), "text/html");
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const name = part.dataset.part;
      if (shownBy.get(name) > look) continue; // a later look was answered sooner
      shownBy.set(name, look);
      const html = part.innerHTML;
      if (shown.get(name) !== html) replace(document.querySelector(`[data-part="${name}"]`), html);
      shown.set(name, html);
    }
  }

  async function fetchStatus() {
    await fetchParts(news.status);
    applyFlags();
    if (byId("items")?.open) await loadItems();
  }

  // One at a time, and whoever awaits it sees a state that is not older than the call.
  function inTurn(action) {
    let running = null;
    let again = false;
    async function often() {
      do {
        again = false;
        await action();
      } while (again);
      running = null;
    }
    return () => {
      again = running !== null;
      running ??= often();
      return running;
    };
  }

  const refresh = inTurn(async () => {
    try {
      await fetchStatus();
      tellLine(stream?.readyState === EventSource.OPEN ? "Live" : "Looks every few seconds");
    } catch (error) {
      tellLine(error.message, true);
    }
  });

  // How far imports of builds are, which costs the host less than the whole page.
  const glance = inTurn(async () => {
    const before = isRunning();
    await fetchParts(news.light).catch(() => {}); // the next beat says that the host is away
    if (isRunning() !== before) refresh();
  });

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
  let soon = null;
  let refusedAt = -RETRY_MS;
  let heardAt = -HEARD_MS;

  function listen() {
    stream = new EventSource(new URL(news.live, home));
    stream.onopen = () => { document.body.dataset.live = "yes"; tellLine("Live"); };
    stream.addEventListener("progress", (event) => {
      heardAt = performance.now();
      if (news.light) glance();
      else showProgress(JSON.parse(event.data));
    });
    stream.addEventListener("changed", () => {
      soon ??= setTimeout(() => { soon = null; refresh(); }, news.light ? REST_MS : 0);
    });
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
      beat(live ? LIVE_MS : isRunning() && !news.light ? BUSY_MS : POLL_MS);
    }, delay);
  }

  // Imports of builds run in any process, and a stream tells of this one: of an import that is not heard of, the page asks.
  function follow() {
    setInterval(() => {
      if (!document.hidden && isRunning() && performance.now() - heardAt > HEARD_MS) glance();
    }, BUSY_MS);
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
    reopen();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    if (!button) return;
    const [topic, action] = acts[button.dataset.act];
    work(button, topic, () => action(button));
  });

  document.addEventListener("submit", (event) => {
    const send = { "import-form": importChosen, "sign-in": () => work(byId("enter"), "sign-in", enter) }[event.target.id];
    if (!send) return; // the browser sends it
    event.preventDefault();
    send();
  });

  byId("sign-out")?.addEventListener("click", async () => {
    await ask("console/sign-out", {}).catch(() => {});
    reopen();
  });

  if (news.status) {
    for (const place of parts()) shown.set(place.dataset.part, place.innerHTML);
    localise(document);
    byId("items")?.addEventListener("toggle", () => { if (byId("items").open) loadItems(); });
    if (news.light) follow();
    document.addEventListener("visibilitychange", sleepOrWake);
    sleepOrWake();
  }
})();
