// Small building blocks: elements, texts, times.
export const facts = JSON.parse(document.getElementById("facts").textContent);
export const t = facts.texts;

export const byId = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "onclick") node.addEventListener("click", value);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const clock = new Intl.DateTimeFormat(facts.locale, { hour: "2-digit", minute: "2-digit" });
export const time = (iso) => el("time", { datetime: iso }, clock.format(new Date(iso)));

const tints = ["#0b6b46", "#1d5fa8", "#7a3fa0", "#a0471d", "#8a2f52", "#3d5a1e"];
export function avatar(name) {
  const sum = [...name].reduce((total, one) => total + one.codePointAt(0), 0);
  return el("span", { class: "face", "aria-hidden": "true", style: { background: tints[sum % tints.length] } }, [...name][0] || "?");
}

// Addresses in running text become links, as in LINE.
export function linked(text, open) {
  const parts = String(text).split(/(https?:\/\/[^\s]+)/);
  return parts.map((part, index) => {
    if (index % 2 === 0) return part;
    const link = el("a", { href: part, target: "_blank", rel: "noopener" }, part);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      open({ type: "uri", uri: part });
    });
    return link;
  });
}
