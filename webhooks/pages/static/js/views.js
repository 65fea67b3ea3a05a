// Which part of a page is seen, and how elements are made.

export const byId = (id) => document.getElementById(id);

export function show(name, { focus = true } = {}) {
  for (const view of document.querySelectorAll("[data-view]")) {
    view.hidden = view.dataset.view !== name;
  }
  window.scrollTo(0, 0);
  // The first view arrives by itself; a screen reader follows only a change that the user caused.
  if (focus) document.querySelector(`[data-view="${name}"] h2`)?.focus({ preventScroll: true });
}

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function countDown(seconds, tick, done) {
  const end = Date.now() + seconds * 1000;
  const step = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) {
      tick(left);
      return;
    }
    clearInterval(timer);
    done();
  };
  const timer = setInterval(step, 500);
  step();
  return () => clearInterval(timer);
}

export function address(path, query = {}) {
  const here = new URLSearchParams(location.search);
  const kept = Object.entries({ ...query, lang: here.get("lang") }).filter(([, value]) => value);
  const text = new URLSearchParams(kept).toString();
  return text ? `${path}?${text}` : path;
}
