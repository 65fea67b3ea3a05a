// LINE's side of the page: the LIFF SDK, who the visitor is, the chat it was opened from.

import { keep, kept } from "./keep.js";
import { settings } from "./strings.js";

const LOGIN_AGAIN_AFTER_MS = 60_000;
const CLOSE_WAITS_MS = 2_000;
const CHATS = ["utou", "group", "room"];

let saying = Promise.resolve();

export class NoLine extends Error {}

export async function enter() {
  if (!window.liff) throw new NoLine();
  await liff.init({ liffId: settings.liff_id, withLoginOnExternalBrowser: true });
  if (!liff.isLoggedIn()) {
    liff.login({ redirectUri: location.href });
    await new Promise(() => {});
  }
  await followLanguage();
}

// Inside LINE the app's language may differ from the phone's, which Accept-Language told the server.
async function followLanguage() {
  if (settings.language_chosen || !liff.isInClient()) return;
  const wanted = primary(liff.getLanguage?.() ?? "");
  const locale = settings.locales.find((name) => primary(name) === wanted);
  if (!locale || locale === settings.locale) return;
  const here = new URL(location.href);
  here.searchParams.set("lang", locale);
  location.replace(here);
  await new Promise(() => {});
}

const primary = (language) => language.split("-")[0].toLowerCase();

export const idToken = () => liff.getIDToken() ?? "";

// A stored token is never renewed by init or a reload; only a fresh opening brings a new one.
export function loginAgain() {
  if (Date.now() - (kept("login-again") ?? 0) < LOGIN_AGAIN_AFTER_MS) return false;
  keep("login-again", Date.now());
  const reopen = liff.isInClient() && liff.permanentLink?.createUrl?.();
  liff.logout?.();
  if (reopen) location.replace(reopen);
  else liff.login({ redirectUri: location.href });
  return true;
}

export function fromChat() {
  return Boolean(liff.isInClient() && CHATS.includes(liff.getContext()?.type));
}

// The webhook of this message carries a reply token, so the answer costs nothing. Without it, it is pushed.
export function sayInChat(text) {
  saying = Promise.resolve()
    .then(() => liff.sendMessages([{ type: "text", text }]))
    .catch(() => {});
}

export async function close() {
  await Promise.race([saying, new Promise((done) => setTimeout(done, CLOSE_WAITS_MS))]);
  liff.closeWindow();
}

export function canScan() {
  if (typeof liff.scanCodeV2 !== "function") return false;
  return typeof liff.isApiAvailable !== "function" || liff.isApiAvailable("scanCodeV2");
}

export async function scan() {
  return (await liff.scanCodeV2())?.value ?? "";
}
