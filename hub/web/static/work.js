// What waits for one: forms with photos, and a word when there is something new.
import { $, every, hear, reload, resting, send } from "./console.js";
import { Photos } from "./photos.js";

for (const form of every("form[data-photos]")) {
  const photos = new Photos($(".photos", form));
  form.addEventListener("change", () => ($(".refused", form).textContent = ""));
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    e.stopPropagation(); // the forms without photos are sent by every page
    const told = $(".refused", form);
    await resting($("button.primary", form), async () => {
      const evidence = await photos.sent();
      if (!evidence?.length && form.dataset.photos) told.textContent = form.dataset.photos;
      else if (evidence) {
        const members = { ...JSON.parse(form.dataset.body), evidence };
        for (const [name, value] of new FormData(form)) if (typeof value === "string" && value.trim()) members[name] = value;
        const answer = await send("POST", form.dataset.act, members);
        if (answer.ok) reload(form);
        else told.textContent = answer.data.detail;
        return answer.ok;
      }
    });
  });
}

// Nothing moves under the hand: what is new is told, the reader asks for it.
const main = $("#main");
const shown = every("article.case").map((c) => c.getAttribute("aria-label")).sort().join();
async function compare() {
  const answer = await fetch("/api/v1/work").catch(() => null);
  if (!answer?.ok) return;
  const work = await answer.json();
  const cases = [...work.tasks.map((m) => m.case), ...work.to_accept, ...work.to_handle, ...work.to_help];
  $("#changed").hidden = cases.map((c) => c.number).sort().join() === shown && String(cases.length) === main.dataset.work;
}
let later = null;
hear(["event", "notice", "resync"], () => {
  clearTimeout(later);
  later = setTimeout(compare, 500);
});
