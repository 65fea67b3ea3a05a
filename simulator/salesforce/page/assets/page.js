// The org browser edits through the org's own API, as any client does.
"use strict";

const texts = JSON.parse(document.getElementById("page-texts").textContent);
const API = "/services/data/v62.0/sobjects";
const ZONE = "+08:00";
let accessToken = null;

async function token(fresh) {
  if (!accessToken || fresh) {
    const answer = await fetch("/_simulator/credentials");
    accessToken = (await answer.json()).access_token;
  }
  return accessToken;
}

async function call(method, path, body, again = false) {
  const answer = await fetch(API + path, {
    method,
    headers: {
      Authorization: `Bearer ${await token(again)}`,
      "Content-Type": "application/json",
      "Sforce-Call-Options": "client=SfdcInternalAPI/",
      "Sforce-Auto-Assign": "FALSE",
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401 && !again) return call(method, path, body, true);
  const text = await answer.text();
  let content = null;
  try {
    content = text ? JSON.parse(text) : null;
  } catch {
    content = [{ errorCode: String(answer.status), message: answer.statusText }];
  }
  return { ok: answer.ok, content };
}

function toast(text, bad = false) {
  const shown = document.getElementById("toast");
  shown.textContent = text;
  shown.className = bad ? "toast on bad" : "toast on";
  setTimeout(() => { shown.className = "toast"; }, 3500);
}

// ---- one field ----
const inputs = () => [...document.querySelectorAll("#record [data-kind][name]")];
const held = (input) => (input.dataset.kind === "checkbox" ? (input.checked ? "true" : "") : input.value);
const isDirty = (input) => held(input) !== input.dataset.was;

function apiValue(input) {
  const value = held(input);
  switch (input.dataset.kind) {
    case "checkbox": return value === "true";
    case "datetime-local": return value ? new Date(value + ZONE).toISOString() : null;
    case "number": return value.trim() === "" ? null : (Number.isNaN(Number(value)) ? value : Number(value));
    default: return value === "" ? null : value;
  }
}

function put(input, value) {
  if (input.dataset.kind === "checkbox") input.checked = value === "true";
  else input.value = value;
}

function mark() {
  const dirty = inputs().filter(isDirty);
  for (const input of inputs()) input.closest(".field").classList.toggle("dirty", isDirty(input) && Boolean(recordId()));
  const bar = document.getElementById("save-bar");
  if (bar && recordId()) bar.hidden = dirty.length === 0;
}

const form = () => document.getElementById("record");
const recordId = () => form()?.dataset.id;
const recordKind = () => form()?.dataset.kind;

// ---- errors, in the API's own words ----
function clearErrors() {
  const all = document.getElementById("errors");
  all.hidden = true;
  all.textContent = "";
  for (const field of document.querySelectorAll(".field.wrong")) field.classList.remove("wrong");
  for (const error of document.querySelectorAll(".field .error")) { error.hidden = true; error.textContent = ""; }
}

function showErrors(errors) {
  const list = Array.isArray(errors) ? errors : [{ errorCode: "", message: texts.failed }];
  const all = document.getElementById("errors");
  all.textContent = list.map((e) => `${e.errorCode}: ${e.message}`).join("\n");
  all.hidden = false;
  let first = null;
  for (const error of list) {
    for (const name of error.fields ?? []) {
      const field = document.querySelector(`.field[data-name="${CSS.escape(name)}"]`);
      const place = field?.querySelector(".error");
      if (!place) continue;
      field.closest("details")?.setAttribute("open", "");
      field.classList.add("wrong");
      place.textContent = error.message;
      place.hidden = false;
      first = first ?? field.querySelector("input, select, textarea");
    }
  }
  if (first) {
    first.focus();
    first.scrollIntoView({ block: "center" });
  } else all.scrollIntoView({ block: "nearest" });
}

// ---- saving ----
async function save(values) {
  clearErrors();
  const buttons = [...document.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  try {
    const id = recordId();
    const path = id ? `/${recordKind()}/${id}` : `/${recordKind()}`;
    const { ok, content } = await call(id ? "PATCH" : "POST", path, values);
    if (!ok) {
      showErrors(content);
      return false;
    }
    if (!id) {
      location.href = `/?tab=${recordKind()}&id=${content.id}`;
      return true;
    }
    for (const name of Object.keys(values)) {
      const input = document.getElementById(`f-${name}`);
      if (input) input.dataset.was = held(input);
    }
    toast(texts.saved);
    await refresh();
    return true;
  } catch {
    toast(texts.failed, true);
    return false;
  } finally {
    for (const button of buttons) button.disabled = false;
    mark();
  }
}

function submit(event) {
  event.preventDefault();
  const chosen = inputs().filter((input) => isDirty(input) || (!recordId() && held(input) !== ""));
  save(Object.fromEntries(chosen.map((input) => [input.name, apiValue(input)])));
}

async function saveField(name, value, text) {
  const input = document.getElementById(`f-${name}`);
  if (await save({ [name]: value })) {
    if (input) { put(input, text); input.dataset.was = text; }
    mark();
  }
}

async function remove() {
  if (!confirm(texts.really_delete)) return;
  const { ok, content } = await call("DELETE", `/${recordKind()}/${recordId()}`);
  if (ok) location.href = `/?tab=${recordKind()}`;
  else showErrors(content);
}

// ---- following the org: what others change appears, what is being typed stays ----
async function refresh() {
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.body.dataset.changes = fresh.body.dataset.changes;
  if (answer.status === 404) {
    document.getElementById("main").replaceWith(fresh.getElementById("main"));
    return;
  }
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (now && now.innerHTML !== part.innerHTML) replaceContent(part, now);
  }
  const count = fresh.getElementById("count");
  if (count) document.getElementById("count").textContent = count.textContent;
  if (recordId()) refreshFields(fresh);
}

function replaceContent(part, now) {
  const before = new Map([...part.querySelectorAll("tr[data-row]")].map((row) => [row.dataset.row, row.innerHTML]));
  part.innerHTML = now.innerHTML;
  for (const row of part.querySelectorAll("tr[data-row]")) {
    if (before.get(row.dataset.row) !== row.innerHTML) row.classList.add("changed");
  }
}

let missed = false;

function refreshFields(fresh) {
  let meanwhile = false;
  for (const input of inputs()) {
    const now = fresh.getElementById(input.id);
    if (!now || now.dataset.was === input.dataset.was) continue;
    if (isDirty(input)) {
      meanwhile = meanwhile || held(input) !== now.dataset.was;
      input.dataset.was = now.dataset.was;
      continue;
    }
    if (input === document.activeElement) {
      // A date half typed looks empty: wait until the person leaves the field.
      missed = true;
      continue;
    }
    if (input.tagName === "SELECT") input.innerHTML = now.innerHTML;
    put(input, now.dataset.was);
    input.dataset.was = now.dataset.was;
    input.closest(".field").classList.add("changed");
  }
  for (const shown of document.querySelectorAll("[data-shown]")) {
    const now = fresh.querySelector(`[data-shown="${shown.dataset.shown}"]`);
    if (now && now.innerHTML !== shown.innerHTML) shown.innerHTML = now.innerHTML;
  }
  document.title = fresh.title;
  if (meanwhile) document.getElementById("meanwhile").hidden = false;
  mark();
}

async function follow() {
  const live = document.getElementById("live");
  for (;;) {
    try {
      const answer = await fetch(`/_page/changes?since=${document.body.dataset.changes}`);
      const { changes } = await answer.json();
      live.className = "live";
      live.textContent = texts.live;
      if (String(changes) !== document.body.dataset.changes) await refresh();
    } catch {
      live.className = "live off";
      live.textContent = texts.offline;
      await new Promise((resolve) => { setTimeout(resolve, 2000); });
    }
  }
}

function tomorrowMorning() {
  const taipei = new Date(Date.now() + (8 + 24) * 3600 * 1000).toISOString();
  return `${taipei.slice(0, 10)}T09:00`;
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-chip]");
  if (chip) saveField(chip.dataset.chip, chip.value, chip.value);
});
if (form()) {
  form().addEventListener("submit", submit);
  form().addEventListener("input", mark);
  form().addEventListener("focusout", () => {
    if (!missed) return;
    missed = false;
    setTimeout(refresh);
  });
  document.getElementById("cancel").addEventListener("click", () => {
    if (!recordId()) { history.back(); return; }
    for (const input of inputs()) put(input, input.dataset.was);
    document.getElementById("meanwhile").hidden = true;
    clearErrors();
    mark();
  });
  document.getElementById("delete")?.addEventListener("click", remove);
  const appointment = document.getElementById("appointment");
  if (appointment) {
    const input = document.getElementById(`f-${appointment.dataset.field}`);
    appointment.value = input.value || tomorrowMorning();
    document.getElementById("appoint").addEventListener("click", () => {
      if (!appointment.value) return;
      const moment = new Date(appointment.value + ZONE).toISOString();
      saveField(appointment.dataset.field, moment, appointment.value);
    });
  }
}
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
follow();
