/* The phone's front door: what a tap on anything does. */

import {
  backInPage,
  closePage,
  copyText,
  isAddress,
  onPageChange,
  openMini,
  openPage,
  pageAddress,
  pageElement,
} from "./browser.js";
import { pay } from "./cashier.js";
import { askConsent } from "./consent.js";
import { DESK_SWITCHES, DESK_TAPS, lookAgain, onDrawn, refreshDesk } from "./desk.js";
import { listen, putAway } from "./live.js";
import { isApart, post, Refused } from "./net.js";
import { dialog, say, sheet, toast } from "./overlays.js";
import { askAgain, paycodeShown, scanned } from "./paycode.js";
import { canLiveApart, hold, leave, newHolder, openAnother, settleDown } from "./phones.js";
import { found, scanFile, scannerLeft, scanText, scanWindow } from "./scan.js";
import { isFirst, onShown, pop, popTo, push, refreshAll, showTab, top } from "./stack.js";
import { swipeBack } from "./swipe.js";

const holder = document.body.dataset.holder;

/* Attribute of the tapped element -> what happens. The first that matches wins. */
const TAPS = {
  "data-back": () => goBack(),
  "data-push": (element) => push(element.dataset.push),
  "data-browse": (element) => openPage(element.href),
  "data-tab": (element) => showTab(element.dataset.tab),
  "data-plus": () => plusMenu(),
  "data-home": () => goHome(),
  "data-mini": (element) => openMini(element.dataset.mini),
  "data-menu-view": (element) => openEntry(element.href),
  "data-menu-key": (element) => tapEntry(element.dataset.menuKey),
  "data-choice": (element) => post("/phone/say", { text: element.dataset.choice }),
  "data-scan-text": () => scanText(),
  "data-scan-window": () => scanWindow(),
  "data-scan-code": (element) => found(element.dataset.scanCode),
  "data-number": (element) => askNumber(element.dataset.number),
  "data-popup": (element) => askConsent(element.dataset.popup.split(",")),
  "data-apart": (element) => openAnother(element.dataset.apart),
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
  ...DESK_TAPS,
};

const SWITCHES = {
  "data-card": (input) => post("/phone/card", { on: input.checked }),
  "data-block": (input) => post("/phone/block", { on: !input.checked }),
  "data-follow-switch": (input) => post("/phone/follow", { on: input.checked }),
  "data-scan-file": (input) => scanFile(takeFile(input)),
  ...DESK_SWITCHES,
};

document.addEventListener("click", (event) => {
  closeSubmenus(event.target);
  const names = Object.keys(TAPS);
  const element = event.target.closest(names.map((name) => `[${name}]`).join(","));
  if (!element) return;
  const name = names.find((candidate) => element.hasAttribute(candidate));
  event.preventDefault();
  run(() => TAPS[name](element), element.closest("#drawer"));
});

document.addEventListener("change", (event) => {
  const name = Object.keys(SWITCHES).find((candidate) => event.target.hasAttribute(candidate));
  if (name) run(() => SWITCHES[name](event.target), event.target.closest("#drawer"));
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
async function run(what, fromTheDesk = false) {
  try {
    await what();
    if (fromTheDesk) await refreshDesk();
  } catch (problem) {
    if (problem instanceof Refused) await say(problem.message);
    else if (problem instanceof TypeError) toast("网络不可用");
    else throw problem;
  }
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

async function askNumber(now) {
  const { value, text } = await dialog({
    title: "手机号",
    text: "短信发到这个号码",
    field: { label: "11 位手机号", value: now, mode: "numeric" },
    buttons: [
      { label: "取消", value: false },
      { label: "确定", value: true, main: true },
    ],
  });
  if (value) await post("/phone/number", { number: text });
}

// -------------------------------------------------------------------- moving around
function goBack() {
  if (top()?.hasAttribute("data-scanner")) scannerLeft();
  pop();
}

/* The start screen of the phone lies over WeChat; from there WeChat is one tap back. */
async function goHome() {
  if (!holder || document.querySelector("[data-cashier], #overlays > :not([inert])")) return;
  closePage();
  if (!popTo("/phone/apps")) await push("/phone/apps");
}

async function openEntry(url) {
  openPage(url);
  await post("/phone/tap", { url });
}

async function tapEntry(key) {
  closeSubmenus(null);
  await post("/phone/tap", { key });
}

/* The same file may be chosen twice in a row. */
function takeFile(input) {
  const [file] = input.files;
  input.value = "";
  return file;
}

// -------------------------------------------------------------------- chats
async function plusMenu() {
  const choice = await sheet({
    kind: "is-popover",
    items: [
      { label: "扫一扫", icon: "scan", value: "/phone/scan" },
      { label: "收付款", icon: "paycode", value: "/phone/paycode" },
      { label: "切换账号", icon: "swap", value: "/phone/holders" },
    ],
  });
  if (choice) await push(choice);
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
  if (top()?.dataset.chat !== name) await push(name === "sms" ? "/phone/sms" : `/phone/chat/${name}`);
}

// -------------------------------------------------------------------- news, clock, beside the phone
async function heard(kind, subject) {
  if (kind === "reset") {
    window.location.reload();
    return;
  }
  await refreshAll();
  document.querySelectorAll("[data-search]").forEach(filterChats);
  await refreshDesk();
  if (["message", "wallet", "chat", "sms", "connected"].includes(kind)) await see();
  if (kind === "connected") await askAgain();
  if (kind === "scanpay") await scanned(subject);
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
onDrawn(showPageInDrawer);
lookAgain(run);
onShown(() => {
  paycodeShown();
  run(see);
});
const glass = document.getElementById("glass");
swipeBack(glass, {
  target: () => {
    if (document.querySelector("#overlays > :not([inert])")) return null;
    return pageElement() || (isFirst() ? null : top());
  },
  leave: () => (pageElement() ? backInPage() : goBack()),
});
glass.inert = false;
document.getElementById("drawer").inert = false;
document.addEventListener("visibilitychange", () => run(see));
if (document.querySelector("[data-cashier]")) run(serveCashier);
else if (isApart && holder && !canLiveApart) run(() => settleDown(holder));
else if (holder) {
  listen({
    onNews: (kind, subject) => run(() => heard(kind, subject)),
    opens: (chat) => run(() => showChat(chat)),
    isOpen: (chat) => openChat() === chat,
  });
}
