import { boot, whoIsHere } from "./boot.js";
import { t } from "./strings.js";
import { byId, show } from "./views.js";

const REDIRECT_WAITS_MS = 3_000;

// LIFF opens every address here first and then moves on to the path in liff.state; the menu is for who stays.
const state = new URLSearchParams(location.search).get("liff.state") ?? "";
const moving = state.replace(/^\/?/, "") !== "";

boot(
  async () => {
    if (moving) await new Promise((done) => setTimeout(done, REDIRECT_WAITS_MS));
    show("menu", { focus: false });
    const me = await whoIsHere().catch(() => null);
    if (me?.member) byId("greeting").textContent = t("menu.greeting", { name: me.member.name });
  },
  { personal: false },
);
