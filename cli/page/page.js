/*
 * The status page. It hears what is so, by server-sent events, and shows it.
 *
 * Whatever comes from outside becomes text (textContent), never markup. News
 * are collected and painted once a frame; a card is touched only if what it
 * shows has changed, and made in full only while it is open.
 */
"use strict";
(() => {
  const OPEN_MAX = 4, EVENTS_MAX = 300, SHOWN_MAX = 80, OWN_MAX = 8, SAY_MS = 2500;
  const $ = (id) => document.getElementById(id);
  const clusters = new Map(); /* name: what was told, and its card */
  const sources = new Map();
  let events = []; /* the newest first */
  const dirty = new Set();
  const ticking = new Map(); /* element: function that says its words */
  let skew = 0, fleet = "", version = "", told = false, fresh = null, painting = false;
  let few = true, sourcesNew = false, eventsNew = false, lostAt = 0, stream = null;

  /* --- Making elements. --- */

  function el(tag, options, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(options || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "class") node.className = value;
      else if (key === "click") node.addEventListener("click", value);
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", "#i-" + name);
    svg.append(use);
    return svg;
  }

  /* Times that move by themselves: said anew each second while they are on the page. */
  function clockwork(words, className) {
    const node = el("span", { class: className || "time" });
    node.textContent = words();
    ticking.set(node, words);
    return node;
  }

  /* --- Words. --- */

  const now = () => Date.now() + skew;
  const since = (time) => (time ? Math.max(0, now() - Date.parse(time)) : 0);

  function span(ms) {
    const s = Math.floor(ms / 1000), min = Math.floor(s / 60), h = Math.floor(min / 60);
    if (s < 60) return s + " s";
    if (min < 60) return min + " min" + (min < 10 && s % 60 ? " " + (s % 60) + " s" : "");
    if (h < 48) return h + " h" + (h < 10 && min % 60 ? " " + (min % 60) + " min" : "");
    return Math.floor(h / 24) + " days";
  }

  const ago = (time) => (since(time) < 3000 ? "just now" : span(since(time)) + " ago");
  const plural = (count, word) => count + " " + word + (count === 1 ? "" : "s");
  const short = (revision) => (/^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 10) : revision);

  function until(time) {
    const ms = Date.parse(time) - now();
    return ms > 1000 ? "in " + span(ms) : "now";
  }

  function clock(time) {
    const date = new Date(Date.parse(time) - skew), day = new Date();
    const hours = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
    return date.toDateString() === day.toDateString()
      ? hours : date.toLocaleDateString([], { month: "short", day: "numeric" }) + " " + hours;
  }

  /* `commands` in a sentence stand out. */
  const coded = (text) => (text || "").split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));

  /* A message says where it happened, from outside to inside; each thing is told once. */
  function whatOf(failure) {
    const what = failure.what || "", parts = (failure.message || "").split(": ");
    while (parts.length > 1 && what.split(" ").includes(parts[0])) parts.shift();
    const rest = parts.filter((part, i) => part !== parts[i - 1]).join(": ");
    return what ? what + ": " + rest : rest;
  }

  /* What a cluster is: where it stands, its mark, its word. */
  function standing(c) {
    const refused = c.refusedTotal > 0, going = c.leaving;
    if (c.phase === "stalled") return { group: "bad", tone: "bad", icon: "bad", word: "given up", rank: 0 };
    if (c.phase === "retrying") return { group: "bad", tone: "bad", icon: "bad", word: "failed, tries again", rank: 1 };
    if (c.phase === "working" && c.failure) return { group: "bad", tone: "work", icon: "work", word: "trying again", rank: 2 };
    if (c.phase === "working") return { group: "work", tone: "work", icon: "work", word: going ? "going" : "in work", rank: 5 };
    if (c.phase === "pending") return { group: "work", tone: "wait", icon: "wait", word: "waits for its turn", rank: 6 };
    if (c.held) return { group: "held", tone: "held", icon: "held", word: "left alone", rank: 7 };
    if (refused) return { group: "bad", tone: "warn", icon: "warn", word: plural(c.refusedTotal, "change") + " refused", rank: 4 };
    if (c.ready === true) return { group: "well", tone: "well", icon: "well", word: "Ready", rank: 9 };
    if (c.ready === false && c.nodesSeen) return { group: "bad", tone: "warn", icon: "warn", word: "not Ready", rank: 3 };
    return { group: "well", tone: "held", icon: "well", word: "as described", rank: 8 };
  }

  /* One line below the name. */
  function brief(c) {
    if (c.failure && c.phase !== "working") return c.failure.causes.length ? c.failure.causes[0].message : whatOf(c.failure);
    if (c.phase === "working" && c.running.length) {
      const first = c.running[0];
      const rest = c.running.length - 1;
      return first.words + (first.subject === c.name ? "" : " " + first.subject)
        + (first.step ? ": " + first.step : "") + (rest ? ", and " + plural(rest, "other action") : "");
    }
    if (c.phase === "pending") return c.note || "";
    if (c.held) return c.held;
    if (c.refused.length) return c.refused[0].subject + ": " + c.refused[0].reason;
    if (c.ready === false) return c.message || "";
    return "";
  }

  /* --- A cluster's card. --- */

  function nodesOf(c) {
    const own = c.nodes.filter((node) => node.role !== "external-load-balancer");
    const wanted = Math.max(c.nodesWanted, c.nodesSeen);
    const dots = el("span", { class: "node-dots", "aria-hidden": "true" });
    if (own.length > 1 && own.length <= 10)
      for (const node of own)
        dots.append(el("i", { class: node.ready === true ? "yes" : node.ready === false ? "no" : "" }));
    const words = c.nodesReady + "/" + wanted;
    return el("span", { class: "nodes" }, dots,
      el("span", {}, words, el("span", { class: "unseen" }, " nodes Ready")));
  }

  function headOf(entry) {
    const c = entry.told, s = entry.standing, line = brief(c);
    return [
      el("span", { class: "title" }, icon(s.icon), el("b", { title: c.name }, c.name), el("span", { class: "word" }, s.word)),
      nodesOf(c),
      (() => { const more = icon("more"); more.classList.add("more"); return more; })(),
      line && !(entry.open && (c.failure || c.refused.length || c.held)) ? el("span", { class: "brief" }, ...coded(line)) : null,
    ];
  }

  function barOf(c) {
    if (c.phase !== "working" || !c.total) return null;
    return el("div", { class: "bar" },
      el("progress", { max: c.total, value: c.done, "aria-label": "progress of " + c.name }),
      el("span", {}, c.done + " of " + c.total + ", ", clockwork(() => span(since(c.beganAt)))));
  }

  function pair(list, name, ...values) {
    list.append(el("dt", {}, name), el("dd", {}, ...values));
  }

  function copyButton(text) {
    const button = el("button", { type: "button", class: "plain" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        const range = document.createRange();
        range.selectNodeContents(button.parentNode.querySelector("code"));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    return button;
  }

  function nextTry(failure) {
    if (!failure.nextAt) return el("span", {}, ...coded((failure.failures > 1 ? "given up after " + failure.failures + " tries" : "given up") + "; a change of its description, or `kind apply`, tries again"));
    return el("span", {}, "tries again ", clockwork(() => until(failure.nextAt)));
  }

  function failureOf(c) {
    const failure = c.failure, list = el("dl");
    if (!failure) return null;
    const cause = failure.causes[0];
    pair(list, "What", whatOf(failure));
    if (cause) {
      pair(list, "Cause", el("strong", {}, cause.message));
      pair(list, "Evidence", cause.source + (cause.subject ? " of " + cause.subject : "") + ": ", el("span", { class: "lines" }, cause.evidence || ""));
      pair(list, "Cure", el("div", { class: "cure" }, el("code", {}, cause.cure || ""), cause.cure ? copyButton(cause.cure) : null));
    } else {
      pair(list, "Cause", "not known");
      if (failure.evidence) pair(list, "Last words", el("div", { class: "lines" }, failure.evidence));
    }
    for (const other of failure.causes.slice(1))
      pair(list, "Or", other.message + (other.cure ? ": " : ""), other.cure ? el("code", {}, other.cure) : "");
    pair(list, "Failed", clockwork(() => ago(failure.at)),
      failure.failures > 1 ? ", " + failure.failures + " times in a row since " + clock(failure.firstAt) : "");
    pair(list, "Next", c.phase === "working" ? "is being tried now" : nextTry(failure));
    return el("div", { class: "why bad" }, list);
  }

  function runningOf(c) {
    if (!c.running.length) return null;
    const list = el("ul", { class: "running" });
    for (const action of c.running)
      list.append(el("li", {}, el("b", {}, action.subject === c.name ? action.words : action.subject),
        el("span", {}, (action.subject === c.name ? "" : action.words) + (action.step ? (action.subject === c.name ? "" : ": ") + action.step : "")),
        clockwork(() => span(since(action.beganAt)), "time faint")));
    return el("div", {}, el("h3", {}, "Now"), list);
  }

  function refusedOf(c) {
    if (!c.refused.length) return null;
    const list = el("dl");
    for (const one of c.refused) pair(list, one.subject, ...coded(one.reason));
    const more = c.refusedTotal - c.refused.length;
    return el("div", { class: "why warn" }, el("h3", {}, "Refused changes"), list, more ? el("p", {}, "and " + more + " more") : null);
  }

  function tableOf(c) {
    if (!c.nodes.length) return null;
    const rows = el("tbody");
    for (const node of c.nodes)
      rows.append(el("tr", {}, el("th", { scope: "row" }, node.name), el("td", {}, node.role || ""), el("td", {}, node.status),
        el("td", {}, node.role === "external-load-balancer" ? "" : node.ready === true ? "Ready" : node.ready === false ? "not Ready" + (node.trouble ? ": " + node.trouble : "") : "not known")));
    return el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Node"), el("th", { scope: "col" }, "Role"),
      el("th", { scope: "col" }, "Container"), el("th", { scope: "col" }, "State"))), rows);
  }

  function factsOf(c) {
    const list = el("dl", { class: "facts" });
    const yes = (value) => (value === null ? "not known" : value ? "yes" : "no");
    pair(list, "Synced, Ready", yes(c.synced) + ", " + yes(c.ready));
    if (c.version) pair(list, "Kubernetes", c.version);
    if (c.held) pair(list, "Left alone", ...coded(c.held));
    if (c.message && c.ready === false) pair(list, "Says", c.message);
    if (c.revision) pair(list, "Revision", el("code", { title: c.revision }, short(c.revision)), c.author ? " by " + c.author : "");
    if (c.settledAt) pair(list, "Came to rest", clockwork(() => ago(c.settledAt)));
    return list;
  }

  function lately(c) {
    const own = events.filter((event) => event.cluster === c.name).slice(0, OWN_MAX);
    if (!own.length) return null;
    const list = el("ol", { class: "events" });
    for (const event of own)
      list.append(el("li", { class: event.level }, el("time", { datetime: event.at }, clock(event.at)), el("span", { class: "what" }, ...coded(event.text))));
    return el("div", {}, el("h3", {}, "Lately"), list);
  }

  function fill(entry) {
    const c = entry.told;
    entry.body.replaceChildren(...[failureOf(c), refusedOf(c), runningOf(c), tableOf(c), factsOf(c), lately(c)].filter(Boolean));
  }

  function setOpen(entry, open) {
    entry.open = open;
    entry.card.classList.toggle("open", open);
    entry.head.setAttribute("aria-expanded", open);
    entry.body.hidden = !open;
    entry.head.replaceChildren(...headOf(entry).filter(Boolean));
    if (open) fill(entry); else entry.body.replaceChildren();
  }

  function makeCard(entry) {
    const id = "cluster-" + entry.told.name;
    entry.head = el("button", { type: "button", class: "head", "aria-expanded": "false", "aria-controls": id, click: () => { entry.chosen = true; setOpen(entry, !entry.open); } });
    entry.bar = el("div");
    entry.body = el("div", { class: "body", id, hidden: "" });
    entry.card = el("li", { class: "card" }, entry.head, entry.bar, entry.body);
    entry.open = false;
  }

  /*
   * A failure is told in full, where there are few: when the engine is away, all have one. The
   * user's own choice stays.
   */
  function paintCluster(entry) {
    const before = entry.standing, c = entry.told;
    entry.standing = standing(c);
    if (!entry.card) makeCard(entry);
    entry.card.className = "card " + entry.standing.tone + (entry.open ? " open" : "");
    const wanted = few && entry.standing.group === "bad" && entry.standing.rank <= 2;
    if (!before || before.group !== entry.standing.group) entry.chosen = false;
    if (!entry.chosen && entry.open !== wanted) { setOpen(entry, wanted); }
    else {
      entry.head.replaceChildren(...headOf(entry).filter(Boolean));
      if (entry.open && !busyInside(entry)) fill(entry);
      else if (entry.open) entry.late = true;
    }
    const bar = barOf(c);
    entry.bar.replaceChildren(...(bar ? [bar] : []));
    if (told && before && before.word !== entry.standing.word && (before.group === "bad" || entry.standing.group === "bad"))
      say(c.name + ": " + entry.standing.word + (brief(c) ? ", " + brief(c) : ""));
  }

  /* Nobody's focus or selection is taken away. */
  function busyInside(entry) {
    const selection = getSelection();
    return entry.body.contains(document.activeElement)
      || (selection && !selection.isCollapsed && entry.body.contains(selection.anchorNode));
  }

  /* --- Order, filter, sums. --- */

  function order() {
    const word = $("find").value.trim().toLowerCase(), only = $("only").checked;
    const groups = { bad: [], work: [], held: [], well: [] };
    const totals = { bad: 0, work: 0, held: 0, well: 0 };
    for (const entry of clusters.values()) {
      const s = entry.standing;
      if (!s) continue; /* told, and not painted yet */
      totals[s.group]++;
      if (only && (s.group === "well" || s.group === "held")) continue;
      if (word && !entry.told.name.toLowerCase().includes(word) && !s.word.toLowerCase().includes(word)) continue;
      groups[s.group].push(entry);
    }
    let shown = 0;
    const focused = document.activeElement;
    for (const section of document.querySelectorAll(".group")) {
      const list = groups[section.dataset.group];
      list.sort((a, b) => a.standing.rank - b.standing.rank || a.told.name.localeCompare(b.told.name, "en", { numeric: true }));
      place(section.querySelector("ul"), list.map((entry) => entry.card));
      const count = totals[section.dataset.group];
      section.querySelector(".count").textContent = list.length === count ? count : list.length + " of " + count;
      section.hidden = !list.length;
      shown += list.length;
    }
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    sum(totals);
    $("none").hidden = shown > 0;
    $("none").textContent = !told ? "Waiting for the first word of the service."
      : clusters.size && only && !word ? "All " + clusters.size + " clusters are well."
      : clusters.size ? "No cluster fits." : "There are no clusters: the sources name none.";
  }

  /* Only what stands elsewhere is moved. */
  function place(parent, wanted) {
    const keep = new Set(wanted);
    for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
    let at = parent.firstElementChild;
    for (const card of wanted) {
      if (card === at) at = at.nextElementSibling;
      else parent.insertBefore(card, at);
    }
  }

  function sum(totals) {
    const pills = [];
    const pill = (count, tone, mark, words) => { if (count) pills.push(el("span", { class: "pill " + tone }, icon(mark), count + " " + words)); };
    pill(totals.bad, "bad", "bad", "not well");
    pill(totals.work, "work", "work", "in work");
    pill(totals.held, "held", "held", "left alone");
    pill(totals.well, "well", "well", "well");
    $("sum").replaceChildren(...pills);
    const trouble = [...sources.values()].some((source) => source.problem);
    document.title = (totals.bad ? "(" + totals.bad + ") " : "") + (fleet || "kind") + " – " + (totals.bad ? "not well" : trouble ? "source or engine" : totals.work ? "in work" : "well");
    paintFavicon(totals.bad ? "#c0271f" : trouble ? "#b57a00" : totals.work ? "#0b5cad" : "#18753a");
  }

  let favicon = "";
  function paintFavicon(color) {
    if (color === favicon) return;
    favicon = color;
    document.querySelector("link[rel=icon]").href = "data:image/svg+xml," + encodeURIComponent(
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="' + color + '"/></svg>');
  }

  /* --- Sources and events. --- */

  function sourceOf(source) {
    const signed = source.signer ? ", signed by " + source.signer : "";
    const rev = source.revision
      ? el("p", { class: "rev" }, el("code", { title: source.revision }, short(source.revision)), source.subject ? " " + source.subject : "",
          el("span", { class: "faint" }, (source.author ? " by " + source.author : "") + signed))
      : el("p", { class: "rev faint" }, "nothing is in force yet");
    const looked = el("p", { class: "faint" }, source.checkedAt ? "looked at " : "not looked at yet",
      source.checkedAt ? clockwork(() => ago(source.checkedAt)) : null,
      source.nextAt ? ", again " : null, source.nextAt ? clockwork(() => until(source.nextAt)) : null,
      source.failures ? ", " + plural(source.failures, "failure") + " in a row" : null);
    const problem = source.problem
      ? el("div", { class: "problem" },
          el("strong", {}, source.pending ? "Revision " + short(source.pending) + " is refused" + (source.revision ? "; " + short(source.revision) + " stays in force" : "") : "It cannot be read" + (source.revision ? "; " + short(source.revision) + " stays in force" : "")),
          el("div", { class: "lines" }, source.problem))
      : null;
    return el("article", { class: "source" + (source.problem ? " warn" : "") },
      el("div", { class: "where" }, el("b", {}, source.where), el("span", { class: "kind" }, source.kind)), rev, looked, problem);
  }

  function engineOf(engine) {
    return el("article", { class: "source warn" },
      el("div", { class: "where" }, el("b", {}, engine.where), el("span", { class: "kind" }, "engine")),
      el("div", { class: "problem" }, el("strong", {}, "The engine does not answer; nothing is changed until it does"),
        el("div", { class: "lines" }, engine.problem)));
  }

  function policyOf(policy) {
    return el("article", { class: "source warn" },
      el("div", { class: "where" }, el("b", {}, policy.where), el("span", { class: "kind" }, "policy")),
      el("div", { class: "problem" }, el("strong", {}, "The policy cannot be used; the one before stays in force"),
        el("div", { class: "lines" }, policy.problem)));
  }

  /* The engine and the policy are told of where there is trouble with them. */
  function paintSources() {
    const all = [...sources.values()], bad = (kind) => all.filter((one) => one.kind === kind && one.problem);
    $("sources").replaceChildren(...bad("engine").map(engineOf), ...bad("policy").map(policyOf),
      ...all.filter((one) => one.kind !== "engine" && one.kind !== "policy").map(sourceOf));
  }

  function show(name) {
    const entry = clusters.get(name);
    if (!entry) return;
    $("find").value = "";
    $("only").checked = false;
    order();
    entry.chosen = true;
    setOpen(entry, true);
    entry.card.scrollIntoView({ block: "center" });
    entry.head.focus({ preventScroll: true });
  }

  function eventOf(event) {
    const who = event.cluster
      ? el("button", { type: "button", class: "who", click: () => show(event.cluster) }, event.cluster)
      : el("b", {}, event.source || "");
    return el("li", { class: event.level }, el("time", { datetime: event.at }, clock(event.at)), who,
      el("span"), el("span", { class: "what", title: event.text || "" }, ...coded(event.text)));
  }

  function paintEvents() {
    if ($("events").contains(document.activeElement)) { setTimeout(() => { eventsNew = true; later(); }, 3000); return; }
    const every = $("every").checked;
    const shown = events.filter((event) => every || event.level !== "detail").slice(0, SHOWN_MAX);
    const list = $("events"), have = new Map([...list.children].map((li) => [li.dataset.id, li]));
    place(list, shown.map((event) => {
      const old = have.get(String(event.id));
      if (old) return old;
      const li = eventOf(event);
      li.dataset.id = event.id;
      return li;
    }));
  }

  /* --- Painting, once a frame. --- */

  function paint() {
    painting = false;
    const touched = new Set(dirty);
    dirty.clear();
    const failed = [...clusters.values()].filter((entry) => entry.told.failure);
    if (few !== failed.length <= OPEN_MAX) {
      few = !few;
      for (const entry of failed) touched.add(entry.told.name);
    }
    for (const name of touched) {
      const entry = clusters.get(name);
      if (entry) paintCluster(entry);
    }
    if (sourcesNew) paintSources();
    if (touched.size || sourcesNew) order();
    if (eventsNew) paintEvents();
    sourcesNew = eventsNew = false;
    for (const node of ticking.keys()) if (!node.isConnected) ticking.delete(node);
    $("fleet").textContent = fleet ? "fleet " + fleet : "";
    $("foot").textContent = version ? "kind " + version + ", " + plural(clusters.size, "cluster") + ". The same for programs: /api/v1/clusters, /api/v1/events, /metrics." : "";
  }

  function later() {
    if (painting) return;
    painting = true;
    if (document.hidden) setTimeout(paint, 1000); else requestAnimationFrame(paint);
  }

  setInterval(() => {
    if (document.hidden) return;
    for (const [node, words] of ticking) {
      if (!node.isConnected) { ticking.delete(node); continue; }
      const text = words();
      if (node.textContent !== text) node.textContent = text;
    }
    for (const entry of clusters.values())
      if (entry.late && entry.open && !busyInside(entry)) { entry.late = false; fill(entry); }
    paintLink();
  }, 1000);

  /* For those who hear the page: what turned bad or good, not every step. */
  let saying = [], sayTimer = 0;
  function say(words) {
    saying.push(words);
    if (!sayTimer) sayTimer = setTimeout(() => {
      const more = saying.length - 3;
      $("said").textContent = saying.slice(0, 3).join(". ") + (more > 0 ? ". And " + more + " more." : ".");
      saying = [];
      sayTimer = 0;
    }, SAY_MS);
  }

  /* --- The stream. --- */

  function paintLink() {
    const lost = lostAt > 0, long = lost && Date.now() - lostAt > 4000;
    $("link").className = "link " + (lost ? "lost" : told ? "live" : "");
    const words = lost ? "not connected" : told ? "live" : "connecting";
    if ($("link-words").textContent !== words) $("link-words").textContent = words;
    $("stale").hidden = !long;
    const text = "Not connected since " + new Date(lostAt).toLocaleTimeString([], { hour12: false }) + ". What is shown may be old; the page tries again by itself.";
    if (long && $("stale").textContent !== text) $("stale").textContent = text;
  }

  function hello(data) {
    skew = Date.parse(data.now) - Date.now();
    fleet = data.fleet;
    version = data.version;
    lostAt = 0;
    if (data.reset) {
      fresh = { clusters: new Set(), sources: new Set() };
      events = [];
      eventsNew = true;
    }
    paintLink();
    later();
  }

  /* After a new beginning: what was not told again is not there any more. */
  function current() {
    if (fresh) {
      for (const name of [...clusters.keys()]) if (!fresh.clusters.has(name)) drop(name);
      for (const where of [...sources.keys()]) if (!fresh.sources.has(where)) sources.delete(where);
      fresh = null;
    }
    told = told || "now";
    sourcesNew = eventsNew = true;
    paintLink();
    later();
  }

  function drop(name) {
    const entry = clusters.get(name);
    if (!entry) return;
    if (entry.card) entry.card.remove();
    clusters.delete(name);
    sourcesNew = true; /* so that the sums are made anew */
  }

  function takeCluster(data) {
    const entry = clusters.get(data.name) || {};
    entry.told = data;
    clusters.set(data.name, entry);
    if (fresh) fresh.clusters.add(data.name);
    dirty.add(data.name);
    later();
  }

  function takeSource(data) {
    const before = sources.get(data.where);
    sources.set(data.where, data);
    if (fresh) fresh.sources.add(data.where);
    if (told && data.problem && (!before || before.problem !== data.problem))
      say("source " + data.where + ": " + (data.pending ? "a newer revision is refused" : data.kind === "engine" ? "does not answer" : "cannot be read"));
    sourcesNew = true;
    later();
  }

  function takeEvent(data) {
    events.unshift(data);
    events.length = Math.min(events.length, EVENTS_MAX);
    if (data.type === "gone" && data.cluster) { drop(data.cluster); if (fresh) fresh.clusters.delete(data.cluster); }
    else if (data.cluster && clusters.has(data.cluster)) dirty.add(data.cluster);
    eventsNew = true;
    later();
  }

  function listen() {
    stream = new EventSource("/api/v1/events");
    const on = (type, take) => stream.addEventListener(type, (message) => take(JSON.parse(message.data)));
    on("hello", hello);
    on("cluster", takeCluster);
    on("source", takeSource);
    on("event", takeEvent);
    on("current", current);
    stream.addEventListener("error", () => {
      lostAt = lostAt || Date.now();
      paintLink();
      if (stream.readyState !== EventSource.CLOSED) return; /* it tries again by itself */
      stream.close();
      setTimeout(listen, 4000);
    });
  }

  /* --- Wishes of the user. --- */

  const remember = (key, value) => { try { localStorage.setItem("kind-" + key, value); } catch { /* private window */ } };
  const recall = (key) => { try { return localStorage.getItem("kind-" + key); } catch { return null; } };
  for (const key of ["only", "every"]) {
    $(key).checked = recall(key) === "true";
    $(key).addEventListener("change", () => { remember(key, $(key).checked); eventsNew = true; sourcesNew = true; later(); });
  }
  $("find").addEventListener("input", () => { if (told) order(); });
  $("tools").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { sourcesNew = true; later(); } });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(input|textarea)$/i.test(event.target.tagName) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      $("find").focus();
    } else if (event.key === "Escape" && event.target === $("find")) {
      $("find").value = "";
      if (told) order();
    }
  });
  listen();
})();
