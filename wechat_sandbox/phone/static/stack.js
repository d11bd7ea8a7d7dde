/* The screens of the phone, one upon another, moving as on the real thing. */

import { getScreen } from "./net.js";
import { fingerLifted, patchChildren } from "./patch.js";

const MOVE_MS = 320;
const stack = () => document.getElementById("stack");
const whenShown = [];
let coming = "";

const staying = () =>
  [...stack().children].filter((screen) => !screen.classList.contains("is-leaving"));

export function top() {
  return staying().at(-1);
}

export function isFirst() {
  return staying().length < 2;
}

export function onShown(listener) {
  whenShown.push(listener);
}

function shown(screen) {
  for (const listener of whenShown) listener(screen);
}

function settle(screen) {
  for (const scroll of screen.querySelectorAll("[data-pinned]")) {
    scroll.scrollTop = scroll.scrollHeight;
  }
}

export async function push(address) {
  if (coming === address || top()?.dataset.src === address) return;
  coming = address;
  try {
    const screen = await getScreen(address);
    const below = top();
    screen.classList.add("is-entering");
    stack().append(screen);
    settle(screen);
    screen.getBoundingClientRect();
    screen.classList.remove("is-entering");
    if (below) {
      below.classList.add("is-under");
      below.inert = true;
    }
    screen.querySelector("h1")?.focus({ preventScroll: true });
    shown(screen);
  } finally {
    coming = "";
  }
}

export function pop() {
  const [below, screen] = staying().slice(-2);
  if (!screen) return;
  screen.classList.add("is-leaving");
  screen.inert = true;
  below.classList.remove("is-under");
  below.inert = false;
  below.querySelector("h1")?.focus({ preventScroll: true });
  setTimeout(() => screen.remove(), MOVE_MS);
  refresh(below).then(() => shown(below));
}

/* Back to a screen that lies somewhere below; false when there is none. */
export function popTo(address) {
  const at = staying().findIndex((screen) => screen.dataset.src === address);
  if (at < 0) return false;
  for (let above = staying().length - 1 - at; above > 0; above -= 1) pop();
  return true;
}

export function showTab(name) {
  const screen = stack().querySelector("[data-tabs]");
  if (!screen) return;
  screen.dataset.tabs = name;
  for (const panel of screen.querySelectorAll("[data-panel]")) {
    panel.hidden = panel.dataset.panel !== name;
  }
  for (const part of screen.querySelectorAll("[data-only-tab]")) {
    part.hidden = part.dataset.onlyTab !== name;
  }
  markTab(screen);
}

function markTab(screen) {
  const name = screen.dataset.tabs;
  if (!name) return;
  for (const tab of screen.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === name) {
      tab.setAttribute("aria-current", "page");
      screen.querySelector("[data-tab-title]").textContent =
        tab.dataset.tab === "me" ? "" : tab.lastElementChild.textContent;
    } else {
      tab.removeAttribute("aria-current");
    }
  }
}

/* Read a screen again and change only the parts that differ; a chat read to its end stays there. */
export async function refresh(screen) {
  const address = screen?.dataset.src;
  if (!address) return;
  const fresh = await getScreen(address);
  await fingerLifted();
  for (const part of screen.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!other) continue;
    const atEnd = part.scrollHeight - part.scrollTop - part.clientHeight < 80;
    patchChildren(part, other);
    if (part.hasAttribute("data-pinned") && atEnd) glideToEnd(part);
  }
  markTab(screen);
}

function glideToEnd(part) {
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  part.scrollTo({ top: part.scrollHeight, behavior: calm ? "auto" : "smooth" });
}

/* What was made for this moment (a payment code) stays until its own time is over. */
export function refreshAll() {
  const screens = [...stack().children].filter((screen) => !screen.hasAttribute("data-still"));
  return Promise.all(screens.map(refresh));
}
