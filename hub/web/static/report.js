// A report by a person: the place from the map or by hand, sent once however often it is pressed.
import { $, every, resting, send } from "./console.js";
import { GridMap } from "./map.js";
import { Photos } from "./photos.js";

const form = $("#report");
const told = $("#cell");
const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; // of this page: a repeated request is the same report
const map = window.L && new GridMap($("#map"), { pick: (at) => put(at.lat.toFixed(6), at.lng.toFixed(6)) });
map?.show({});

function put(lat, lon) {
  form.lat.value = lat;
  form.lon.value = lon;
  locate();
}

async function locate() {
  if (form.lat.value === "" || form.lon.value === "" || !form.lat.checkValidity() || !form.lon.checkValidity()) return;
  const place = { lat: +form.lat.value, lon: +form.lon.value };
  map?.draw([{ ...place, severity: "S2", title: "" }]);
  const answer = await fetch(`/api/v1/grid/at?lon=${place.lon}&lat=${place.lat}`).catch(() => null);
  if (!answer) return;
  const cell = answer.ok ? await answer.json() : null;
  told.textContent = cell ? `${told.dataset.cell} ${cell.code.slice(9, 12)}-${cell.code.slice(12)} · ${document.documentElement.lang === "zh-CN" ? cell.name_zh : cell.name_en}` : told.dataset.none;
  for (const other of every("#map .here")) other.classList.remove("here");
  map?.cells.get(cell?.code)?.getElement()?.classList.add("here");
}
for (const field of [form.lat, form.lon]) field.addEventListener("change", locate);

const exact = form.subcategory;
const all = every("option", exact);
form.addEventListener("change", (e) => {
  if (e.target.name !== "category") return;
  exact.replaceChildren(...all.filter((o) => !o.value || o.dataset.category === e.target.value));
  exact.value = "";
});
exact.addEventListener("change", () => {
  const category = exact.selectedOptions[0]?.dataset.category;
  if (category) form.category.value = category;
});

const photos = new Photos($("#photos"));

form.addEventListener("submit", async (e) => {
  e.preventDefault();
  const button = $("button.primary", form);
  await resting(button, async () => {
    const evidence = await photos.sent();
    if (!evidence) return; // the photo itself says why
    const answer = await send("POST", "/api/v1/reports", { description: form.description.value, lat: +form.lat.value, lon: +form.lon.value, category: form.category.value, subcategory: exact.value || null, evidence }, { "Idempotency-Key": key });
    if (answer.ok) location.assign(`/events/${answer.data.number}`);
    else $(".refused", form).textContent = answer.data.detail;
    return answer.ok;
  });
});
