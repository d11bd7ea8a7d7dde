/* The in-app browser: a page in a frame, WeChat's header above it, and the other end of jweixin.js.

   The page is believed only as far as the browser vouches for it: messages must come from this very
   frame, answers go to the origin that asked, and addresses of another origin are ignored. */

import { isApart, post } from "./net.js";
import { copyOf, dialog, say, sheet, toast } from "./overlays.js";
import { pay } from "./cashier.js";
import { askConsent } from "./consent.js";
import { frameAddress } from "./phones.js";
import { readForPage } from "./scan.js";

const MOVE_MS = 320;
const SANDBOX =
  "allow-scripts allow-same-origin allow-forms allow-modals allow-popups allow-downloads";
/* Where this phone is: the main gate of a county hospital in Guangxi. */
const PLACE = { latitude: 22.8167, longitude: 108.3669, accuracy: 25, speed: 0 };

let current = null;
const whenChanged = [];

export function onPageChange(listener) {
  whenChanged.push(listener);
}

function tellChange() {
  for (const listener of whenChanged) listener(current);
}

export function isAddress(text) {
  try {
    return ["http:", "https:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

export function openPage(address, { mini = false } = {}) {
  if (!isAddress(address)) {
    say("无法打开这个网址");
    return;
  }
  if (current) current.close();
  current = new View(address, mini);
  tellChange();
}

export const openMini = (address) => openPage(address, { mini: true });

export function closePage() {
  current?.close();
}

export function backInPage() {
  current?.back();
}

export function pageElement() {
  return current ? current.element : null;
}

export function pageAddress() {
  return current ? current.url : "";
}

class View {
  constructor(address, mini) {
    this.url = address;
    this.linked = false;
    this.goesBack = false;
    this.trail = [];
    this.element = copyOf("view-template");
    this.heading = this.element.querySelector("h1");
    this.frame = document.createElement("iframe");
    this.frame.title = "网页";
    this.frame.setAttribute("sandbox", SANDBOX);
    this.frame.setAttribute("allow", "clipboard-write");
    this.frame.credentialless = isApart;
    this.element.classList.toggle("is-mini", mini);
    this.start();
    this.element.querySelector(".view-page").append(this.frame);
    this.heading.textContent = "";
    this.listen();
    this.enter();
  }

  /* A phone of its own must first tell its cookies who holds it. */
  async start() {
    this.frame.src = isApart ? await frameAddress(this.url) : this.url;
  }

  listen() {
    this.onMessage = (event) => this.hear(event);
    window.addEventListener("message", this.onMessage);
    this.frame.addEventListener("load", () => this.loaded());
    this.element.addEventListener("click", (event) => this.clicked(event.target));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.back();
    });
  }

  enter() {
    const place = document.getElementById("views");
    document.getElementById("stack").inert = true;
    place.append(this.element);
    this.progress(true);
    this.element.getBoundingClientRect();
    this.element.classList.add("is-on");
    document.getElementById("stack").classList.add("is-under");
    this.heading.focus({ preventScroll: true });
  }

  close() {
    if (current === this) current = null;
    window.removeEventListener("message", this.onMessage);
    this.element.classList.remove("is-on");
    this.element.inert = true;
    const stack = document.getElementById("stack");
    stack.inert = false;
    stack.classList.remove("is-under");
    setTimeout(() => this.element.remove(), MOVE_MS);
    tellChange();
  }

  progress(shown) {
    this.element.querySelector(".view-progress").hidden = !shown;
  }

  loaded() {
    this.progress(false);
    if (!this.heading.textContent) this.heading.textContent = new URL(this.url).host;
  }

  // ---------------------------------------------------------------- buttons
  clicked(target) {
    if (target.closest("[data-view-close]")) this.close();
    else if (target.closest("[data-view-back]")) this.back();
    else if (target.closest("[data-view-more]")) this.more();
  }

  back() {
    if (this.goesBack) this.order("back");
    else this.close();
  }

  async more() {
    const choice = await sheet({
      head: `此网页由 ${new URL(this.url).host} 提供`,
      kind: "is-grid",
      items: [
        { label: "刷新", icon: "refresh", value: "refresh" },
        { label: "复制链接", icon: "link", value: "copy" },
        { label: "在浏览器打开", icon: "tab-out", value: "tab" },
      ],
    });
    if (choice === "refresh") this.reload();
    if (choice === "copy") copyText(this.url);
    if (choice === "tab") window.open(this.url, "_blank", "noopener");
  }

  reload() {
    this.progress(true);
    if (this.linked) this.order("reload");
    else this.start();
  }

  order(what) {
    this.frame.contentWindow.postMessage({ wx: 1, order: what }, new URL(this.url).origin);
  }

  // ---------------------------------------------------------------- the page speaks
  async hear(event) {
    if (event.source !== this.frame.contentWindow) return;
    const message = event.data;
    if (!message || message.wx !== 1 || typeof message.call !== "string") return;
    const answer = await this.answer(message.call, message.params || {}, event.origin);
    if (!message.id || answer === undefined) return;
    this.frame.contentWindow?.postMessage({ wx: 1, id: message.id, reply: answer }, event.origin);
  }

  answer(call, params, origin) {
    const calls = {
      hello: () => ({ result: "ok" }),
      page: () => this.pageSays(params, origin),
      leaving: () => this.progress(true),
      close: () => this.close(),
      menu: () => this.menuSays(params),
      pay: () => pay(params.fields || {}, origin),
      config: () => this.config(params, origin),
      getLocation: () => this.locate(origin),
      openLocation: () => this.showPlace(params),
      scanQRCode: () => this.scan(params),
      subscribe: () => this.subscribe(params),
    };
    return Object.hasOwn(calls, call) ? calls[call]() : undefined;
  }

  pageSays(page, origin) {
    if (!isAddress(page.url) || new URL(page.url).origin !== origin) return;
    this.linked = true;
    this.url = page.url.replace(/#wechat_redirect$/, "");
    this.heading.textContent = String(page.title || new URL(page.url).host);
    this.frame.title = this.heading.textContent;
    this.follow(page);
    this.element.querySelector("[data-view-back]").hidden = !this.goesBack;
    this.progress(false);
    tellChange();
  }

  /* Newer browsers say whether there is a page before this one; for others a trail is kept. */
  follow(page) {
    const known = this.trail.lastIndexOf(page.url);
    if (page.kind === "back_forward" && known >= 0) this.trail.length = known + 1;
    else if (this.trail.at(-1) !== page.url) this.trail.push(page.url);
    this.goesBack = typeof page.canGoBack === "boolean" ? page.canGoBack : this.trail.length > 1;
  }

  menuSays({ shown }) {
    if (typeof shown === "boolean") this.element.querySelector("[data-view-more]").hidden = !shown;
  }

  async config({ fields, url }, origin) {
    if (!isAddress(url) || new URL(url).origin !== origin) {
      return { result: "fail", message: "invalid url domain" };
    }
    return post("/phone/jsconfig", { fields, url });
  }

  async locate(origin) {
    const choice = await dialog({
      title: `${new URL(origin).host} 申请使用`,
      text: "获取你的位置信息",
      buttons: [
        { label: "拒绝", value: false },
        { label: "允许", value: true, main: true },
      ],
    });
    return choice ? { result: "ok", data: PLACE } : { result: "cancel" };
  }

  async showPlace({ name, address, latitude, longitude }) {
    const choice = await dialog({
      title: String(name || "位置"),
      text: `${address || ""}\n${Number(latitude).toFixed(5)}, ${Number(longitude).toFixed(5)}`,
      buttons: [
        { label: "复制地址", value: "copy" },
        { label: "返回", value: "back", main: true },
      ],
    });
    if (choice === "copy") copyText(String(address || name || ""));
    return { result: "ok" };
  }

  /* The finder lies below this page's view, so the view steps aside meanwhile. */
  async scan({ needResult }) {
    this.stepAside(true);
    const text = await readForPage();
    this.stepAside(false);
    if (!text) return { result: "cancel" };
    if (needResult === 1) return { result: "ok", data: { resultStr: text } };
    openPage(text);
    return { result: "ok" };
  }

  stepAside(away) {
    this.element.classList.toggle("is-on", !away);
    this.element.inert = away;
    const stack = document.getElementById("stack");
    stack.classList.toggle("is-under", !away);
    stack.inert = !away;
    if (!away) this.heading.focus({ preventScroll: true });
  }

  async subscribe({ templates }) {
    const ids = Array.isArray(templates) ? templates.map(String) : [];
    const answers = ids.length ? await askConsent(ids) : null;
    if (!answers) return { result: "fail", message: "no template list" };
    return { result: "ok", data: { answers } };
  }
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("已复制", { kind: "is-done" });
  } catch {
    await dialog({
      title: "请手动复制",
      field: { label: "内容", value: text },
      buttons: [{ label: "关闭", value: true, main: true }],
    });
  }
}
