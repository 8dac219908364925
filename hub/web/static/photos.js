// Photos chosen or dropped: shown at once, sent one after the other with their progress, removable.
import { $ } from "./console.js";

const MOST = 16;
const zh = document.documentElement.lang.startsWith("zh");

export class Photos {
  constructor(root) {
    this.list = $(".shots", root);
    this.shots = []; // {item, done: Promise of the digest, or of null where it failed}
    this.last = Promise.resolve();
    const drop = (this.drop = $(".drop", root));
    const input = $("input", drop);
    input.addEventListener("change", () => {
      this.add(input.files);
      input.value = ""; // the same file may be chosen again
    });
    drop.addEventListener("keydown", (e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), input.click()));
    for (const kind of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(kind, (e) => {
        e.preventDefault();
        drop.classList.toggle("over", kind === "dragover");
        if (kind === "drop") this.add(e.dataTransfer.files);
      });
    }
  }

  add(files) {
    for (const file of files) {
      if (this.shots.length >= MOST) return this.say(this.list.dataset.most);
      this.show(file);
    }
  }

  show(file) {
    const item = document.createElement("li");
    const picture = Object.assign(document.createElement("img"), { alt: file.name, width: 96, height: 72 });
    const canvas = document.createElement("canvas"); // the pages' policy shows no blob: and no data:
    createImageBitmap(file).then((bitmap) => {
      canvas.width = 96;
      canvas.height = 72;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", file.name);
      canvas.getContext("2d").drawImage(bitmap, 0, 0, 96, 72);
      picture.replaceWith(canvas);
    }, () => picture.remove());
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    const told = Object.assign(document.createElement("small"), { textContent: `${file.name} · ${this.list.dataset.sending}` });
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: this.list.dataset.remove });
    item.append(picture, bar, told, remove);
    this.list.append(item);
    const shot = { item };
    shot.done = this.last.then(() => (shot.removed ? null : this.send(file, bar, told)));
    this.last = shot.done.catch(() => null);
    this.shots.push(shot);
    remove.addEventListener("click", () => {
      shot.removed = true;
      this.shots = this.shots.filter((s) => s !== shot);
      item.remove();
      this.drop.focus({ preventScroll: true });
    });
  }

  send(file, bar, told) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest(); // fetch tells no progress
      const failed = (detail) => {
        told.textContent = `${file.name}: ${detail}`;
        told.className = "bad-ink";
        bar.remove();
        resolve(null);
      };
      request.open("POST", "/api/v1/evidence/photos");
      request.responseType = "json";
      request.timeout = 180_000;
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.upload.onprogress = (e) => e.lengthComputable && (bar.value = e.loaded / e.total);
      request.onload = () => {
        if (request.status !== 201) return failed(request.response?.detail ?? `HTTP ${request.status}`);
        bar.remove();
        told.textContent = file.name;
        resolve(request.response.digest);
      };
      request.onerror = request.ontimeout = () => failed(zh ? "未能上传，请移除后重试" : "it could not be sent: remove it and try again");
      request.send(file);
    });
  }

  say(text) {
    const item = Object.assign(document.createElement("li"), { className: "bad-ink", textContent: text });
    this.list.append(item);
    setTimeout(() => item.remove(), 5000);
  }

  /** The digests once all are sent; null where one failed and was not removed. */
  async sent() {
    const digests = await Promise.all(this.shots.map((shot) => shot.done));
    return digests.includes(null) ? null : digests;
  }
}
