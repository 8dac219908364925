// Triage: a queue that never jumps, single keys, and the next event painted at once.
import { $, clock, every, hear, now, onKeys, send } from "./console.js";
import { GridMap } from "./map.js";

const queue = $("#queue");
const main = $("#main");
const arrived = $("#arrived");
const deciding = new Set(); // numbers whose decision is on its way
let newest = null; // the list as it is now, while an older one is shown
let banner = null; // what to tell once the pane of an event is there
let missing = null; // the number whose picture was declared missing

const rows = () => every(".item", queue).filter((row) => !row.parentElement.hidden);
const numbers = (list) => new Map(every(".item", list).map((row) => [row.dataset.number, row]));
const current = () => $(".item[aria-current]", queue);
const pane = () => $("#decide", main);

// Selecting ------------------------------------------------------------------
function select(row, focus = true) {
  current()?.removeAttribute("aria-current");
  main.dataset.mode = "decide";
  if (!row) return open("none");
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
  if (focus) row.focus({ preventScroll: true });
  history.replaceState(null, "", `/?event=${row.dataset.number}`);
  open(row.dataset.number);
}

function open(number) {
  if (number === "none") history.replaceState(null, "", "/");
  htmx.ajax("GET", `/triage/events/${number}`, { target: "#main", swap: "innerHTML", source: "#main" });
}

function step(by) {
  const list = rows();
  const at = list.indexOf(current());
  const next = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by))];
  if (next && next !== current()) select(next);
}

queue.addEventListener("click", (e) => {
  const row = e.target.closest(".item");
  if (row) select(row);
});

// The pane -------------------------------------------------------------------
function dress() {
  const here = $("#here");
  map?.show(here?.dataset.lon ? { cell: here.dataset.cell, lon: +here.dataset.lon, lat: +here.dataset.lat } : {});
  const decide = pane();
  if (missing && decide?.dataset.number === missing) unlock();
  if (banner && decide?.dataset.number === banner.number) {
    const box = $("#conflict");
    box.hidden = false;
    $("span", box).textContent = banner.text;
    banner = null;
  }
  const line = $("#shut") || $("#then");
  if (!line) return;
  const rest = line.innerHTML; // our own markup, put back as it was
  for (const button of every("[data-consequence]", main)) {
    for (const on of ["mouseenter", "focus"]) button.addEventListener(on, () => (line.textContent = button.dataset.consequence));
    for (const off of ["mouseleave", "blur"]) button.addEventListener(off, () => (line.innerHTML = rest));
  }
}
main.addEventListener("htmx:afterSettle", dress);

main.addEventListener("click", (e) => {
  const tab = e.target.closest("[data-picture], [data-clip]");
  if (tab) return look(tab);
  const button = e.target.closest("button[data-key], button[data-digit]");
  if (!button) return;
  if (button.dataset.digit) reject(button);
  else press(button.dataset.key);
});

function look(tab) {
  for (const other of every("[data-picture], [data-clip]", main)) other.setAttribute("aria-selected", String(other === tab));
  for (const said of ["camera", "at", "saw", "last"]) $(`#shot-${said}`).textContent = tab.dataset[said];
  const picture = $("#picture");
  const clip = $("#clip");
  if (picture) picture.hidden = Boolean(tab.dataset.clip);
  if (clip) clip.hidden = !tab.dataset.clip;
  if (tab.dataset.clip) {
    if (!clip.src.endsWith(tab.dataset.clip)) clip.src = tab.dataset.clip;
    clip.play().catch(() => {}); // it was taken away before it could begin
  } else {
    clip?.pause();
    picture.src = tab.dataset.picture;
  }
}

/** V: the clip, from the still and back to it; while it shows, V pauses and goes on. */
function watch() {
  const tab = $("[data-key=v]", main);
  const clip = $("#clip");
  if (!tab) return false;
  if (tab.getAttribute("aria-selected") !== "true") look(tab);
  else if (clip.paused) clip.play().catch(() => {});
  else clip.pause();
  return true;
}

// under a clip stands what its clock showed, and how far that is from the alarm
main.addEventListener("timeupdate", (e) => {
  const tab = $("[data-clip][aria-selected=true]", main);
  if (e.target.id !== "clip" || !tab) return;
  const at = Date.parse(tab.dataset.begun) + e.target.currentTime * 1000;
  const from = Math.round((at - Date.parse(tab.dataset.raised)) / 1000);
  const said = from < 0 ? e.target.dataset.before : e.target.dataset.after;
  $("#shot-at").textContent = `${clock(at)} ${tab.dataset.at.split(" ").at(-1)}${Number.isNaN(from) ? "" : ` · ${Math.abs(from)} ${said}`}`;
}, true);

