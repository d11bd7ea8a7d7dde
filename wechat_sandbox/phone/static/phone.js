/* The phone's front door: what a tap on anything does. */

import {
  backInPage,
  closePage,
  copyText,
  isAddress,
  onPageChange,
  openPage,
  pageAddress,
  pageElement,
  scanned,
} from "./browser.js";
import { pay } from "./cashier.js";
import { listen, putAway } from "./live.js";
import { getText, post, Refused } from "./net.js";
import { dialog, say, sheet, toast } from "./overlays.js";
import { fingerLifted, patchChildren } from "./patch.js";
import { isFirst, onShown, pop, push, refreshAll, showTab, top } from "./stack.js";
import { swipeBack } from "./swipe.js";

const holder = document.body.dataset.holder;

/* Attribute of the tapped element -> what happens. The first that matches wins. */
const TAPS = {
  "data-back": () => pop(),
  "data-push": (element) => push(element.dataset.push),
  "data-browse": (element) => openPage(element.href),
  "data-tab": (element) => showTab(element.dataset.tab),
  "data-plus": () => plusMenu(),
  "data-scan": () => scan(),
  "data-hold": (element) => hold(element.dataset.hold),
  "data-new-holder": () => newHolder(),
  "data-leave": () => leave(),
  "data-follow": (element) => follow(element.dataset.follow === "1"),
  "data-balance": (element) => askBalance(element.dataset.balance),
  "data-set-balance": (element) => post("/phone/balance", { yuan: element.dataset.setBalance }),
  "data-copy": (element) => copyText(element.dataset.copy),
  "data-copy-page": () => copyText(pageAddress()),
  "data-tab-page": () => window.open(pageAddress(), "_blank", "noopener"),
  "data-typing": (element) => swapMenu(element),
  "data-submenu": (element) => openSubmenu(element),
};

const SWITCHES = {
  "data-card": (input) => post("/phone/card", { on: input.checked }),
  "data-block": (input) => post("/phone/block", { on: !input.checked }),
  "data-follow-switch": (input) => post("/phone/follow", { on: input.checked }),
};

document.addEventListener("click", (event) => {
  closeSubmenus(event.target);
  const names = Object.keys(TAPS);
  const element = event.target.closest(names.map((name) => `[${name}]`).join(","));
  if (!element) return;
  const name = names.find((candidate) => element.hasAttribute(candidate));
  event.preventDefault();
  run(() => TAPS[name](element));
});

document.addEventListener("change", (event) => {
  const name = Object.keys(SWITCHES).find((candidate) => event.target.hasAttribute(candidate));
  if (name) run(() => SWITCHES[name](event.target));
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-search]")) filterChats(event.target);
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-say]");
  if (!form) return;
  event.preventDefault();
  run(() => speak(form));
});

/* Whatever a tap does, a refusal is shown and a lost connection is said. */
async function run(what) {
  try {
    await what();
  } catch (problem) {
    if (problem instanceof Refused) await say(problem.message);
    else if (problem instanceof TypeError) toast("网络不可用");
    else throw problem;
  }
}

// -------------------------------------------------------------------- holders
async function hold(openid) {
  if (openid !== holder) await post("/phone/hold", { openid });
  goOn();
}

async function newHolder() {
  const { value, text } = await dialog({
    title: "新的人",
    text: "起个名字，得到一个新的 openid",
    field: { label: "名字" },
    buttons: [
      { label: "取消", value: false },
      { label: "确定", value: true, main: true },
    ],
  });
  if (!value) return;
  await post("/phone/people", { nickname: text });
  goOn();
}

function goOn() {
  const next = document.querySelector("[data-next]")?.dataset.next || "/";
  window.location.replace(next);
}

async function leave() {
  await post("/phone/leave");
  window.location.replace("/");
}

// -------------------------------------------------------------------- account, money
async function follow(on) {
  if (!on) {
    const sure = await dialog({
      text: "不再关注后，将收不到它的消息",
      buttons: [
        { label: "取消", value: false },
        { label: "不再关注", value: true, main: true },
      ],
    });
    if (!sure) return;
  }
  const { says } = await post("/phone/follow", { on });
  toast(says, { kind: "is-done" });
}

async function askBalance(now) {
  const { value, text } = await dialog({
    title: "零钱",
    text: "想有多少零钱（元）？",
    field: { label: "例如 100", value: now, mode: "decimal" },
    buttons: [
      { label: "取消", value: false },
      { label: "确定", value: true, main: true },
    ],
  });
  if (value) await post("/phone/balance", { yuan: text });
}

