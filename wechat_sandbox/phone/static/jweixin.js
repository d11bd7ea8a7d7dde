/*
 * What WeChat puts into a page: `wx` (the JS-SDK) and `WeixinJSBridge`, as a hospital page knows them.
 *
 * Inside the phone the page is a frame and every call goes to the phone by postMessage, addressed to
 * the origin this very file came from, and answers are taken from that origin and that window only.
 * Outside the phone (an ordinary browser tab) paying leaves for the stand-in's own cashier page and
 * comes back; everything else that needs a phone says so. No inline script, no eval: strict CSP works.
 */
(function () {
  "use strict";

  if (window.wx && window.wx.standIn) return;

  const home = new URL(document.currentScript.src).origin;
  const framed = window.parent !== window && frameIsThePhone();
  const waiting = new Map();
  const listeners = new Map();
  let lastId = 0;
  let linked = false;

  function frameIsThePhone() {
    const ancestors = window.location.ancestorOrigins;
    return !ancestors || ancestors[0] === home;
  }

  // ------------------------------------------------------------------ talking to the phone
  function tell(call, params, id) {
    if (framed) window.parent.postMessage({ wx: 1, id: id || 0, call, params: params || {} }, home);
  }

  function ask(call, params, done) {
    if (!framed) {
      done({ result: "fail", message: "not_in_wechat" });
      return;
    }
    lastId += 1;
    waiting.set(lastId, done);
    tell(call, params, lastId);
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== home) return;
    const message = event.data;
    if (!message || message.wx !== 1) return;
    if (message.reply) {
      const done = waiting.get(message.id);
      waiting.delete(message.id);
      if (done) done(message.reply);
    } else if (message.order === "back") {
      window.history.back();
    } else if (message.order === "reload") {
      window.location.reload();
    }
  });

  // ------------------------------------------------------------------ the page tells its state
  function canGoBack() {
    return window.navigation ? window.navigation.canGoBack : null;
  }

  function sayWhereWeAre() {
    const entry = performance.getEntriesByType("navigation")[0];
    tell("page", {
      title: document.title,
      url: window.location.href,
      kind: entry ? entry.type : "navigate",
      canGoBack: canGoBack(),
    });
  }

  function watchTitle() {
    sayWhereWeAre();
    new MutationObserver(sayWhereWeAre).observe(document.head, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  }

  function stayInThisView(event) {
    const link = event.target.closest && event.target.closest("a[target], form[target]");
    if (link) link.removeAttribute("target");
  }

  if (framed) {
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", watchTitle);
    } else {
      watchTitle();
    }
    ["pageshow", "popstate", "hashchange"].forEach((name) => {
      window.addEventListener(name, sayWhereWeAre);
    });
    window.addEventListener("beforeunload", () => tell("leaving"));
    document.addEventListener("click", stayInThisView, true);
    window.open = (url) => {
      window.location.assign(url);
      return window;
    };
  }

  // ------------------------------------------------------------------ paying
  const PAY_FIELDS = ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"];

  function pay(params, done) {
    const fields = {};
    PAY_FIELDS.forEach((name) => {
      if (params[name] !== undefined) fields[name] = String(params[name]);
    });
    if (framed) {
      ask("pay", { fields, url: window.location.href }, done);
    } else {
      goToTheCashier(fields, done);
    }
  }

  /* A tab without a phone: the cashier is a page of its own. The caller hears "cancel" only when the
     browser brings this very page back to life; otherwise the page is loaded anew and asks its server. */
  function goToTheCashier(fields, done) {
    const cashier = new URL("/phone/cashier", home);
    Object.entries(fields).forEach(([name, value]) => cashier.searchParams.set(name, value));
    cashier.searchParams.set("back", window.location.href.split("#")[0]);
    window.addEventListener(
      "pageshow",
      (event) => {
        if (event.persisted) done({ result: "cancel" });
      },
      { once: true },
    );
    window.location.assign(cashier.href);
  }

  /* Coming back from the cashier the address carries the outcome once; it is only a hint. */
  function takeOutcomeFromAddress() {
    const match = /^#wxpay=(ok|cancel|fail)$/.exec(window.location.hash);
    if (!match || framed) return;
    window.history.replaceState(window.history.state, "", window.location.href.split("#")[0]);
    document.dispatchEvent(new CustomEvent("wxpay:return", { detail: { result: match[1] } }));
  }

  // ------------------------------------------------------------------ WeixinJSBridge
  const BRIDGE_CALLS = {
    getBrandWCPayRequest(params, done) {
      pay(params, (answer) => {
        const outcome = { err_msg: "get_brand_wcpay_request:" + answer.result };
        if (answer.message) outcome.err_desc = answer.message;
        if (answer.result === "fail") outcome.err_code = answer.code || "-1";
        done(outcome);
      });
    },
    closeWindow(params, done) {
      tell("close");
      done({ err_msg: "close_window:ok" });
    },
    hideOptionMenu(params, done) {
      tell("menu", { shown: false });
      done({ err_msg: "hideOptionMenu:ok" });
    },
    showOptionMenu(params, done) {
      tell("menu", { shown: true });
      done({ err_msg: "showOptionMenu:ok" });
    },
    getNetworkType(params, done) {
      done({ err_msg: "network_type:wifi" });
    },
  };

  const bridge = {
    invoke(name, params, done) {
      const answer = typeof done === "function" ? done : () => undefined;
      const call = BRIDGE_CALLS[name];
      if (call) call(params || {}, answer);
      else answer({ err_msg: "system:function_not_exist" });
    },
    call(name, params) {
      bridge.invoke(name, params);
    },
    on(name, listener) {
      listeners.set(name, [...(listeners.get(name) || []), listener]);
    },
    log() {
      return undefined;
    },
  };

  /* As in WeChat the bridge appears some time after the page: code that does not wait fails here too. */
  function bridgeIsReady() {
    if (linked) return;
    linked = true;
    window.WeixinJSBridge = bridge;
    document.dispatchEvent(new Event("WeixinJSBridgeReady", { bubbles: true }));
    takeOutcomeFromAddress();
  }

  // ------------------------------------------------------------------ wx (JS-SDK)
  const SUPPORTED = [
    "checkJsApi",
    "chooseWXPay",
    "closeWindow",
    "getLocation",
    "getNetworkType",
    "hideAllNonBaseMenuItem",
    "hideMenuItems",
    "hideOptionMenu",
    "openLocation",
    "scanQRCode",
    "showAllNonBaseMenuItem",
    "showMenuItems",
    "showOptionMenu",
  ];
  const config = {
    state: "none",
    appId: "",
    allowed: [],
    tags: [],
    whenReady: [],
    whenError: null,
    error: null,
  };

  function finish(name, options, answer) {
    const outcome = Object.assign({}, answer.data, { errMsg: name + ":" + answer.result });
    if (answer.result === "fail" && answer.message) outcome.errMsg = name + ":fail, " + answer.message;
    const handlers = { ok: options.success, cancel: options.cancel, fail: options.fail };
    if (handlers[answer.result]) handlers[answer.result](outcome);
    if (options.complete) options.complete(outcome);
  }

  function guarded(name, run) {
    return (options) => {
      const given = options || {};
      if (config.state === "ok" && config.allowed.includes(name)) run(given);
      else finish(name, given, { result: "fail", message: "the permission value is offline verifying" });
    };
  }

  function asked(name, pick) {
    return guarded(name, (options) => {
      ask(name, pick(options), (answer) => finish(name, options, answer));
    });
  }

  function told(name, call, params) {
    return (options) => {
      tell(call, params);
      finish(name, options || {}, { result: "ok" });
    };
  }

  function settle(answer) {
    if (answer.result === "ok") {
      config.state = "ok";
      config.whenReady.splice(0).forEach((listener) => listener());
    } else {
      config.state = "failed";
      config.error = { errMsg: "config:" + (answer.message || "fail") };
      if (config.whenError) config.whenError(config.error);
    }
  }

  window.wx = window.jWeixin = {
    standIn: true,
    config(options) {
      config.state = "asking";
      config.appId = options.appId;
      config.allowed = (options.jsApiList || []).filter((name) => SUPPORTED.includes(name));
      config.tags = options.openTagList || [];
      const fields = {
        appId: String(options.appId),
        timestamp: String(options.timestamp),
        nonceStr: String(options.nonceStr),
        signature: String(options.signature),
      };
      if (framed) ask("config", { fields, url: window.location.href.split("#")[0] }, settle);
      else settle({ result: "ok" });
    },
    ready(listener) {
      if (config.state === "ok") listener();
      else config.whenReady.push(listener);
    },
    error(listener) {
      config.whenError = listener;
      if (config.error) listener(config.error);
    },
    checkJsApi(options) {
      const checkResult = {};
      (options.jsApiList || []).forEach((name) => {
        checkResult[name] = SUPPORTED.includes(name);
      });
      finish("checkJsApi", options, { result: "ok", data: { checkResult } });
    },
    chooseWXPay: guarded("chooseWXPay", (options) => {
      const fields = Object.assign({}, options, {
        appId: options.appId || config.appId,
        timeStamp: options.timestamp || options.timeStamp,
      });
      pay(fields, (answer) => finish("chooseWXPay", options, answer));
    }),
    getLocation: asked("getLocation", (options) => ({ type: options.type || "wgs84" })),
    openLocation: asked("openLocation", (options) => ({
      latitude: Number(options.latitude),
      longitude: Number(options.longitude),
      name: String(options.name || ""),
      address: String(options.address || ""),
    })),
    /* What a page of a mini program calls; there is no permission to ask for first. */
    requestSubscribeMessage(options) {
      const given = options || {};
      ask("subscribe", { templates: given.tmplIds || [] }, (answer) => {
        const data = answer.result === "ok" ? answer.data.answers : {};
        finish("requestSubscribeMessage", given, Object.assign({}, answer, { data }));
      });
    },
    scanQRCode: asked("scanQRCode", (options) => ({ needResult: Number(options.needResult || 0) })),
    getNetworkType: guarded("getNetworkType", (options) => {
      finish("getNetworkType", options, { result: "ok", data: { networkType: "wifi" } });
    }),
    closeWindow: told("closeWindow", "close"),
    hideOptionMenu: told("hideOptionMenu", "menu", { shown: false }),
    showOptionMenu: told("showOptionMenu", "menu", { shown: true }),
    hideMenuItems(options) {
      tell("menu", { hide: (options && options.menuList) || [] });
      finish("hideMenuItems", options || {}, { result: "ok" });
    },
    showMenuItems(options) {
      tell("menu", { show: (options && options.menuList) || [] });
      finish("showMenuItems", options || {}, { result: "ok" });
    },
    hideAllNonBaseMenuItem: told("hideAllNonBaseMenuItem", "menu", { base: true }),
    showAllNonBaseMenuItem: told("showAllNonBaseMenuItem", "menu", { base: false }),
  };

  // ------------------------------------------------------------------ <wx-open-subscribe>
  /* The open tag of service accounts: the page brings a button in a template, a tap asks the person.
     As in WeChat it does nothing unless wx.config named it in openTagList. */
  const SUBSCRIBE = "wx-open-subscribe";
  const MOST_TEMPLATES = 3;

  class OpenSubscribe extends HTMLElement {
    /* While the page is being read the element is there before its templates are. */
    connectedCallback() {
      if (this.shadowRoot || this.waits) return;
      this.waits = document.readyState === "loading";
      if (this.waits) document.addEventListener("DOMContentLoaded", () => this.build());
      else this.build();
    }

    build() {
      const inside = this.attachShadow({ mode: "open" });
      const scripts = [...this.querySelectorAll('script[type="text/wxtag-template"], template')];
      const styled = scripts.filter((one) => one.getAttribute("slot") === "style");
      scripts.filter((one) => !styled.includes(one)).forEach((one) => inside.append(contentOf(one)));
      inside.adoptedStyleSheets = styled.map(sheetOf);
      inside.addEventListener("click", () => this.ask());
      config.whenReady.push(() => this.told("ready", {}));
      if (config.state === "ok") this.told("ready", {});
    }

    ask() {
      const templates = (this.getAttribute("template") || "").split(",").map((id) => id.trim());
      if (config.state !== "ok" || !config.tags.includes(SUBSCRIBE)) {
        this.failed(10001, "wx.config with openTagList first");
      } else if (!templates[0] || templates.length > MOST_TEMPLATES) {
        this.failed(10002, "template is empty or has more than three ids");
      } else {
        ask("subscribe", { templates }, (answer) => this.answered(answer));
      }
    }

    answered(answer) {
      if (answer.result !== "ok") {
        this.failed(10003, answer.message || "fail");
        return;
      }
      const details = {};
      Object.entries(answer.data.answers).forEach(([id, status]) => {
        details[id] = JSON.stringify({ status });
      });
      const subscribeDetails = JSON.stringify(details);
      this.told("success", { errMsg: "subscribe:ok", subscribeDetails });
    }

    failed(errCode, errMsg) {
      this.told("error", { errCode, errMsg: "subscribe:fail " + errMsg });
    }

    told(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail }));
    }
  }

  function contentOf(element) {
    if (element.content) return element.content.cloneNode(true);
    const place = document.createElement("template");
    place.innerHTML = element.textContent;
    return place.content;
  }

  /* A constructed sheet is allowed where inline styles are not. */
  function sheetOf(element) {
    const rules = new CSSStyleSheet();
    rules.replaceSync(contentOf(element).textContent);
    return rules;
  }

  if (!customElements.get(SUBSCRIBE)) customElements.define(SUBSCRIBE, OpenSubscribe);

  if (framed) {
    ask("hello", {}, bridgeIsReady);
  } else if (document.readyState === "complete") {
    setTimeout(bridgeIsReady, 0);
  } else {
    window.addEventListener("load", bridgeIsReady);
  }
})();
