// Days and times as they are in Taipei, wherever the phone is.

import { settings } from "./strings.js";

const ZONE = "Asia/Taipei";
const DAY_MS = 86_400_000;

export function today(now = Date.now()) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" }).format(now);
}

export function nextDays(count) {
  const start = Date.parse(`${today()}T00:00:00Z`);
  return Array.from({ length: count }, (_, n) => new Date(start + (n + 1) * DAY_MS).toISOString().slice(0, 10));
}

const written = (options) => new Intl.DateTimeFormat(settings.locale, options);

export const dayName = (day) =>
  written({ timeZone: "UTC", month: "numeric", day: "numeric", weekday: "short" }).format(Date.parse(`${day}T00:00:00Z`));

export const dateName = (day) =>
  written({ timeZone: "UTC", dateStyle: "long" }).format(Date.parse(`${day}T00:00:00Z`));

export const momentName = (moment) =>
  written({
    timeZone: ZONE, year: "numeric", month: "numeric", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).format(Date.parse(moment));
