// The visiting times a user can offer: the next fourteen days, three parts of each.

import { dayName, nextDays } from "./calendar.js";
import { t } from "./strings.js";
import { byId, make } from "./views.js";

const DAYS = 14;
const DAYS_AT_FIRST = 5;
const MOST = 3;
const PARTS = ["AM", "PM", "EVENING"];

const boxes = () => [...byId("slots").querySelectorAll("input")];

export const slotsChosen = () => boxes().filter((box) => box.checked).map((box) => box.value);

export function slotName(slot) {
  const [day, part] = slot.split(" ");
  return `${dayName(day)} ${t(`repair.part_${part}`)}`;
}

export function offerSlots(form) {
  byId("slots").replaceChildren(...nextDays(DAYS).map(row));
  byId("slots").addEventListener("change", (event) => {
    if (slotsChosen().length > MOST) {
      event.target.checked = false;
      // The form would take this change for a mended field and clear the error.
      event.stopPropagation();
      form.keepDraft();
      form.point({ slots: t("repair.slots_many") });
    }
    count();
  });
  byId("more-days").addEventListener("click", showAllDays);
}

// After a draft came back: the days it holds are seen.
export function refreshSlots() {
  const hidden = byId("slots").querySelector("[hidden] input:checked");
  if (hidden) showAllDays();
  count();
}

function row(day, index) {
  const chips = PARTS.map((part) => {
    const value = `${day} ${part}`;
    const box = make("input", { type: "checkbox", name: "slots", value, "aria-label": slotName(value) });
    return make("label", { class: "chip" }, box, make("span", { "aria-hidden": "true" }, t(`repair.chip_${part}`)));
  });
  return make("div", { class: "slot-day", hidden: index >= DAYS_AT_FIRST }, make("b", { "aria-hidden": "true" }, dayName(day)), ...chips);
}

function showAllDays() {
  const first = byId("slots").querySelector("[hidden] input");
  for (const day of byId("slots").children) day.hidden = false;
  byId("more-days").hidden = true;
  first?.focus();
}

function count() {
  const chosen = slotsChosen().length;
  byId("slots-count").textContent = chosen ? t("repair.slots_count", { count: chosen, most: MOST }) : "";
}
