// Flex messages, simplified: boxes, texts, buttons, pictures, with their spacing, weight and colour.
import { el } from "./dom.js";

const spaces = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const sizes = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29, "3xl": 35, "4xl": 48, "5xl": 74 };
const widths = { nano: 120, micro: 160, deca: 220, hecto: 241, kilo: 260, mega: 300, giga: 300 };
const alignment = { start: "left", end: "right", center: "center" };

const px = (value, table) => (value === undefined ? null : value in table ? `${table[value]}px` : /^\d+px$/.test(value) ? value : null);

export function flex(contents, act) {
  if (contents.type !== "carousel") return bubble(contents, act);
  return contents.contents.map((one) => bubble(one, act));
}

function bubble(contents, act) {
  const blocks = ["header", "hero", "body", "footer"]
    .filter((name) => contents[name])
    .map((name) => {
      const block = el("div", { class: `flex-${name}` }, component(contents[name], act, "vertical"));
      const style = contents.styles && contents.styles[name];
      if (style && style.backgroundColor) block.style.background = style.backgroundColor;
      return block;
    });
  return el("div", { class: "card flex-card", style: { width: `${widths[contents.size] || widths.mega}px` } }, ...blocks);
}

function component(part, act, within) {
  const make = makers[part.type];
  if (!make) return null;
  const node = make(part, act);
  const margin = px(part.margin, spaces);
  if (margin) node.style[within === "vertical" ? "marginTop" : "marginLeft"] = margin;
  if (within !== "vertical") node.style.flex = `${part.flex ?? 1} 1 0`;
  if (part.flex === 0) node.style.flex = "none";
  if (part.action && part.type !== "button") tappable(node, part.action, act);
  return node;
}

function tappable(node, action, act) {
  node.setAttribute("role", "button");
  node.tabIndex = 0;
  node.addEventListener("click", () => act(action));
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter") act(action);
  });
}

function box(part, act) {
  const node = el("div", { class: "flex-box" });
  const upright = part.layout === "vertical";
  Object.assign(node.style, {
    flexDirection: upright ? "column" : "row",
    alignItems: part.layout === "baseline" ? "baseline" : part.alignItems || "",
    justifyContent: part.justifyContent || "",
    gap: px(part.spacing, spaces) || "",
    padding: px(part.paddingAll, spaces) || "",
    background: part.backgroundColor || "",
    borderRadius: px(part.cornerRadius, spaces) || "",
  });
  node.append(...part.contents.map((child) => component(child, act, part.layout)).filter(Boolean));
  return node;
}

function text(part) {
  const node = el("p", { class: part.wrap ? "flex-text" : "flex-text one-line" });
  Object.assign(node.style, {
    fontSize: px(part.size, sizes) || "16px",
    fontWeight: part.weight === "bold" ? "700" : "",
    color: part.color || "",
    textAlign: alignment[part.align] || "",
    textDecoration: part.decoration || "",
  });
  if (part.contents && part.contents.length) node.append(...part.contents.map(span));
  else node.append(part.text || "");
  return node;
}

function span(part) {
  const style = { color: part.color || "", fontWeight: part.weight === "bold" ? "700" : "" };
  return el("span", { style }, part.text || "");
}

function button(part, act) {
  const style = part.style || "link";
  const node = el("button", { type: "button", class: `flex-button ${style}`, onclick: () => act(part.action) }, part.action.label || "");
  if (part.color && style === "primary") node.style.background = part.color;
  return node;
}

const makers = {
  box,
  text,
  span,
  button,
  image: (part) => el("img", { src: part.url, alt: "", class: "flex-image", loading: "lazy" }),
  icon: (part) => el("img", { src: part.url, alt: "", class: "flex-icon", loading: "lazy" }),
  separator: () => el("hr"),
  filler: () => el("div", { class: "flex-filler" }),
  video: (part) => el("img", { src: part.previewUrl, alt: "", class: "flex-image" }),
};
