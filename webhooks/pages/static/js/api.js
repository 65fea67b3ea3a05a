// The LIFF JSON API: one call, its problems, and the key that makes a repeated submission one request.

import { drop, keep, kept } from "./keep.js";
import { idToken, loginAgain } from "./line.js";
import { settings, t } from "./strings.js";

const BASE = "/liff/api";
const TIMEOUT_MS = 15_000;
const UPLOAD_TIMEOUT_MS = 120_000;

export class Problem extends Error {
  constructor(status, { code, detail, title, errors, retry_after } = {}, retryAfter = null) {
    super(detail || title || t("trouble.server"));
    this.status = status;
    this.code = code ?? "unknown";
    this.errors = errors ?? [];
    this.retryAfter = retryAfter ?? retry_after ?? null;
  }

  // After these the server has acted on nothing, so the next try is a new attempt.
  get refused() {
    return this.status >= 400 && this.status < 500 && this.status !== 401 && this.status !== 408;
  }

  get unanswered() {
    return this.status === 0;
  }
}

export async function call(method, path, body, key) {
  const response = await answer(method, path, body, key);
  const data = await content(response);
  if (response.ok) return { status: response.status, data };
  if (response.status === 401 && loginAgain()) await new Promise(() => {});
  throw new Problem(response.status, data ?? {}, seconds(response.headers.get("Retry-After")));
}

export async function submit(action, path, body) {
  try {
    const answered = await call("POST", path, body, attemptKey(action, body));
    drop(`attempt:${action}`);
    return answered;
  } catch (problem) {
    if (problem.refused) drop(`attempt:${action}`);
    throw problem;
  }
}

// By XMLHttpRequest, since fetch does not tell how far it is.
export function upload(path, file, key, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file);
    request.open("POST", BASE + path);
    request.timeout = UPLOAD_TIMEOUT_MS;
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers(undefined, key))) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 201 && request.response) done({ status: 201, data: request.response });
      else if (request.status === 401 && loginAgain()) return;
      else failed(new Problem(request.status, request.response ?? {}, seconds(request.getResponseHeader("Retry-After"))));
    };
    request.onerror = () => failed(new Problem(0, { code: "unanswered", detail: t(navigator.onLine === false ? "trouble.offline" : "trouble.network") }));
    request.ontimeout = () => failed(new Problem(0, { code: "unanswered", detail: t("trouble.timeout") }));
    request.send(body);
  });
}

async function answer(method, path, body, key) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    return await fetch(BASE + path, {
      method,
      headers: headers(body, key),
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal: abort.signal,
    });
  } catch {
    throw new Problem(0, { code: "unanswered", detail: t(wordsForSilence(abort)) });
  } finally {
    clearTimeout(timer);
  }
}

function wordsForSilence(abort) {
  if (navigator.onLine === false) return "trouble.offline";
  return abort.signal.aborted ? "trouble.timeout" : "trouble.network";
}

function headers(body, key) {
  const sent = {
    Accept: "application/json, application/problem+json",
    "Accept-Language": settings.locale,
    Authorization: `Bearer ${idToken()}`,
  };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (key) sent["Idempotency-Key"] = key;
  return sent;
}

async function content(response) {
  if (response.status === 204) return null;
  try {
    return await response.json();
  } catch {
    if (response.ok) throw new Problem(0, { code: "unanswered", detail: t("trouble.network") });
    return null;
  }
}

// RFC 9110: Retry-After is seconds or a date.
function seconds(header) {
  if (!header) return null;
  if (/^\d+$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

// Same content, same key: also after a reload, for the answer may have been lost on its way here.
function attemptKey(action, body) {
  const content = JSON.stringify(body);
  const attempt = kept(`attempt:${action}`);
  if (attempt?.content === content) return attempt.key;
  const key = uuid();
  keep(`attempt:${action}`, { content, key });
  return key;
}

export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
