// A stand-in of the LIFF SDK v2: the same calls, answered by the LINE simulator.
(() => {
  "use strict";

  const base = new URL(document.currentScript.src).origin;
  const forbidden = "user doesn't grant required permissions yet";
  let liffId = null;
  let session = null;
  let markReady;
  const ready = new Promise((resolve) => { markReady = resolve; });

  class LiffError extends Error {
    constructor(code, message) {
      super(message);
      this.name = "LiffError";
      this.code = code;
    }
  }

  const storeKey = () => `LIFF_STORE:${liffId}`;

  function decode(token) {
    const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (one) => one.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  function takeFragment() {
    const given = new URLSearchParams(location.hash.slice(1));
    if (!given.has("access_token")) return;
    const kept = {
      accessToken: given.get("access_token"),
      idToken: given.get("id_token"),
      clientId: given.get("client_id"),
      language: given.get("language"),
      context: JSON.parse(given.get("context") || "null"),
    };
    sessionStorage.setItem(storeKey(), JSON.stringify(kept));
    history.replaceState(history.state, "", location.pathname + location.search);
  }

  function redirectToState() {
    const query = new URLSearchParams(location.search);
    const state = query.get("liff.state");
    if (state === null) return false;
    const target = location.origin + location.pathname.replace(/\/$/, "") + state;
    if (target === location.href) return false;
    location.replace(target);
    return true;
  }

  async function init(config, onSuccess, onFailure) {
    try {
      if (!config || !config.liffId) throw new LiffError("INVALID_CONFIG", "liffId is necessary for liff.init()");
      liffId = config.liffId;
      liff.id = liffId;
      takeFragment();
      session = JSON.parse(sessionStorage.getItem(storeKey()) || "null");
      // The page is about to be replaced, so like LIFF's own this init never resolves.
      if (redirectToState()) await new Promise(() => {});
      if (!session && config.withLoginOnExternalBrowser) {
        login();
        await new Promise(() => {});
      }
      markReady();
      if (onSuccess) onSuccess();
    } catch (error) {
      if (onFailure) onFailure(error);
      throw error;
    }
  }

  function login(options) {
    const back = (options && options.redirectUri) || location.href.split("#")[0];
    sessionStorage.removeItem(storeKey());
    location.assign(`${base}/liff/${liffId}?redirect_uri=${encodeURIComponent(back)}`);
  }

  function logout() {
    sessionStorage.removeItem(storeKey());
    session = null;
  }

  const isLoggedIn = () => session !== null;
  const getContext = () => (session ? session.context : { type: "none" });
  const fromChat = () => ["utou", "group", "room"].includes(getContext().type);

  function held() {
    if (!session) throw new LiffError("UNAUTHORIZED", "Need access_token for api call, Please login first");
    return session.accessToken;
  }

  async function call(path, body) {
    const answer = await fetch(base + path, {
      method: body ? "POST" : "GET",
      headers: { Authorization: `Bearer ${held()}`, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    if (answer.ok) return answer.json();
    const problem = await answer.json().catch(() => ({}));
    const codes = { 400: "INVALID_ARGUMENT", 401: "UNAUTHORIZED", 403: "FORBIDDEN" };
    throw new LiffError(codes[answer.status] || String(answer.status), problem.message || "");
  }

  async function sendMessages(messages) {
    if (!Array.isArray(messages) || messages.length < 1 || messages.length > 5) {
      throw new LiffError("INVALID_ARGUMENT", "Number of messages should be in range 1 to 5.");
    }
    if (!fromChat()) throw new LiffError("FORBIDDEN", forbidden);
    await call("/liff/messages", { messages });
  }

  function closeWindow() {
    if (window.parent !== window) window.parent.postMessage({ type: "liff.closeWindow" }, "*");
    else window.close();
  }

  function openWindow(options) {
    if (!options || !options.url) throw new LiffError("INVALID_ARGUMENT", "parameters.url is required");
    window.open(options.url, "_blank", "noopener");
  }

  async function scanCodeV2() {
    return { value: window.prompt("QR") };
  }

  const liff = {
    id: null,
    ready,
    init,
    login,
    logout,
    isLoggedIn,
    isInClient: fromChat,
    isApiAvailable: (name) => ["scanCodeV2", "sendMessages"].includes(name),
    isSubWindow: () => false,
    getContext,
    getAccessToken: () => (session ? session.accessToken : null),
    getIDToken: () => (session ? session.idToken : null),
    getDecodedIDToken: () => (session && session.idToken ? decode(session.idToken) : null),
    getProfile: () => call("/v2/profile"),
    getFriendship: () => call("/friendship/v1/status"),
    getLanguage: () => (session && session.language) || navigator.language,
    getAppLanguage: () => (session && session.language) || navigator.language,
    getOS: () => "web",
    getVersion: () => "2.31.0",
    getLineVersion: () => (fromChat() ? "15.0.0" : null),
    closeWindow,
    openWindow,
    sendMessages,
    scanCodeV2,
    permission: {
      query: async () => ({ state: "granted" }),
      requestAll: async () => {},
      getGrantedAll: async () => ["profile", "openid", "chat_message.write"],
    },
    permanentLink: {
      createUrlBy: async (url) => `${base}/liff/${liffId}${new URL(url).pathname.replace(/^\/liff/, "")}`,
    },
  };
  window.liff = liff;
})();
