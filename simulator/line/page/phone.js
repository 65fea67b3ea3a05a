// The phone: one simulated person, their chat, their text messages, and the pages they open.
import { actionsOf, bubble } from "./bubbles.js";
import { avatar, byId, el, facts, t, time } from "./dom.js";
import { openSheet, sheetIsOpen } from "./sheet.js";

const SMS_STAYS_MS = 30_000;
const COPIED_STAYS_MS = 1_500;

const address = new URL(location.href);
let person = address.searchParams.get("user") || readCookie("sim_user");
let state = { people: [], items: [], sms: [], account: { name: "" } };
let seenSms = null;
let drawn = "";
let drawnFor = null;
let smsTimer;
let sending = Promise.resolve();

function readCookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? found.slice(name.length + 1) : null;
}

async function call(path, body) {
  const answer = await fetch(path, body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// Events go one after the other, so that quick taps keep their order.
function happen(event) {
  const path = `/_simulator/users/${person}/events`;
  sending = sending.then(() => call(path, event)).then(report).catch(() => toast(t.failed));
  return sending;
}

function report({ deliveries }) {
  const last = deliveries.at(-1);
  if (last && last.status !== 200) toast(t.undelivered.replace("{status}", last.status ?? t.no_answer));
}

let toastTimer;
function toast(text) {
  const node = byId("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 5000);
}

function act(action) {
  const run = {
    postback: () => tapPostback(action),
    message: () => happen({ type: "message", text: action.text }),
    uri: () => openSheet(action, person),
    datetimepicker: () => pickDate(action),
    clipboard: () => navigator.clipboard.writeText(action.clipboardText),
    camera: sendPicture,
    cameraRoll: sendPicture,
    location: () => happen({ type: "message", message: { type: "location", title: t.place_title, address: t.place_address, latitude: 25.033964, longitude: 121.564472 } }),
  }[action.type];
  if (run) run();
}

function tapPostback(action, params) {
  if (action.fillInText) byId("text").value = action.fillInText;
  happen({ type: "postback", data: action.data, params, display_text: action.displayText || action.text });
}

function sendPicture() {
  happen({ type: "message", message: { type: "image" } });
}

function pickDate(action) {
  const kinds = { date: "date", time: "time", datetime: "datetime-local" };
  const form = byId("date-form");
  Object.assign(form.elements.value, { type: kinds[action.mode], value: action.initial || "", min: action.min || "", max: action.max || "" });
  form.onsubmit = () => tapPostback(action, { [action.mode]: form.elements.value.value });
  byId("date-dialog").showModal();
}

// Drawing

const chosen = () => state.people.find((one) => one.user_id === person);

function draw() {
  if (!chosen()) person = state.people.at(-1)?.user_id ?? null;
  remember();
  const now = chosen();
  drawPeople();
  byId("account").textContent = state.account.name;
  document.querySelector(".avatar").replaceChildren(avatar(state.account.name));
  byId("friendship").textContent = now ? t[now.friendship] : state.account.basic_id;
  byId("welcome").hidden = Boolean(now);
  byId("chat").hidden = !now;
  byId("composer").hidden = !now || now.friendship !== "friend";
  byId("block").hidden = !now || now.friendship !== "friend";
  drawGate(now);
  drawQuick(now);
  drawMenu(now);
  drawChat();
  drawSms();
}

function remember() {
  if (!person) return;
  document.cookie = `sim_user=${person}; path=/; SameSite=Lax`;
  address.searchParams.set("user", person);
  history.replaceState(history.state, "", address);
}

function drawPeople() {
  const select = byId("person");
  const options = state.people.map((one) => el("option", { value: one.user_id, selected: one.user_id === person }, one.display_name));
  select.replaceChildren(...options);
  select.value = person || "";
  select.disabled = !options.length;
}

function drawGate(now) {
  const open = now && now.friendship !== "friend";
  byId("gate").hidden = !open;
  if (!open) return;
  byId("gate-hint").textContent = now.friendship === "blocked" ? t.blocked_hint : t.not_friend_hint;
  byId("follow").textContent = now.friendship === "blocked" ? t.unblock : t.add_friend;
}

function drawChat() {
  const mark = JSON.stringify([person, state.items, state.read_to, state.loading_seconds > 0, chosen()?.friendship]);
  if (mark === drawn) return;
  const list = byId("items");
  const grown = person !== drawnFor || state.items.at(-1)?.seq > Number(list.lastElementChild?.dataset.seq ?? 0);
  drawn = mark;
  drawnFor = person;
  const context = { act, readTo: state.read_to, accountName: state.account.name };
  const known = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const nodes = state.items.map((item) => {
    const key = `${person}/${item.seq}/${item.seq <= state.read_to}`;
    const node = known.get(key) || bubble(item, context);
    node.dataset.key = key;
    return node;
  });
  if (!nodes.length && chosen()?.friendship === "friend") nodes.push(el("li", { class: "notice" }, t.empty_chat));
  if (state.loading_seconds > 0) nodes.push(el("li", { class: "notice" }, t.typing));
  list.replaceChildren(...nodes);
  if (grown) byId("chat").scrollTop = byId("chat").scrollHeight;
}

function drawQuick(now) {
  const last = state.items.at(-1);
  const items = now?.friendship === "friend" && last?.direction === "out" ? last.message.quickReply?.items ?? [] : [];
  const quick = byId("quick");
  quick.hidden = !items.length;
  quick.replaceChildren(...items.map(({ action }) => el("button", { type: "button", onclick: () => act(action) }, action.label)));
}

// The account's last message with three or more buttons serves as the menu under the chat.
function drawMenu(now) {
  const menus = state.items.filter((item) => item.direction === "out").map((item) => actionsOf(item.message)).filter((actions) => actions.length >= 3);
  const actions = menus.at(-1)?.slice(0, 6) ?? [];
  byId("menu").hidden = !actions.length || now?.friendship !== "friend";
  const mark = JSON.stringify(actions);
  const holder = byId("menu-buttons");
  if (holder.dataset.mark === mark) return;
  holder.dataset.mark = mark;
  holder.replaceChildren(...actions.map((action) => el("button", { type: "button", onclick: () => act(action) }, action.label)));
}

function drawSms() {
  const newest = state.sms.at(-1);
  if (seenSms === null || newest === undefined) {
    seenSms = newest?.seq ?? 0;
    if (!newest) putSms();
    return;
  }
  if (newest.seq === seenSms) return;
  seenSms = newest.seq;
  const code = newest.text.match(/\d{6}/)?.[0];
  putSms(
    el(
      "div",
      { class: "sms-card" },
      el("div", { class: "sms-head" }, el("strong", {}, t.sms), el("span", {}, newest.to), time(newest.time)),
      el("p", {}, newest.text),
      el(
        "div",
        { class: "sms-buttons" },
        code ? el("button", { type: "button", onclick: (event) => copy(code, event.target) }, `${t.copy_code} ${code}`) : null,
        el("button", { type: "button", onclick: () => putSms() }, t.close),
      ),
    ),
  );
  leaveSms(SMS_STAYS_MS);
}

// The sheet makes room for the text message, so that it covers nothing that is being filled in.
function putSms(...cards) {
  clearTimeout(smsTimer);
  byId("sms").replaceChildren(...cards);
  document.querySelector(".phone").style.setProperty("--sms", `${byId("sms").offsetHeight}px`);
}

function leaveSms(after) {
  clearTimeout(smsTimer);
  smsTimer = setTimeout(putSms, after);
}

async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code);
  } catch {
    return; // Not allowed here: the code stays to be read.
  }
  button.textContent = t.copied;
  leaveSms(COPIED_STAYS_MS);
}