// -------------------------------------------------------------------- chats
async function plusMenu() {
  const choice = await sheet({
    kind: "is-popover",
    items: [
      { label: "扫一扫", icon: "scan", value: "scan" },
      { label: "切换账号", icon: "swap", value: "holders" },
    ],
  });
  if (choice === "scan") await scan();
  if (choice === "holders") await push("/phone/holders");
}

async function scan() {
  const text = await scanned();
  if (!text) return;
  if (isAddress(text)) openPage(text);
  else await dialog({ title: "扫描结果", text, buttons: [{ label: "关闭", value: true, main: true }] });
}

function filterChats(input) {
  const word = input.value.trim().toLowerCase();
  for (const row of document.querySelectorAll("[data-word]")) {
    row.hidden = !row.dataset.word.toLowerCase().includes(word);
  }
}

function swapMenu(button) {
  const bar = button.closest(".service");
  bar.classList.toggle("is-typing");
  if (bar.classList.contains("is-typing")) bar.querySelector("input").focus();
}

function openSubmenu(button) {
  const menu = button.nextElementSibling;
  const opening = menu.hidden;
  closeSubmenus(null);
  menu.hidden = !opening;
  button.setAttribute("aria-expanded", String(opening));
}

function closeSubmenus(target) {
  if (target?.closest("[data-submenu]")) return;
  for (const menu of document.querySelectorAll(".submenu:not([hidden])")) {
    menu.hidden = true;
    menu.previousElementSibling.setAttribute("aria-expanded", "false");
  }
}

async function speak(form) {
  const text = form.elements.text.value.trim();
  if (!text) return;
  form.elements.text.value = "";
  await post("/phone/say", { text });
}

function openChat() {
  return document.hidden || pageAddress() ? "" : top()?.dataset.chat || "";
}

async function see() {
  const chat = openChat();
  if (!chat) return;
  putAway(chat);
  await post("/phone/seen", { chat });
}

async function showChat(name) {
  closePage();
  if (top()?.dataset.chat !== name) await push(`/phone/chat/${name}`);
}

// -------------------------------------------------------------------- news, clock, beside the phone
async function heard(kind) {
  if (kind === "reset") {
    window.location.reload();
    return;
  }
  await refreshAll();
  document.querySelectorAll("[data-search]").forEach(filterChats);
  await refreshDrawer();
  if (["message", "wallet", "connected"].includes(kind)) await see();
}

async function refreshDrawer() {
  const drawer = document.getElementById("drawer");
  if (!drawer.getClientRects().length) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await getText("/phone/drawer");
  await fingerLifted();
  patchChildren(drawer, fresh.content);
  showPageInDrawer();
}

function showPageInDrawer() {
  const part = document.querySelector("[data-drawer-page]");
  if (!part) return;
  part.hidden = !pageAddress();
  part.querySelector("[data-page-url]").textContent = pageAddress();
}

function tick() {
  const offset = Number(document.body.dataset.offset);
  document.getElementById("clock").textContent = new Intl.DateTimeFormat("zh-CN", {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: "Asia/Shanghai",
  }).format(new Date(Date.now() + offset));
}

/* The stand-in's cashier page, for payments asked for in an ordinary tab. */
async function serveCashier() {
  const asked = Object.fromEntries(new URLSearchParams(window.location.search));
  const { back = "", ...fields } = asked;
  if (!isAddress(back)) {
    await say("缺少返回地址");
    return;
  }
  const { result } = await pay(fields, new URL(back).origin);
  if (result === "ok") window.location.replace(`${back.split("#")[0]}#wxpay=ok`);
  else window.history.back();
}

setInterval(tick, 5000);
tick();
onPageChange(() => {
  showPageInDrawer();
  run(see);
});
onShown(() => run(see));
const glass = document.getElementById("glass");
swipeBack(glass, {
  target: () => {
    if (document.querySelector("#overlays > :not([inert])")) return null;
    return pageElement() || (isFirst() ? null : top());
  },
  leave: () => (pageElement() ? backInPage() : pop()),
});
glass.inert = false;
document.getElementById("drawer").inert = false;
document.addEventListener("visibilitychange", () => run(see));
if (document.querySelector("[data-cashier]")) run(serveCashier);
else if (holder) {
  listen({
    onNews: (kind) => run(() => heard(kind)),
    opens: (chat) => run(() => showChat(chat)),
    isOpen: (chat) => openChat() === chat,
  });
}