function unlock() {
  missing = pane().dataset.number;
  for (const button of every("[data-key=y], [data-key=n]", main)) button.disabled = false;
  $("[data-key=x]", main)?.remove();
  $("#shut")?.remove();
  $("#then").hidden = false;
}

// Deciding -------------------------------------------------------------------
const seen = () => {
  const picture = $("#picture");
  return Boolean(picture ? picture.complete && picture.naturalWidth : $("#clip")?.readyState >= 2);
};
const onScreen = () => pane()?.dataset.number && pane().dataset.number === current()?.dataset.number;

const provisional = () => "provisional" in pane().dataset; // filed by itself: endorsed or recalled
const judged = () => pane().dataset.state === "suspected" || provisional();

function confirm() {
  if (judged()) decide("verdict", { verdict: "confirmed" });
  else decide("acts", { name: "file" });
}

function reject(button) {
  if (button.dataset.verdict) decide("verdict", { verdict: button.dataset.verdict, reason: button.dataset.reason });
  else decide("acts", { name: "refuse", reason: button.dataset.reason });
}

async function decide(path, said) {
  const { number, version, state } = pane().dataset;
  if (!onScreen() || deciding.has(number)) return;
  const facts = { expected_version: +version };
  if (judged()) Object.assign(facts, { evidence_viewed: seen(), evidence_missing: missing === number });
  if (state === "suspected" && !facts.evidence_viewed && !facts.evidence_missing) return;
  deciding.add(number);
  const row = current();
  const list = rows();
  const at = list.indexOf(row);
  drop(row);
  select(list[at + 1] || list[at - 1]);
  const answer = await send("POST", `/api/v1/events/${number}/${path}`, { ...said, ...facts });
  deciding.delete(number);
  if (answer.ok) {
    missing = null;
    htmx.trigger("#last", "refresh");
  } else {
    banner = { number, text: conflict(answer.data) };
    await refresh(true);
    const again = numbers(queue).get(number);
    if (again) select(again);
    else {
      current()?.removeAttribute("aria-current");
      open(number);
    }
  }
}

function conflict(problem) {
  if (!problem.actor || !problem.at) return problem.detail;
  return `${main.dataset.faster} ${problem.actor}, ${clock(Date.parse(problem.at))} (${problem.action}). ${main.dataset.nothing}`;
}

function drop(row) {
  const list = row.closest("ul");
  row.parentElement.remove();
  if (list.children.length) return recount(list);
  list.previousElementSibling?.remove();
  list.remove();
}
const recount = (list) => (list.previousElementSibling.lastElementChild.textContent = list.children.length);

async function undo() {
  const toast = $("#last .toast");
  if (!toast) return;
  const answer = await send("POST", `/api/v1/events/${toast.dataset.number}/undo`, {});
  if (answer.ok) {
    await refresh(true);
    const row = numbers(queue).get(toast.dataset.number);
    if (row) select(row);
  } else {
    banner = { number: pane()?.dataset.number, text: conflict(answer.data) };
    dress();
  }
  htmx.trigger("#last", "refresh");
}
$("#last").addEventListener("click", (e) => e.target.closest("#undo") && undo());

setInterval(() => {
  const toast = $("#last .toast");
  if (!toast) return;
  const ms = Date.parse(toast.dataset.undoUntil) - now();
  $("[data-left]", toast).textContent = Math.max(0, Math.ceil(ms / 1000));
  $(".bar", toast).style.transform = `scaleX(${Math.max(0, ms / 30_000)})`;
  if (ms <= 0) toast.remove();
}, 250);

// What is new ----------------------------------------------------------------
let asked = 0;
async function refresh(apply = false) {
  const turn = ++asked;
  let list;
  try {
    const answer = await fetch("/triage/queue", { signal: AbortSignal.timeout(15_000) });
    if (!answer.ok) return;
    list = document.createElement("div");
    list.innerHTML = await answer.text(); // rendered and escaped by the hub
  } catch {
    return; // the state of the line says so already
  }
  if (turn !== asked && !apply) return; // a later one is on its way
  const latest = numbers(list);
  for (const number of deciding) latest.delete(number);
  const size = $("[data-waiting]", list)?.dataset.waiting || "";
  $("#waiting").textContent = size === "0" ? "" : size;
  $("#queue-size").textContent = size === "0" ? "" : `${size} ${queue.dataset.waiting}`;
  document.title = document.title.replace(/^(\(\d+\) )?/, size && size !== "0" ? `(${size}) ` : "");
  announce(latest);
  newest = list;
  if (apply || !rows().length) return show();
  const shown = numbers(queue);
  let gone = 0;
  for (const [number, row] of shown) {
    const fresh = latest.get(number);
    const changed = fresh ? fresh.dataset.stamp !== row.dataset.stamp : !row.classList.contains("held");
    if (!fresh) {
      gone += 1;
      row.classList.add("held");
      $(".when", row).textContent = queue.dataset.gone;
    } else if (changed) {
      row.classList.remove("held");
      row.innerHTML = fresh.innerHTML;
      row.dataset.stamp = fresh.dataset.stamp;
    }
    if (changed && row === current() && !deciding.has(number)) open(number);
  }
  const added = [...latest.keys()].filter((number) => !shown.has(number)).length;
  arrived.hidden = added + gone === 0;
  const parts = [added && `${added} ${queue.dataset.new}`, gone && `${gone} ${queue.dataset.gone}`].filter(Boolean);
  $("span", arrived).textContent = `${added ? queue.dataset.show + " " : ""}${parts.join(" · ")}`;
  pins();
}

