import { call, submit } from "./api.js";
import { boot } from "./boot.js";
import { dateName, today } from "./calendar.js";
import { Form } from "./form.js";
import { canScan, fromChat, sayInChat, scan } from "./line.js";
import { Photos } from "./photos.js";
import { settings, t } from "./strings.js";
import { hyphenate, isCode, readCode, shownCode } from "./unitcode.js";
import { address, byId, show } from "./views.js";

const LOOKS = 10;
const LOOK_EVERY_MS = 1_500;
const ABOUT_THE_CODE = ["unknown_code", "code_claimed"];

let member = null;

const form = new Form(byId("registration"), {
  check,
  send,
  accepted,
  refused: codeRefused,
});

const proof = new Photos("proof", (input) => form.edited(input));

async function send() {
  await proof.settled();
  return submit("register", "/registrations", answers());
}

function answers() {
  const { code, purchased_on, shop } = byId("registration").elements;
  const given = {
    code: readCode(code.value),
    purchased_on: purchased_on.value,
    from_chat: fromChat(),
    ...(proof.ids.length > 0 && { proof: proof.ids[0] }),
  };
  return shop.value.trim() ? { ...given, shop: shop.value.trim() } : given;
}

function check() {
  const { code, purchased_on } = byId("registration").elements;
  const errors = {};
  if (!isCode(code.value)) errors.code = t(code.value.trim() ? "register.code_wrong" : "register.code_missing");
  if (!purchased_on.value) errors.purchased_on = t("register.date_missing");
  else if (purchased_on.value > today()) errors.purchased_on = t("register.date_future");
  return errors;
}

function codeRefused(problem) {
  return ABOUT_THE_CODE.includes(problem.code) && form.point({ code: problem.message });
}

async function accepted({ status, data }) {
  const { code } = answers();
  form.dropDraft();
  proof.empty();
  byId("done-title").textContent = t(status === 200 ? "register.again_title" : "register.done_title");
  byId("done-code").textContent = shownCode(code);
  byId("done-product").textContent = t("register.looking");
  byId("invite").hidden = Boolean(member);
  byId("go-repair").hidden = !member;
  byId("go-repair").href = address("/liff/repair", { registration: data.registration_id });
  warranty(t(member ? "register.counting" : "register.warranty_after_bind"), Boolean(member));
  show("done");
  await watch(data.registration_id, shownCode(code));
}

async function watch(id, code) {
  let said = !fromChat();
  for (let look = 0; look < LOOKS; look += 1) {
    const mine = await find(id);
    byId("done-product").textContent = mine?.product?.name ?? code;
    if (!said) sayInChat(t("register.chat_line", { product: mine?.product?.name ?? code }));
    said = true;
    if (mine?.warranty_until) {
      warranty(dateName(mine.warranty_until));
      return;
    }
    if (!member) return;
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
  warranty(t("register.warranty_later"));
}

async function find(id) {
  try {
    const { data } = await call("GET", "/registrations");
    return data.find(({ registration_id }) => registration_id === id);
  } catch {
    return undefined;
  }
}

function warranty(text, waiting = false) {
  byId("done-warranty").textContent = text;
  byId("done-warranty").classList.toggle("waiting", waiting);
}

async function scanCode() {
  let value = "";
  try {
    value = await scan();
  } catch {
    // The user closed the camera or did not allow it; the code can be typed.
  }
  if (!value) return;
  byId("code").value = shownCode(value);
  form.edited(byId("code"));
  if (!isCode(value)) form.point({ code: t("register.scan_other") });
}

function empty() {
  const { code, purchased_on, shop } = byId("registration").elements;
  code.value = "";
  shop.value = "";
  purchased_on.value = today();
}

function begin(me) {
  const { code, purchased_on } = byId("registration").elements;
  member = me.member;
  purchased_on.max = today();
  empty();
  form.restoreDraft();
  proof.restore();
  if (settings.code) code.value = shownCode(settings.code);
  purchased_on.value ||= today();
  byId("scan").hidden = !canScan();
  show("form", { focus: false });
}

hyphenate(byId("code"));
byId("scan").addEventListener("click", scanCode);
byId("another").addEventListener("click", () => {
  empty();
  show("form");
});
boot(begin);
