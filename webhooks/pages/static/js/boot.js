// How every page starts: enter LINE, learn who is here, then let the page show itself.

import { call } from "./api.js";
import { close, enter, NoLine } from "./line.js";
import { t } from "./strings.js";
import { byId, show } from "./views.js";

export async function boot(page, { personal = true } = {}) {
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", close);
  }
  try {
    await enter();
    await page(personal ? await whoIsHere() : null);
  } catch (error) {
    trouble(error);
  }
}

export async function whoIsHere() {
  const { data: me } = await call("GET", "/me");
  for (const invitation of document.querySelectorAll("[data-friend]")) {
    invitation.hidden = me.following !== false;
  }
  return me;
}

export function trouble(error) {
  byId("trouble-text").textContent = words(error);
  byId("trouble-retry").onclick = () => location.reload();
  show("trouble");
}

function words(error) {
  if (error instanceof NoLine) return t("trouble.line");
  if (error?.status === 401) return t("trouble.session");
  return error?.status === undefined ? t("trouble.line") : error.message;
}