function show() {
  if (!newest) return;
  const number = current()?.dataset.number;
  for (const waiting of deciding) newest.querySelector(`[data-row="${waiting}"]`)?.remove();
  queue.replaceChildren(...newest.childNodes);
  newest = null;
  arrived.hidden = true;
  htmx.process(queue);
  filter();
  const row = number && numbers(queue).get(number);
  if (row) row.setAttribute("aria-current", "true");
  else if (rows().length && !number) select(rows()[0], false);
  pins();
}
arrived.addEventListener("click", show);

const known = new Set(numbers(queue).keys());
function announce(latest) {
  const urgent = [...latest].filter(([number, row]) => !known.has(number) && row.dataset.severity === "S1");
  for (const number of latest.keys()) known.add(number);
  if (!urgent.length) return;
  $("#announce").textContent = `${queue.dataset.s1}: ${urgent.map(([, row]) => $(".what", row).innerText).join(", ")}`;
  if (sound.getAttribute("aria-pressed") === "true") beep();
}

const sound = $("#sound");
let audio = null;
sound.addEventListener("click", () => {
  const on = sound.getAttribute("aria-pressed") !== "true";
  sound.setAttribute("aria-pressed", String(on));
  sound.textContent = on ? sound.dataset.on : sound.dataset.off;
  if (on) beep();
});
function beep() {
  audio ??= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  volume.gain.value = 0.08;
  tone.frequency.value = 880;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.25);
}

// One list at a time, and the next soon after it: however fast changes come, the queue follows.
let stale = false;
let following = false;
async function changed() {
  stale = true;
  if (following) return;
  following = true;
  try {
    while (stale) {
      await new Promise((ready) => setTimeout(ready, 150)); // what comes together is read together
      stale = false;
      await refresh();
    }
  } finally {
    following = false;
  }
}
hear(["event", "evidence", "resync"], changed);

// Filter, map, keys ------------------------------------------------------------
const search = $("#filter");
function filter() {
  const words = search.value.trim().toLowerCase();
  for (const item of every("[data-row]", queue)) item.hidden = words !== "" && !`${item.innerText} ${item.dataset.row}`.toLowerCase().includes(words);
}
search.addEventListener("input", filter);
search.addEventListener("keydown", (e) => {
  if (e.key === "Escape") (search.value = ""), filter();
  if (e.key === "Escape" || e.key === "Enter") search.blur(), rows()[0] && select(rows()[0]);
});

const map = window.L && new GridMap($("#map"));
function pins() {
  const placed = rows().filter((row) => row.dataset.lon);
  map?.draw(
    placed.map((row) => ({ number: row.dataset.number, severity: row.dataset.severity, lon: +row.dataset.lon, lat: +row.dataset.lat, title: $(".what", row).innerText.replace(/\s+/g, " ") })),
    (number) => select(numbers(queue).get(number)),
  );
}

function press(key) {
  const button = $(`[data-key="${key}"]`, main);
  if (key === "v") return watch();
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1), true;
  if (!button || button.disabled || !(onScreen() || key === "o")) return false;
  if (key === "y") confirm();
  else if (key === "n") {
    main.dataset.mode = "reject";
    $(".reasons .btn", main)?.focus({ preventScroll: true });
  } else if (key === "x") unlock();
  else if (key === "o") button.click();
  return true;
}
onKeys((key) => {
  if (key === "Escape" && main.dataset.mode === "reject") return (main.dataset.mode = "decide"), current()?.focus({ preventScroll: true }), true;
  if (main.dataset.mode === "reject" && /^[1-9]$/.test(key)) {
    const button = $(`[data-digit="${key}"]`, main);
    if (button) return reject(button), true;
  }
  if (key === "z") return undo(), true;
  if (key === "d") return $("#last a")?.click(), true;
  if (key === ".") return show(), true;
  if (key === "/") return search.focus(), true;
  if ("jkynxov".includes(key)) return press(key);
});

if (!current() && rows().length) select(rows()[0], false);
else dress();
pins();
