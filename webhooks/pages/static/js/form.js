// One form: its draft, its errors, and a submission that happens once however often it is tapped.

import { drop, keep, kept } from "./keep.js";
import { t } from "./strings.js";
import { countDown } from "./views.js";

const SLOW_DOWN = [429, 503];
const WAIT_WHEN_UNTOLD_S = 5;

export class Form {
  constructor(element, { check = () => ({}), send, accepted, refused = () => false }) {
    this.element = element;
    this.button = element.querySelector("button[type=submit]");
    this.alert = element.querySelector("[data-alert]");
    this.steps = { check, send, accepted, refused };
    this.busy = false;
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    element.addEventListener("input", (event) => this.edited(event.target));
    element.addEventListener("change", (event) => this.edited(event.target));
  }

  async submit() {
    if (this.busy) return;
    this.busy = true;
    this.clear();
    const errors = this.steps.check();
    if (Object.keys(errors).length > 0) {
      this.busy = false;
      this.point(errors);
      return;
    }
    this.label(t("form.sending"), true);
    try {
      const answer = await this.steps.send();
      this.ready();
      await this.steps.accepted(answer);
    } catch (problem) {
      this.fail(problem);
    }
  }

  fail(problem) {
    if (problem.status === undefined) console.error(problem);
    this.ready();
    if (this.steps.refused(problem)) return;
    const errors = Object.fromEntries(problem.errors?.map(known(this.element)) ?? []);
    const pointed = this.point(errors);
    if (!pointed) this.say(problem.status === undefined ? t("trouble.server") : problem.message);
    if (SLOW_DOWN.includes(problem.status)) this.pause(problem.retryAfter ?? WAIT_WHEN_UNTOLD_S);
    else if (problem.unanswered || problem.status >= 500) this.label(t("form.retry"), false);
  }

  pause(seconds) {
    this.busy = true;
    countDown(
      seconds,
      (left) => this.label(t("form.wait", { seconds: left }), true, false),
      () => this.ready(),
    );
  }

  ready() {
    this.busy = false;
    this.label(this.button.dataset.label, false);
  }

  label(text, disabled, spinning = disabled) {
    this.button.firstElementChild.textContent = text;
    this.button.disabled = disabled;
    this.button.classList.toggle("spinning", spinning);
  }

  say(text) {
    this.alert.textContent = text;
    this.alert.scrollIntoView({ block: "center" });
  }

  // Errors go under their fields; the first in reading order gets the focus.
  point(errors) {
    let first = null;
    for (const field of this.element.querySelectorAll("[data-field]")) {
      const message = errors[field.dataset.field];
      if (!message) continue;
      mark(field, message);
      first ??= field;
    }
    control(first)?.focus();
    return first !== null;
  }

  clear() {
    this.alert.textContent = "";
    for (const field of this.element.querySelectorAll("[data-field]")) mark(field, "");
  }

  edited(control) {
    const field = control.closest("[data-field]");
    if (field) mark(field, "");
    if (!this.busy) this.ready();
    this.keepDraft();
  }

  keepDraft() {
    const { draft } = this.element.dataset;
    if (draft) keep(`draft:${draft}`, [...new FormData(this.element)]);
  }

  restoreDraft() {
    const draft = kept(`draft:${this.element.dataset.draft}`);
    if (!draft) return false;
    for (const control of this.element.querySelectorAll("input, textarea")) {
      const values = draft.filter(([name]) => name === control.name).map(([, value]) => value);
      if (control.type === "checkbox" || control.type === "radio") control.checked = values.includes(control.value);
      else if (values.length > 0) control.value = values[0];
    }
    return true;
  }

  dropDraft() {
    drop(`draft:${this.element.dataset.draft}`);
  }
}

// `slots.0` and `consents[1].purpose` belong to the fields `slots` and `consents`.
function known(form) {
  return ({ field, message }) => {
    const name = String(field ?? "").split(/[.[]/)[0];
    return [form.querySelector(`[data-field="${CSS.escape(name)}"]`) ? name : "", message];
  };
}

function mark(field, message) {
  const place = document.getElementById(`${field.dataset.field}-error`);
  place.textContent = message;
  place.hidden = !message;
  for (const input of field.querySelectorAll("input, textarea")) {
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

function control(field) {
  return field?.querySelector("input:checked, input:not([type=radio]), input, textarea") ?? null;
}
