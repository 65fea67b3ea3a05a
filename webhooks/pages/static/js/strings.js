// What the server told this page, and every visible string.

export const settings = JSON.parse(document.querySelector('meta[name="page-settings"]').content);

export function t(key, values = {}) {
  const text = settings.strings[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
