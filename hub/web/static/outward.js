// The inbox, and the systems that are told.
import { $, every, hear, send } from "./console.js";

const wishes = $("#wishes");
wishes?.addEventListener("submit", async (e) => {
  e.preventDefault();
  const data = new FormData(wishes);
  const answer = await send("PUT", "/api/v1/notices/preferences", { mail: data.has("mail"), quiet_from: data.get("quiet_from"), quiet_to: data.get("quiet_to"), kinds_off: data.getAll("kinds_off") });
  $(".refused", wishes).textContent = answer.ok ? "" : answer.data.detail;
  $("#kept").textContent = answer.ok ? $("#kept").dataset.said : "";
});
if (wishes) hear(["notice"], () => fresh("#list"));

/** The part of the page as it is now; nothing else of the page is touched. */
async function fresh(selector) {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [now, then] = [$(selector), page.querySelector(selector)];
  if (now && then) now.replaceWith(then);
}

function showSecret(secret) {
  $("#secret-text").textContent = secret;
  $("#secret").hidden = false;
  $("#secret").scrollIntoView();
}
$("#secret-seen")?.addEventListener("click", () => location.assign("/webhooks"));

const adding = $("#add-webhook");
adding?.addEventListener("submit", async (e) => {
  e.preventDefault();
  const data = new FormData(adding);
  const answer = await send("POST", "/api/v1/webhooks", { url: data.get("url"), note: data.get("note"), cell: data.get("cell"), severities: data.getAll("severities"), steps: data.getAll("steps") });
  $(".refused", adding).textContent = answer.ok ? "" : answer.data.detail;
  if (answer.ok) showSecret(answer.data.secret);
});
for (const button of every("[data-rotate]")) {
  button.addEventListener("click", async () => {
    const answer = await send("POST", `/api/v1/webhooks/${button.dataset.rotate}/secret`, {});
    if (answer.ok) showSecret(answer.data.secret);
    else $(".refused", adding).textContent = answer.data.detail;
  });
}
for (const button of every("[data-remove]")) {
  button.addEventListener("click", async () => {
    if (!confirm(button.dataset.ask)) return;
    const answer = await send("DELETE", `/api/v1/webhooks/${button.dataset.remove}`, {});
    if (answer.ok) location.assign("/webhooks");
    else $(".refused", adding).textContent = answer.data.detail;
  });
}
