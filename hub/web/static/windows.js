// A new control window: times are the district's, whatever zone the browser is in.
import { $, send } from "./console.js";

const form = $("#window");
const at = (value) => (value ? `${value.length === 16 ? `${value}:00` : value}${form.dataset.offset}` : null);

form.addEventListener("submit", async (e) => {
  e.preventDefault();
  const button = $("button", form);
  const [agent, stream] = form.device.value ? [form.device.value.slice(0, form.device.value.indexOf("/")), form.device.value.slice(form.device.value.indexOf("/") + 1)] : [null, null];
  const wanted = {
    kind: form.kind.value,
    category: form.subcategory.selectedOptions[0]?.dataset.category || null,
    subcategory: form.subcategory.value || null,
    cells: form.cells.value.split(/\s+/).filter(Boolean),
    agent,
    stream,
    from_at: at(form.from_at.value),
    until_at: at(form.until_at.value),
    permit: form.permit.value,
    reason: form.reason.value,
    event: form.dataset.event || null,
  };
  button.disabled = true;
  const answer = await send("POST", "/api/v1/control-windows", wanted);
  button.disabled = false;
  if (answer.ok) location.assign("/windows");
  else $(".refused", form).textContent = answer.data.detail;
});
