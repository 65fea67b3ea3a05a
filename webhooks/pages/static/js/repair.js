import { call, submit } from "./api.js";
import { boot } from "./boot.js";
import { Form } from "./form.js";
import { fromChat, sayInChat } from "./line.js";
import { isPhone, plainPhone, readablePhone } from "./phone.js";
import { Photos } from "./photos.js";
import { offerSlots, refreshSlots, slotName, slotsChosen } from "./slots.js";
import { t } from "./strings.js";
import { shownCode } from "./unitcode.js";
import { address, byId, make, show } from "./views.js";

const OTHER = "other";
const query = new URLSearchParams(location.search);
let registrations = [];

const form = new Form(byId("repair"), {
  check,
  send,
  accepted,
  refused: bindingAsked,
});

const photos = new Photos("photos", (input) => form.edited(input));
const fields = byId("repair").elements;
const chosen = () => byId("registrations").querySelector("input:checked")?.value ?? "";

async function send() {
  await photos.settled();
  return submit("repair", "/repair-requests", answers());
}

function answers() {
  const which = chosen() === OTHER ? { product: fields.product.value.trim() } : { registration_id: chosen() };
  return {
    ...which,
    symptom: fields.symptom.value.trim(),
    description: fields.description.value.trim(),
    address: fields.address.value.trim(),
    slots: slotsChosen(),
    contact_phone: plainPhone(fields.contact_phone.value),
    urgency: fields.urgency.value,
    from_chat: fromChat(),
    ...(photos.ids.length > 0 && { photos: photos.ids }),
  };
}

function check() {
  const errors = {};
  if (!chosen()) errors.registration_id = t("repair.which_missing");
  if (chosen() === OTHER && !fields.product.value.trim()) errors.product = t("repair.product_missing");
  if (!fields.symptom.value.trim()) errors.symptom = t("repair.symptom_missing");
  if (!fields.address.value.trim()) errors.address = t("repair.address_missing");
  if (!isPhone(fields.contact_phone.value)) errors.contact_phone = t("repair.contact_phone_wrong");
  if (slotsChosen().length === 0) errors.slots = t("repair.slots_missing");
  return errors;
}

function bindingAsked(problem) {
  if (problem.code !== "binding_required") return false;
  show("unbound");
  return true;
}

function accepted() {
  const given = answers();
  const product = productOf(given);
  form.dropDraft();
  photos.empty();
  if (given.from_chat) sayInChat(t("repair.chat_line", { product, symptom: given.symptom }));
  byId("done-product").textContent = product;
  byId("done-symptom").textContent = given.symptom;
  byId("done-slots").replaceChildren(...given.slots.map((slot) => make("span", { class: "line" }, slotName(slot))));
  show("done");
}

function productOf(given) {
  const mine = registrations.find(({ registration_id }) => registration_id === given.registration_id);
  return given.product ?? mine?.product?.name ?? t("repair.my_product");
}

function offerProducts() {
  const mine = registrations.map(({ registration_id, product, code, serial }) =>
    choice(registration_id, product?.name ?? shownCode(code), serial || shownCode(code)),
  );
  byId("registrations").replaceChildren(...mine, choice(OTHER, t("repair.other"), t("repair.other_hint")));
}

function choice(value, name, remark) {
  const input = make("input", { type: "radio", name: "registration_id", value, "aria-describedby": "registration_id-error" });
  return make("label", { class: "choice" }, input, make("span", {}, make("b", {}, name), make("small", {}, remark)));
}

function choose(value) {
  const input = [...byId("registrations").querySelectorAll("input")].find((one) => one.value === value);
  if (input) input.checked = true;
  return Boolean(input);
}

function chooseTheOnlyOne() {
  const offered = byId("registrations").querySelectorAll("input");
  if (offered.length <= 2) offered[0].checked = true;
}

const followChoice = () => {
  byId("other-product").hidden = chosen() !== OTHER;
};

async function begin(me) {
  byId("go-bind").href = address("/liff/bind", { next: "repair", registration: query.get("registration") });
  if (!me.member) {
    show("unbound", { focus: false });
    return;
  }
  registrations = (await call("GET", "/registrations")).data;
  offerProducts();
  offerSlots(form);
  form.restoreDraft();
  photos.restore();
  if (!choose(query.get("registration")) && !chosen()) chooseTheOnlyOne();
  if (!fields.contact_phone.value && !me.member.phone?.includes("*")) fields.contact_phone.value = readablePhone(me.member.phone);
  followChoice();
  refreshSlots();
  show("form", { focus: false });
}

byId("registrations").addEventListener("change", followChoice);
boot(begin);
