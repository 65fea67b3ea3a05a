// The questions of a form that an admin wrote: one field of the page each, its answer, and what is wrong with it.

import { isPhone, plainPhone } from "./phone.js";
import { t } from "./strings.js";
import { make } from "./views.js";

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const KEYBOARDS = {
  phone: { type: "tel", inputmode: "tel", autocomplete: "tel", maxlength: 24 },
  email: { type: "email", inputmode: "email", autocomplete: "email", maxlength: 80, autocapitalize: "off" },
  number: { type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 20 },
  date: { type: "date" },
  text: { type: "text", autocomplete: "off" },
};

export function drawn(field) {
  if (field.type === "boolean") return tick(field);
  if (field.options.length > 0) return choices(field);
  return line(field);
}

export function answer(field, form) {
  const controls = form.elements;
  if (field.type === "boolean") return controls[field.name].checked;
  if (field.options.length > 0) {
    const chosen = [...form.querySelectorAll(`[name="${field.name}"]:checked`)].map(({ value }) => value);
    return field.type === "choices" ? chosen : (chosen[0] ?? null);
  }
  const text = controls[field.name].value.trim();
  if (text === "") return null;
  if (field.type === "phone") return plainPhone(text);
  if (field.type === "number") return number(text);
  return text;
}

export function wrong(field, given) {
  const blank = given === null || given === false || given.length === 0;
  if (blank) return field.required ? t(missing(field)) : "";
  if (field.type === "phone" && !isPhone(given)) return t("answers.phone_wrong");
  if (field.type === "email" && !EMAIL.test(given)) return t("bind.email_wrong");
  if (field.type === "number" && !Number.isFinite(given)) return t("answers.number_wrong");
  return "";
}

function missing({ type, options }) {
  if (type === "boolean") return "answers.tick";
  return options.length > 0 ? "answers.choose" : "answers.missing";
}

// Full-width digits come from Chinese and Japanese keyboards; thousands may be set apart.
const number = (text) => Number(text.normalize("NFKC").replace(/[,\s]/g, ""));

function line(field) {
  const told = { id: field.name, name: field.name, maxlength: field.max_length, ...described(field) };
  const control =
    field.type === "long text"
      ? make("textarea", { ...told, rows: 4 })
      : make("input", { ...told, ...KEYBOARDS[field.type] });
  const label = make("label", { for: field.name }, field.label, optional(field));
  return make("div", { class: "field", "data-field": field.name }, label, help(field), control, error(field));
}

function choices(field) {
  const type = field.type === "choices" ? "checkbox" : "radio";
  const offered = field.options.map(({ value, label }) => {
    const input = make("input", { type, name: field.name, value, ...described(field) });
    return make("label", { class: "choice plain" }, input, make("span", {}, label));
  });
  return make(
    "fieldset",
    { class: "field", "data-field": field.name },
    make("legend", {}, field.label, optional(field)),
    help(field),
    make("div", { class: "choices" }, ...offered),
    error(field),
  );
}

function tick(field) {
  const input = make("input", { type: "checkbox", id: field.name, name: field.name, value: "1", ...described(field) });
  const label = make("label", { class: "tick" }, input, make("span", {}, field.label, optional(field)));
  return make("div", { class: "field", "data-field": field.name }, label, help(field), error(field));
}

const described = (field) => ({
  "aria-required": field.required && "true",
  "aria-describedby": `${field.help ? `${field.name}-hint ` : ""}${field.name}-error`,
});

const help = (field) => (field.help ? make("p", { class: "hint", id: `${field.name}-hint` }, field.help) : null);

const error = (field) => make("p", { class: "error", id: `${field.name}-error`, hidden: true });

// A space of its own, so that label and remark are read as two.
function optional(field) {
  if (field.required) return null;
  const remark = make("span", { class: "optional" }, t("form.optional"));
  const both = document.createDocumentFragment();
  both.append(" ", remark);
  return both;
}
