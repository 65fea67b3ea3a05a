// The sheet over the chat: LIFF pages open inside the phone, other addresses beside it.
import { byId, facts } from "./dom.js";

let opener = null;

export const sheetIsOpen = () => !byId("sheet").hidden;

export function openSheet(action, person) {
  const uri = liffAddress(action.uri);
  if (!uri) {
    window.open(action.uri, "_blank", "noopener");
    return;
  }
  uri.searchParams.set("user", person);
  uri.searchParams.set("from", "chat");
  opener = document.activeElement;
  byId("sheet-title").textContent = action.label || uri.host;
  load(uri.href);
  byId("sheet").hidden = false;
  setBehind(true);
  byId("sheet-close").focus();
  if (!history.state?.sheet) history.pushState({ sheet: true }, "");
}

// A frame that is new has no past, so the way back leads to the chat and never to an empty sheet.
function load(address) {
  const old = byId("sheet-page");
  const fresh = old.cloneNode();
  fresh.src = address;
  old.replaceWith(fresh);
}

// liff.line.me and our own stand-in name the same apps.
function liffAddress(text) {
  let uri;
  try {
    uri = new URL(text);
  } catch {
    return null;
  }
  const parts = uri.pathname.split("/").filter(Boolean);
  const id = uri.host === "liff.line.me" ? parts[0] : parts[0] === "liff" ? parts[1] : null;
  if (!facts.liff_ids.includes(id)) return null;
  const path = uri.host === "liff.line.me" ? `/liff${uri.pathname}` : uri.pathname;
  return new URL(path + uri.search, location.origin);
}

// What lies under the sheet is out of reach; text messages and notices stay above it.
function setBehind(inert) {
  for (const node of document.querySelectorAll(".phone > :not(#sheet, #sms, #toast)")) node.inert = inert;
}

function close() {
  if (!sheetIsOpen()) return;
  byId("sheet").hidden = true;
  setBehind(false);
  load("about:blank");
  if (history.state?.sheet) history.back();
  if (opener) opener.focus();
}

byId("sheet-close").addEventListener("click", close);
window.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});
window.addEventListener("popstate", () => {
  if (!history.state?.sheet) close();
});
window.addEventListener("message", (event) => {
  const ours = event.source === byId("sheet-page").contentWindow;
  if (ours && event.data && event.data.type === "liff.closeWindow") close();
});
