import { call, submit } from "./api.js";
import { boot, trouble, whoIsHere } from "./boot.js";
import { Form } from "./form.js";
import { drop, keep, kept } from "./keep.js";
import { isMobile, maskedEmail, maskedPhone, plainPhone } from "./phone.js";
import { t } from "./strings.js";
import { address, byId, countDown, show } from "./views.js";

const VERSION = "1";
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const NEXT = ["register", "repair", "requests"];
const FORM = /^forms\/[a-z][a-z0-9_]*$/;

const query = new URLSearchParams(location.search);
let stopCounting = () => {};
let marketingWas = false;

const details = new Form(byId("details"), {
  check: checkDetails,
  send: () => submit("bind", "/bindings", answers()),
  accepted: ({ data }) => sent(data, answers()),
  refused: boundAlready,
});

const confirm = new Form(byId("confirm"), {
  check: () => (/^\d{6}$/.test(oneTimeCode()) ? {} : { code: t("bind.code_wrong_shape") }),
  send: () => submit("confirm", `/bindings/${encodeURIComponent(kept("challenge").challenge_id)}/confirm`, { code: oneTimeCode() }),
  accepted: bound,
  refused: codeRefused,
});

new Form(byId("unbind-form"), {
  send: () => call("DELETE", "/bindings/me"),
  accepted: () => show("unbound"),
});

function answers() {
  const { name, phone, email, marketing } = byId("details").elements;
  const consents = [{ purpose: "service", version: VERSION }];
  if (marketing.checked) consents.push({ purpose: "marketing", version: VERSION });
  const given = { name: name.value.trim(), phone: plainPhone(phone.value), consents };
  return email.value.trim() ? { ...given, email: email.value.trim() } : given;
}

function checkDetails() {
  const { name, phone, email, service } = byId("details").elements;
  const errors = {};
  if (!name.value.trim()) errors.name = t("bind.name_missing");
  if (!isMobile(phone.value)) errors.phone = t(phone.value.trim() ? "bind.phone_wrong" : "bind.phone_missing");
  if (email.value.trim() && !EMAIL.test(email.value.trim())) errors.email = t("bind.email_wrong");
  if (!service.checked) errors.consents = t("bind.consent_missing");
  return errors;
}

const oneTimeCode = () => byId("code").value.normalize("NFKC").replace(/\D/g, "");

function sent(challenge, given) {
  const now = Date.now();
  keep("challenge", {
    challenge_id: challenge.challenge_id,
    sent_to: challenge.sent_to,
    given,
    expires_at: now + challenge.expires_in * 1000,
    resend_at: now + challenge.resend_in * 1000,
  });
  byId("code").value = "";
  askForCode();
}

function askForCode() {
  const { sent_to, resend_at } = kept("challenge");
  byId("sent-to").textContent = t("bind.sent_to", { phone: sent_to });
  byId("resend-alert").textContent = "";
  show("code", { focus: false });
  byId("code").focus();
  waitToResend((resend_at - Date.now()) / 1000);
}

function waitToResend(seconds) {
  const button = byId("resend");
  stopCounting();
  stopCounting = countDown(
    seconds,
    (left) => {
      button.disabled = true;
      button.textContent = t("bind.resend_in", { seconds: left });
    },
    () => {
      button.disabled = false;
      button.textContent = button.dataset.label;
    },
  );
}

async function resend() {
  const button = byId("resend");
  if (button.disabled) return;
  button.disabled = true;
  byId("resend-alert").textContent = "";
  try {
    const { given } = kept("challenge");
    sent((await submit("bind", "/bindings", given)).data, given);
    confirm.say(t("bind.resent"));
  } catch (problem) {
    byId("resend-alert").textContent = problem.message;
    waitToResend(problem.retryAfter ?? 0);
  }
}

function codeRefused(problem) {
  if (["challenge_expired", "unknown_challenge"].includes(problem.code)) {
    byId("code").value = "";
    waitToResend(0);
    return false;
  }
  if (problem.code === "wrong_code") {
    confirm.point({ code: problem.message });
    byId("code").select();
    return true;
  }
  return boundAlready(problem);
}

function boundAlready(problem) {
  if (problem.code !== "already_bound") return false;
  forget();
  whoIsHere().then(begin).catch(trouble);
  return true;
}

async function bound() {
  const { given } = kept("challenge") ?? {};
  forget();
  show("done");
  const still = given?.consents.some(({ purpose }) => purpose === "marketing");
  if (marketingWas && given && !still) await consent(false).catch(() => {});
  whoIsHere().catch(() => {});
}

function forget() {
  stopCounting();
  drop("challenge");
  details.dropDraft();
}

const consent = (given) => submit("consent", "/consents", { purpose: "marketing", version: VERSION, given });

async function switchMarketing(event) {
  const box = event.target;
  const status = byId("marketing-status");
  box.disabled = true;
  try {
    await consent(box.checked);
    status.textContent = t("bind.saved");
  } catch (problem) {
    box.checked = !box.checked;
    status.textContent = problem.message;
  }
  box.disabled = false;
}

function offerOnward() {
  const next = query.get("next");
  const form = FORM.test(next ?? "");
  if (!form && !NEXT.includes(next)) return;
  const onward = byId("onward");
  onward.href = address(`/liff/${next}`, { registration: query.get("registration") });
  onward.textContent = form ? t("bind.onward_form") : t(`bind.onward_${next}`);
  onward.hidden = false;
  document.querySelector(`[data-next="${next}"]`)?.remove();
}

function showProfile({ name, phone, email }) {
  byId("profile-name").textContent = name;
  byId("profile-phone").textContent = maskedPhone(phone);
  byId("profile-email").textContent = maskedEmail(email) || t("bind.email_none");
  byId("marketing-now").checked = marketingWas;
  show("profile", { focus: false });
}

function showDetails(me) {
  if (!details.restoreDraft()) {
    const { service, marketing } = byId("details").elements;
    service.checked = gave(me, "service");
    marketing.checked = marketingWas;
  }
  show("details", { focus: false });
}

const gave = (me, wanted) =>
  me.consents.some(({ purpose, version, given }) => purpose === wanted && version === VERSION && given);

function begin(me) {
  marketingWas = gave(me, "marketing");
  offerOnward();
  if (me.member) showProfile(me.member);
  else if ((kept("challenge")?.expires_at ?? 0) > Date.now()) askForCode();
  else showDetails(me);
}

byId("resend").addEventListener("click", resend);
byId("change").addEventListener("click", () => {
  drop("challenge");
  show("details", { focus: false });
  details.restoreDraft();
  byId("phone").focus();
});
byId("marketing-now").addEventListener("change", switchMarketing);
byId("unbind").addEventListener("click", () => show("unbind"));
byId("keep").addEventListener("click", () => show("profile"));
boot(begin);
