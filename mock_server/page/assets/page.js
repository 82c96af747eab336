// What HTML and htmx do not do: the dialog, the clipboard, live rows, files, keys.
"use strict";

const byId = (id) => document.getElementById(id);

// The line of notices.
function say(words, isBad) {
  const line = document.createElement("p");
  line.className = isBad ? "bad" : "good";
  if (isBad) line.setAttribute("role", "alert");
  line.textContent = words;
  byId("notice").replaceChildren(line);
}

// The dialog is open while there is something in it.
function followDialog() {
  const dialog = byId("dialog");
  const isFull = byId("dialog-body").childElementCount > 0;
  dialog.setAttribute("aria-label", dialog.querySelector("h2")?.textContent ?? "");
  if (isFull && !dialog.open) dialog.showModal();
  if (!isFull && dialog.open) dialog.close();
  const wrong = dialog.querySelector("[aria-invalid]");
  if (wrong) wrong.focus();
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "dialog-body") followDialog();
  if (event.target.id === "detail") document.querySelector(".panes").classList.add("open");
  if (event.target.id === "detail" || event.target.id === "rows") markChosen();
  if (byId("list") && byId("list") !== live.list) live.start();
});
document.addEventListener("htmx:sendError", () => say("The sandbox does not answer.", true));

// The clipboard.
async function copied(button) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const answer = await fetch(button.dataset.copy, { method: "POST", headers, body: new URLSearchParams() });
  const text = await answer.text();
  if (!answer.ok) {
    const page = new DOMParser().parseFromString(text, "text/html");
    return say(page.querySelector("main p")?.textContent ?? "It cannot be copied.", true);
  }
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    shown(text); // browsers allow it on this machine and over HTTPS only
  }
}

function shown(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.rows = 14;
  area.readOnly = true;
  area.setAttribute("aria-label", "What was to be copied");
  const close = document.createElement("button");
  close.type = "button";
  close.dataset.close = "";
  close.textContent = "Close";
  const title = document.createElement("h2");
  title.textContent = "Copy this";
  byId("dialog-body").replaceChildren(title, area, close);
  followDialog();
  area.select();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copied(button);
  if (event.target.closest("[data-close]")) byId("dialog").close();
});

// Requests as they come.
const MOST_ROWS = 500;
const live = {
  list: null,
  source: null,
  start() {
    this.stop();
    this.list = byId("list");
    if (!this.list || !this.list.dataset.stream) return;
    const { stream, query, seen } = this.list.dataset;
    this.source = new EventSource(`${stream}?since=${seen}${query ? "&" + query : ""}`);
    this.source.onmessage = (event) => this.add(event.data);
    this.source.onerror = () => this.lost();
    this.source.onopen = () => this.mark("live");
  },
  stop() {
    if (this.source) this.source.close();
    this.source = null;
  },
  add(html) {
    const rows = byId("rows");
    const box = document.createElement("template");
    box.innerHTML = html;
    const fresh = [...box.content.querySelectorAll("tr[data-number]")];
    const skipped = Number(box.content.querySelector("[data-skipped]")?.dataset.skipped ?? 0);
    if (fresh.length) this.list.dataset.seen = fresh[0].dataset.number;
    rows.prepend(...fresh);
    fresh.forEach((row) => htmx.process(row));
    const total = byId("total");
    total.dataset.total = Number(total.dataset.total) + fresh.length + skipped;
    total.textContent = total.dataset.total;
    if (skipped) this.skip(skipped);
    if (byId("empty")) byId("empty").remove();
    this.trim(rows);
  },
  skip(count) {
    const line = byId("skipped");
    line.dataset.skipped = Number(line.dataset.skipped) + count;
    line.querySelector("b").textContent = line.dataset.skipped;
    line.hidden = false;
  },
  // The oldest rows go, but not from under the eyes of a person who looks at them.
  trim(rows) {
    const all = rows.querySelectorAll("tr[data-number]");
    if (all.length <= MOST_ROWS || rows.closest(".scroll").scrollTop > 0 || window.scrollY > 0) return;
    for (let at = MOST_ROWS; at < all.length; at += 1) all[at].remove();
    const before = rows.querySelector("#older [name=before]");
    if (before) before.value = all[MOST_ROWS - 1].dataset.number;
  },
  lost() {
    this.stop();
    this.mark("not live");
    setTimeout(() => this.list === byId("list") && this.start(), 2000);
  },
  mark(words) {
    const mark = byId("live");
    mark.textContent = words;
    mark.classList.toggle("dead", words !== "live");
  },
};

function markChosen() {
  const detail = document.querySelector("#detail [data-number]");
  document.querySelectorAll("#rows [aria-selected], #rows .chosen").forEach((row) => row.classList.remove("chosen"));
  if (!detail) return;
  const row = document.querySelector(`#rows [data-number="${Number(detail.dataset.number)}"]`);
  if (row) row.classList.add("chosen");
}

// A file that is chosen or dropped becomes the text of its form.
async function taken(form, file) {
  form.querySelector("textarea").value = await file.text();
  form.requestSubmit();
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-file]");
  if (form && event.target.type === "file" && event.target.files.length) taken(form, event.target.files[0]);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest("form[data-file]");
    if (!form) return;
    event.preventDefault();
    form.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) taken(form, event.dataTransfer.files[0]);
  });
}

// Keys: / to the filter, j and k along the list.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && byId("q-text")) {
    event.preventDefault();
    byId("q-text").focus();
  }
  if (event.key === "j" || event.key === "k") along(event.key === "j" ? 1 : -1);
});

function along(step) {
  const links = [...document.querySelectorAll("#rows a")];
  const at = links.indexOf(document.activeElement);
  const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  if (next) next.focus();
}

// On a narrow window the bar scrolls; the page that is shown is in view.
document.querySelector(".bar [aria-current=page]")?.scrollIntoView({ inline: "center", block: "nearest" });
// The event comes a moment after Escape: an answer that is settled in between opens it once more.
byId("dialog").addEventListener("close", () => {
  byId("dialog-body").replaceChildren();
  followDialog();
});
live.start();
markChosen();

// A run of attacks goes on while its next step is on the page. The verdict of the attack that was
// fired already still comes; the next step that comes with it does not.
function stopRun() {
  const progress = byId("progress");
  if (!progress) return;
  const line = document.createElement("p");
  line.className = "due";
  line.textContent = "Stopped: the rest was not observed.";
  progress.dataset.stopped = "";
  progress.replaceChildren(line);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-stop]")) stopRun();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-attack]")) stopRun();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "verdicts") return;
  const counts = {};
  for (const row of event.target.rows) counts[row.dataset.outcome] = (counts[row.dataset.outcome] ?? 0) + 1;
  byId("tally").textContent = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`).join(", ");
});
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.target.id === "progress" && "stopped" in event.target.dataset) event.preventDefault();
});
