// Parameters: what was changed is said before it is sent; what came of it is read from the agent.
import { $, every, send } from "./console.js";

const choose = $("#choose");
choose?.addEventListener("change", (e) => {
  if (e.target.name === "agent") choose.stream.disabled = choose.kind.disabled = true;
  if (e.target.name === "stream") choose.kind.disabled = true;
  choose.submit();
});

const form = $("#knobs");
const tell = $("#tell");
const read = (knob) => {
  const text = $("input, select", knob).value;
  if (knob.dataset.type === "boolean") return text === "true";
  if (knob.dataset.type === "number" || knob.dataset.type === "integer") return text === "" ? null : Number(text);
  return text;
};
const changes = () => Object.fromEntries(every(".knob", form).map((knob) => [knob, read(knob)]).filter(([knob, value]) => JSON.parse(knob.dataset.value) !== value).map(([knob, value]) => [knob.dataset.name, value]));

function say() {
  const changed = changes();
  for (const knob of every(".knob", form)) knob.classList.toggle("changed", knob.dataset.name in changed);
  const list = Object.entries(changed).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  $("#send").disabled = !list.length;
  tell.textContent = list.length ? `${tell.dataset.will} ${list.join(", ")} ${tell.dataset.on}` : tell.dataset.rest;
}

if (form) {
  form.addEventListener("input", say);
  $("#reset").addEventListener("click", () => (form.reset(), say()));
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    $("#send").disabled = true;
    const answer = await send("PUT", form.dataset.path, { parameters: changes(), note: form.note.value });
    $(".refused", form).textContent = answer.ok ? "" : answer.data.detail;
    if (answer.ok) htmx.trigger(document.body, "sent");
    say();
  });
  // what the agent reports in force becomes the measure of what is changed; typed text stays
  document.body.addEventListener("htmx:afterSettle", () => {
    const force = JSON.parse($("#state [data-force]")?.dataset.force || "{}");
    for (const knob of every(".knob", form)) {
      if (!(knob.dataset.name in force)) continue;
      const text = JSON.stringify(force[knob.dataset.name]);
      if (knob.dataset.value === text) continue;
      const untouched = JSON.parse(knob.dataset.value) === read(knob);
      knob.dataset.value = text;
      $(".set .strong", knob).textContent = text === '""' ? form.dataset.empty : text;
      if (untouched) $("input, select", knob).value = force[knob.dataset.name];
    }
    say();
  });
}
