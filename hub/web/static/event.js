// One event: its place on the map, and a word when it has changed since.
import { $, hear, onKeys } from "./console.js";
import { GridMap } from "./map.js";

const here = $("#here");
const main = $("#main");
if (window.L) {
  const map = new GridMap($("#map"));
  if (here.dataset.lon) {
    const place = { cell: here.dataset.cell, lon: +here.dataset.lon, lat: +here.dataset.lat };
    map.show(place);
    map.draw([{ ...place, severity: here.dataset.severity, title: here.dataset.title }]);
  } else map.show({});
}

// Nothing moves under the hand: a change is told, the reader asks for it.
async function compare() {
  const answer = await fetch(`/api/v1/events/${main.dataset.event}`).catch(() => null);
  if (!answer?.ok) return;
  const event = await answer.json();
  const complete = event.evidence.filter((e) => e.complete).length;
  $("#changed").hidden = String(event.version) === main.dataset.version && String(complete) === main.dataset.complete;
}
hear(["event", "resync"], (topic, id) => {
  if (topic === "resync" || id === main.dataset.event) compare();
});

// One key takes what is proposed, one takes back what was done last.
const forms = { a: "#accept-proposal", z: "#undo" };
onKeys((key) => {
  const form = forms[key] && $(forms[key]);
  if (form) return form.requestSubmit(), true;
});
