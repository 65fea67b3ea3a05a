import { call } from "./api.js";
import { boot } from "./boot.js";
import { dateName, momentName } from "./calendar.js";
import { t } from "./strings.js";
import { shownCode } from "./unitcode.js";
import { address, byId, make, show } from "./views.js";

const EVERY_MS = 5_000;
let shown = "";
let timer = 0;

async function read() {
  const [repairs, products] = await Promise.all([list("/repair-requests"), list("/registrations")]);
  return { repairs, products };
}

// Who is not bound has no repairs, whichever way the API puts it.
async function list(path) {
  try {
    return newestFirst((await call("GET", path)).data);
  } catch (problem) {
    if (problem.code === "binding_required") return [];
    throw problem;
  }
}

const newestFirst = (rows) => [...rows].sort((a, b) => b.created_at.localeCompare(a.created_at));

function render({ repairs, products }) {
  const now = JSON.stringify([repairs, products]);
  if (now === shown) return;
  if (shown) byId("changed").textContent = t("requests.changed");
  shown = now;
  const names = new Map(products.map(({ registration_id, product, code }) => [registration_id, product?.name ?? shownCode(code)]));
  byId("repairs").replaceChildren(...repairs.map((repair) => repairCard(repair, names)));
  byId("products").replaceChildren(...products.map(productCard));
  byId("no-repairs").hidden = repairs.length > 0;
  byId("no-products").hidden = products.length > 0;
}

function repairCard({ symptom, status, case_number, visit_at, created_at, registration_id }, names) {
  return make(
    "li",
    { class: "card" },
    make("p", { class: "top" }, make("span", { class: `status ${status}` }, t(`requests.status_${status}`)), number(case_number)),
    make("h3", {}, symptom),
    names.has(registration_id) ? make("p", { class: "hint" }, names.get(registration_id)) : null,
    pairs([
      ["requests.visit", visit_at ? momentName(visit_at) : t("requests.visit_open")],
      ["requests.created", momentName(created_at)],
    ]),
  );
}

const number = (given) =>
  make("span", { class: "number" }, given ? t("requests.case", { number: given }) : t("requests.case_open"));

function productCard({ registration_id, product, code, serial, purchased_on, warranty_until }) {
  return make(
    "li",
    { class: "card" },
    make("h3", {}, product?.name ?? shownCode(code)),
    pairs([
      ["register.code", shownCode(code)],
      serial ? ["requests.serial", serial] : null,
      ["register.purchased_on", dateName(purchased_on)],
      ["register.warranty", warranty_until ? dateName(warranty_until) : t("requests.warranty_open")],
    ]),
    make("a", { class: "button quiet", href: address("/liff/repair", { registration: registration_id }) }, t("requests.repair_this")),
  );
}

function pairs(rows) {
  const cells = rows.filter(Boolean).flatMap(([key, value]) => [make("dt", {}, t(key)), make("dd", {}, value)]);
  return make("dl", {}, ...cells);
}

function later(wait = EVERY_MS) {
  clearTimeout(timer);
  timer = setTimeout(update, wait);
}

async function update() {
  if (document.visibilityState !== "visible") return;
  try {
    render(await read());
    byId("stale").hidden = true;
    later();
  } catch (problem) {
    byId("stale").hidden = false;
    later(Math.max(EVERY_MS, (problem.retryAfter ?? 0) * 1000));
  }
}

document.addEventListener("visibilitychange", () => {
  if (shown && document.visibilityState === "visible") later(0);
});

boot(async (me) => {
  byId("invite").hidden = Boolean(me.member);
  render(await read());
  show("lists", { focus: false });
  later();
});
