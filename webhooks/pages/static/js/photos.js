// Photos of a form: uploaded as soon as they are chosen, each with its thumbnail, its progress and its trouble.

import { Problem, upload, uuid } from "./api.js";
import { keep, kept } from "./keep.js";
import { t } from "./strings.js";
import { byId, make } from "./views.js";

const MOST_BYTES = 10 * 1024 * 1024;

export class Photos {
  constructor(name, edited) {
    this.name = name;
    this.input = byId(name);
    this.list = byId(`${name}-list`);
    this.most = Number(this.input.dataset.most);
    this.edited = () => edited(this.input);
    this.items = [];
    this.input.addEventListener("change", () => this.choose([...this.input.files]));
  }

  get ids() {
    return this.items.map(({ id }) => id).filter(Boolean);
  }

  choose(files) {
    this.input.value = ""; // the same photo may be chosen again
    const room = this.most - this.items.length;
    for (const file of files.slice(0, room)) this.begin(file);
    this.refresh();
    if (files.length > room) byId(`${this.name}-count`).textContent = t("photos.many", { most: this.most });
  }

  begin(file) {
    const item = { name: file.name, file, key: uuid(), id: null, trouble: "" };
    item.element = this.draw(item, URL.createObjectURL(file));
    this.items.push(item);
    this.list.append(item.element);
    if (file.size > MOST_BYTES) this.stop(item, t("photos.large"), false);
    else this.send(item);
  }

  // The same key at every try: an upload whose answer was lost is not kept twice.
  send(item) {
    this.tell(item, t("photos.sending", { percent: 0 }));
    item.sending = upload("/files", item.file, item.key, (part) => this.progress(item, part)).then(
      ({ data }) => this.ready(item, data.file_id),
      (problem) => this.stop(item, wordsFor(problem), !problem.refused),
    );
  }

  progress(item, part) {
    item.element.querySelector("progress").value = part;
    this.tell(item, t("photos.sending", { percent: Math.floor(part * 100) }));
  }

  ready(item, id) {
    item.id = id;
    this.tell(item, t("photos.ready"));
    item.element.classList.add("ready");
    this.remember();
  }

  stop(item, trouble, again) {
    item.trouble = trouble;
    this.tell(item, trouble);
    item.element.classList.add("failed");
    item.element.querySelector(".again").hidden = !again;
  }

  retry(item) {
    item.trouble = "";
    item.element.classList.remove("failed");
    item.element.querySelector(".again").hidden = true;
    this.send(item);
  }

  remove(item) {
    this.items = this.items.filter((one) => one !== item);
    URL.revokeObjectURL(item.element.querySelector("img")?.src ?? "");
    item.element.remove();
    this.remember();
    this.refresh();
    this.input.focus();
  }

  tell(item, text) {
    item.element.querySelector(".state").textContent = text;
  }

  refresh() {
    this.list.hidden = this.items.length === 0;
    byId(`${this.name}-add`).hidden = this.items.length >= this.most;
    byId(`${this.name}-count`).textContent = this.most > 1 && this.items.length > 0 ? t("photos.count", { count: this.items.length, most: this.most }) : "";
    this.edited();
  }

  // The ids of all photos once none is under way any more, or what the form is to say instead.
  async settled() {
    await Promise.all(this.items.map(({ sending }) => sending));
    if (this.items.some(({ trouble }) => trouble)) {
      const errors = [{ field: this.name, message: t("photos.unfinished") }];
      throw new Problem(422, { code: "invalid", detail: t("photos.unfinished"), errors });
    }
    return this.ids;
  }

  remember() {
    keep(`photos:${this.name}`, this.items.filter(({ id }) => id).map(({ id, name }) => ({ id, name })));
  }

  // After a reload their pictures are gone from this page, but not from the server.
  restore() {
    for (const { id, name } of kept(`photos:${this.name}`) ?? []) {
      const item = { name, id, trouble: "" };
      item.element = this.draw(item, "");
      item.element.classList.add("ready");
      this.tell(item, t("photos.ready"));
      this.items.push(item);
      this.list.append(item.element);
    }
    this.refresh();
  }

  empty() {
    this.items = [];
    this.list.replaceChildren();
    this.remember();
    this.refresh();
  }

  draw(item, address) {
    const picture = make("img", { src: address || null, alt: "", hidden: !address });
    picture.addEventListener("error", () => {
      picture.hidden = true; // a kind this browser does not show
    });
    const remove = make("button", { type: "button", class: "remove", "aria-label": t("photos.remove", { name: item.name }) }, "✕");
    const again = make("button", { type: "button", class: "link again", hidden: true }, t("form.retry"));
    remove.addEventListener("click", () => this.remove(item));
    again.addEventListener("click", () => this.retry(item));
    const told = make("div", { class: "told" }, make("b", {}, item.name), make("small", { class: "state", role: "status" }), again);
    return make("li", { class: "photo" }, make("div", { class: "thumb" }, picture), told, make("progress", { max: 1, value: 0, "aria-hidden": "true" }), remove);
  }
}

function wordsFor(problem) {
  return problem.errors?.[0]?.message ?? problem.message ?? t("trouble.server");
}
