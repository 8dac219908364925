// What every page does: the clock of the district, countdowns, the state of the line, single keys.

export const $ = (selector, root = document) => root.querySelector(selector);
export const every = (selector, root = document) => [...root.querySelectorAll(selector)];
const body = document.body;
const zone = body.dataset.zone;
const zh = document.documentElement.lang.startsWith("zh");

// The browser's clock may be wrong; deadlines count by the hub's.
const ahead = Date.parse(body.dataset.now) - Date.now();
export const now = () => Date.now() + ahead;

const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(zh ? "zh-CN" : "en-GB", zh ? { timeZone: zone, month: "long", day: "numeric", weekday: "short" } : { timeZone: zone, weekday: "short", day: "numeric", month: "short" });
export const clock = (ms) => time.format(ms);
const date = (ms) => {
  const parts = Object.fromEntries(day.formatToParts(ms).map((p) => [p.type, p.value]));
  return zh ? `${parts.month}${parts.month.endsWith("月") ? "" : "月"}${parts.day}日 ${parts.weekday}` : `${parts.weekday} ${parts.day} ${parts.month}`;
};

/** 0:38, 12:05, 5:10 h, 2 d; "+" before what is over. */
export function left(ms) {
  const s = Math.floor(Math.abs(ms) / 1000);
  const over = ms < 0 ? "+" : "";
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${over}${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${over}${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)} h`;
  return `${over}${Math.floor(s / 86400)} d`;
}

export function tick() {
  const at = now();
  const shown = $("#clock");
  if (shown) shown.firstChild.data = `${date(at)}, ${clock(at)} `;
  for (const element of every("[data-until]")) {
    const until = Date.parse(element.dataset.until);
    const text = left(until - at);
    if (element.textContent !== text) element.textContent = text;
    element.classList.toggle("s1-ink", until - at < 60_000);
    element.classList.toggle("s2-ink", until - at >= 60_000 && until - at < 120_000);
    const over = $("[data-over]", element.parentElement);
    if (over) {
      over.hidden = until >= at;
      over.previousElementSibling.hidden = until < at;
    }
    const meter = $("[data-meter]", element.parentElement);
    if (meter) {
      const whole = until - Date.parse(element.dataset.from);
      meter.setAttribute("width", (132 * Math.min(1, Math.max(0, (until - at) / whole))).toFixed(1));
    }
  }
}
tick();
setInterval(tick, 1000);

// The line to the hub. A short break is no news; a longer one is told.
let broken = null;
function line(state) {
  if (state === "live") {
    clearTimeout(broken);
    broken = null;
    body.dataset.live = "live";
  } else if (broken === null && body.dataset.live !== "offline") {
    const since = now();
    body.dataset.live = "connecting";
    broken = setTimeout(() => {
      $("#lost-at").textContent = clock(since);
      body.dataset.live = "offline";
    }, 3000);
  }
}
body.addEventListener("htmx:sseOpen", () => line("live"));
body.addEventListener("htmx:sseError", () => (line("broken"), stillIn()));
body.addEventListener("htmx:sseClose", () => line("broken"));
addEventListener("offline", () => line("broken"));

// A session that has ended: to the sign-in and back, unless somebody has typed what would be lost.
const typed = () => every("input:not([type=hidden]), textarea").some((f) => f.type === "radio" || f.type === "checkbox" ? f.checked !== f.defaultChecked : f.value !== f.defaultValue);
function signedOut() {
  if (typed()) $("#signed-out").hidden = false;
  else location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}
let asking = false;
async function stillIn() {
  if (asking) return;
  asking = true;
  const answer = await fetch("/api/v1/me").catch(() => null);
  asking = false;
  if (answer?.status === 401) signedOut();
}

/** A day and time as a field holds it, said in the district's zone, as a moment: browsers elsewhere and days of another offset included. */
export function inDistrict(value) {
  const wanted = Date.parse(`${value}Z`);
  const shown = (ms) => {
    const p = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).formatToParts(ms).map((q) => [q.type, q.value]));
    return Date.parse(`${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}Z`);
  };
  const first = wanted - (shown(wanted) - wanted);
  return new Date(first - (shown(first) - wanted)).toISOString();
}

/** Ask the API; never throws. {ok, status, data}: data is the answer or the problem document. */
export async function send(method, path, data, headers = {}) {
  try {
    const answer = await fetch(path, { method, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(data), signal: AbortSignal.timeout(15_000) });
    if (answer.status === 401) signedOut();
    return { ok: answer.ok, status: answer.status, data: await answer.json().catch(() => ({})) };
  } catch {
    return { ok: false, status: 0, data: { detail: zh ? "服务器无响应，没有任何更改。恢复后请再试。" : "The hub does not answer. Nothing was changed; try again once the line is back." } };
  }
}

/** Call back with the id of what changed, for each of these topics of the live stream. */
export function hear(topics, call) {
  const ear = document.createElement("span");
  ear.hidden = true;
  ear.setAttribute("hx-trigger", topics.map((topic) => `sse:${topic}`).join(", "));
  body.append(ear); // modules run before htmx looks over the page, which it does once all are loaded
  for (const topic of topics) ear.addEventListener(`sse:${topic}`, (e) => call(topic, JSON.parse(e.detail?.data || "{}").id));
}

// The bell: how many notices are unread, as it changes.
const bell = $("#unread");
async function ring() {
  const answer = await fetch("/api/v1/notices?unread=true&limit=1").catch(() => null);
  if (!answer?.ok) return;
  const { unread } = await answer.json();
  bell.textContent = unread >= 1000 ? "999+" : unread || "";
}
if (bell) {
  ring();
  hear(["notice", "resync"], ring);
}

const typing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]");
/** Single keys; none with Ctrl, Alt or Meta, none while somebody types. */
export function onKeys(handle) {
  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing || e.repeat && !"jk".includes(e.key) || typing(e.target)) return;
    if ($("dialog[open]") && e.key !== "?") return;
    if (handle(e.key.length === 1 ? e.key.toLowerCase() : e.key, e) === true) e.preventDefault();
  });
}
document.addEventListener("click", (e) => every("details.menu[open]").forEach((menu) => menu.contains(e.target) || menu.removeAttribute("open")));
addEventListener("keydown", (e) => {
  const menu = e.key === "Escape" && !e.isComposing && ($("details.menu[open]") || e.target.closest("details[open]"));
  if (menu) menu.removeAttribute("open"), $("summary", menu).focus();
});
$(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // on a telephone the row of pages is longer than the screen
const help = $("#help");
const showHelp = () => (help.open ? help.close() : help.showModal());
onKeys((key) => {
  if (key === "?") return showHelp(), true;
  if (key === "r" && !body.classList.contains("report")) return location.assign("/report"), true;
  const anew = key === "." && $("#changed:not([hidden]) a");
  if (anew) return anew.click(), true;
});
$("#keys")?.addEventListener("click", showHelp);

/** Load the page anew after an act; the focus comes back to the part of the page that it was made in. */
export function reload(form) {
  const part = form.closest("[data-part]")?.dataset.part;
  if (part) sessionStorage.setItem("part", part);
  location.reload();
}
const part = sessionStorage.getItem("part");
if (part) {
  sessionStorage.removeItem("part");
  (every("[data-part]").find((p) => p.dataset.part === part) || $("#main")).focus(); // a case may have left the list
}

/** A button that is pressed rests while its act goes on; it can be pressed again, and has the focus it had, unless the act says that it is done. */
export async function resting(button, act) {
  const held = button === document.activeElement;
  button.disabled = true;
  if (await act()) return;
  button.disabled = false;
  if (held) button.focus({ preventScroll: true });
}

// Forms that ask the API: data-act names the path, each field a member of the body.
document.addEventListener("submit", async (e) => {
  const form = e.target.closest("form[data-act]");
  if (!form) return;
  e.preventDefault();
  const button = $("button[type=submit], button:not([type])", form);
  if (button.disabled) return; // a key sends it, too
  const told = $(".refused", form);
  const members = { ...JSON.parse(form.dataset.body || "{}") };
  for (const [name, value] of new FormData(form)) if (String(value).trim() !== "") members[name] = value === "on" ? true : form.elements[name].type === "datetime-local" ? inDistrict(value) : value;
  await resting(button, async () => {
    const answer = await send("POST", form.dataset.act, members);
    const done = answer.ok && answer.data.outcome !== null;
    told.textContent = (done ? answer.data.told : answer.data.detail) ?? ""; // refused, or done with and refused again
    if (done) setTimeout(() => reload(form), answer.data.told ? 2000 : 0);
    return done;
  });
});
