import { call, submit } from "./api.js";
import { boot } from "./boot.js";
import { answer, drawn, wrong } from "./fields.js";
import { Form } from "./form.js";
import { fromChat, sayInChat } from "./line.js";
import { settings, t } from "./strings.js";
import { address, byId, show } from "./views.js";

const VERSION = "1";
const PATH = `/forms/${encodeURIComponent(settings.form)}`;

let definition = null;
let consentAsked = false;

const element = byId("form-answers");
element.dataset.draft = `forms/${settings.form}`;

const form = new Form(element, {
  check,
  send: () => submit(`forms/${settings.form}`, PATH, sent()),
  accepted,
  refused: somethingLacks,
});

const answers = () => Object.fromEntries(definition.fields.map((field) => [field.name, answer(field, element)]));

const agreed = () => element.elements["consent-service"].checked;

function sent() {
  const body = { answers: answers(), from_chat: fromChat() };
  return consentAsked ? { ...body, consents: [{ purpose: "service", version: VERSION }] } : body;
}

function check() {
  const given = answers();
  const found = definition.fields.map((field) => [field.name, wrong(field, given[field.name])]);
  if (consentAsked && !agreed()) found.push(["consents", t("bind.consent_missing")]);
  return Object.fromEntries(found.filter(([, message]) => message));
}

function somethingLacks(problem) {
  if (problem.code === "binding_required") show("unbound");
  else if (problem.code === "not_found") show("gone");
  else if (problem.errors?.some(({ field }) => field === "consents")) askConsent();
  return ["binding_required", "not_found"].includes(problem.code);
}

function accepted() {
  form.dropDraft();
  if (fromChat()) sayInChat(t("answers.chat_line", { title: definition.title }));
  byId("form-thanks").textContent = definition.thanks;
  show("done");
}

function askConsent() {
  consentAsked = true;
  byId("form-consents").hidden = false;
}

function draw({ title, intro, fields }) {
  document.title = title;
  document.querySelector("h1").textContent = title;
  document.querySelector("[data-title]").textContent = title;
  byId("form-intro").textContent = intro ?? "";
  byId("form-intro").hidden = !intro;
  byId("form-fields").replaceChildren(...fields.map(drawn));
}

async function fetched() {
  try {
    return (await call("GET", PATH)).data;
  } catch (problem) {
    if (problem.code === "not_found") return null;
    throw problem;
  }
}

const gave = (me) => me.consents.some(({ purpose, given }) => purpose === "service" && given);

async function begin(me) {
  definition = await fetched();
  if (!definition) {
    show("gone", { focus: false });
    return;
  }
  draw(definition);
  if (definition.requires === "member" && !me.member) {
    byId("go-bind").href = address("/liff/bind", { next: `forms/${settings.form}` });
    show("unbound", { focus: false });
    return;
  }
  if (definition.requires === "friend" && !gave(me)) askConsent();
  form.restoreDraft();
  show("form", { focus: false });
}

boot(begin);
