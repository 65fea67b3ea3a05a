// One chat item as it looks on the phone.
import { avatar, el, linked, t, time } from "./dom.js";
import { flex } from "./flex.js";

const cards = ["template", "flex", "location"];

export function bubble(item, context) {
  const ours = item.direction === "in";
  const bodies = [].concat((makers[item.type] || unknown)(item.message, context));
  const several = bodies.length > 1 || item.message.template?.type?.includes("carousel");
  const content = several
    ? el("div", { class: "carousel", role: "group", tabindex: "0", "aria-label": t.carousel }, ...bodies)
    : bodies[0];
  const shape = several ? " wide tall" : cards.includes(item.type) ? " tall" : "";
  const meta = el("div", { class: "meta" }, ours && item.seq <= context.readTo ? el("span", {}, t.read) : null, time(item.time));
  return el(
    "li",
    { class: `item ${ours ? "mine" : "theirs"}${shape}`, "data-seq": item.seq },
    ours ? null : avatar(context.accountName),
    el("div", { class: "said" }, content, meta),
  );
}

function text(message, context) {
  const body = message.type === "textV2" ? message.text.replaceAll("{{", "{").replaceAll("}}", "}") : message.text;
  return el("div", { class: "balloon" }, ...linked(body, context.act));
}

function image(message) {
  const address = message.previewImageUrl || message.contentProvider?.previewImageUrl || message.contentProvider?.originalContentUrl || `/_page/picture/${message.id}`;
  return el("img", { class: "picture", src: address, alt: t.picture, width: 240, height: 180 });
}

const buttons = (actions, context) =>
  el("div", { class: "card-buttons" }, ...actions.map((action) => el("button", { type: "button", onclick: () => context.act(action) }, action.label)));

function card(part, context) {
  return el(
    "div",
    { class: "card" },
    part.thumbnailImageUrl ? el("img", { class: "card-image", src: part.thumbnailImageUrl, alt: "" }) : null,
    el("div", { class: "card-text" }, part.title ? el("strong", {}, part.title) : null, el("p", {}, part.text)),
    buttons(part.actions, context),
  );
}

const templates = {
  buttons: card,
  confirm: (part, context) => {
    const node = card(part, context);
    node.classList.add("confirm");
    return node;
  },
  carousel: (part, context) => part.columns.map((column) => card(column, context)),
  image_carousel: (part, context) =>
    part.columns.map((column) =>
      el(
        "button",
        { type: "button", class: "card picture-card", onclick: () => context.act(column.action) },
        el("img", { src: column.imageUrl, alt: "" }),
        el("span", {}, column.action.label || ""),
      ),
    ),
};

function place(message) {
  const title = message.title || `${message.latitude}, ${message.longitude}`;
  return el("div", { class: "card" }, el("div", { class: "card-text" }, el("strong", {}, title), el("p", {}, message.address || "")));
}

const unknown = (message) => el("div", { class: "balloon faint" }, `${t.unknown_message} (${message.type})`);

const makers = {
  text,
  textV2: text,
  image,
  location: place,
  sticker: (message) => el("div", { class: "sticker" }, message.keywords?.[0] || `${message.packageId}/${message.stickerId}`),
  template: (message, context) => templates[message.template.type](message.template, context),
  flex: (message, context) => flex(message.contents, context.act),
};

// Buttons of a message that could stand as a menu; those of a carousel belong to their cards.
export function actionsOf(message) {
  if (message.type === "template") return message.template.actions || [];
  if (message.type === "flex" && message.contents.type === "carousel") return [];
  const found = [];
  const walk = (part) => {
    if (!part || typeof part !== "object") return;
    if (part.type === "button") found.push(part.action);
    Object.values(part).forEach(walk);
  };
  if (message.type === "flex") walk(message.contents);
  return found;
}