// Loading

let wanted = 0;
async function refresh() {
  const turn = ++wanted;
  const fresh = await call(`/_page/state?user=${encodeURIComponent(person ?? "")}`);
  if (turn !== wanted) return;
  const before = person;
  state = fresh;
  draw();
  if (person !== before) await refresh();
}

function listen() {
  const stream = new EventSource("/_page/stream");
  stream.onmessage = () => refresh().catch(() => {});
}

async function choose(userId) {
  person = userId;
  state = { ...state, items: [] };
  await refresh();
}

// Wiring

byId("person").addEventListener("change", (event) => choose(event.target.value));
byId("language").addEventListener("change", (event) => {
  address.searchParams.set("lang", event.target.value);
  location.assign(address);
});
for (const id of ["new-person", "welcome-new"]) byId(id).addEventListener("click", () => byId("person-dialog").showModal());
byId("person-cancel").addEventListener("click", () => byId("person-dialog").close());
byId("date-cancel").addEventListener("click", () => byId("date-dialog").close());
byId("person-form").addEventListener("submit", async (event) => {
  const fields = Object.fromEntries(new FormData(event.target));
  const made = await call("/_simulator/users", fields).catch(() => toast(t.failed));
  if (made) await choose(made.user_id);
});
byId("follow").addEventListener("click", () => happen({ type: "follow" }));
byId("block").addEventListener("click", () => happen({ type: "unfollow" }));
byId("send-picture").addEventListener("click", sendPicture);
byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = byId("text");
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  happen({ type: "message", text });
});
byId("menu-toggle").addEventListener("click", (event) => {
  const open = event.target.getAttribute("aria-expanded") === "true";
  event.target.setAttribute("aria-expanded", String(!open));
  byId("menu-buttons").hidden = open;
});
window.addEventListener("focus", () => remember());
setInterval(() => { if (state.loading_seconds > 0 && !sheetIsOpen()) refresh().catch(() => {}); }, 2000);

refresh().catch(() => toast(t.failed)).finally(listen);
