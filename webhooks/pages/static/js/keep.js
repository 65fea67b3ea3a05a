// What outlives a reload of this tab: drafts, attempts, a code that was sent.

// Where storage is switched off, things are kept until the reload.
const memory = new Map();

export function keep(name, value) {
  memory.set(name, value);
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Kept in memory.
  }
}

export function kept(name) {
  if (memory.has(name)) return memory.get(name);
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}

export function drop(name) {
  memory.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {
    // Nothing was kept there either.
  }
}
