/* The panel beside the phone: it pulls the stand-in's levers and shows what happened. */

import { getText, post } from "./net.js";
import { fingerLifted, patchChildren } from "./patch.js";

const LOOK_AGAIN_MS = 2500;
const GLOW_MS = 1600;
const panel = () => document.getElementById("drawer");
const whenDrawn = [];

export const DESK_TAPS = {
  "data-drawer-tab": (element) => showTab(element.dataset.drawerTab),
  "data-clock": (element) => setClock(Number(element.dataset.clock)),
  "data-fault": (element) => inject(element),
  "data-drop": (element) => post("/phone/drawer/drop", { id: Number(element.dataset.drop) }),
  "data-forget": () => post("/phone/drawer/forget"),
  "data-match": (element) => aimAt(element.dataset.match),
  "data-pay-order": ({ dataset }) =>
    post("/_ctl/pay", { out_trade_no: dataset.payOrder, mode: dataset.mode }),
  "data-refund": ({ dataset }) =>
    post("/_ctl/refund_state", { out_refund_no: dataset.refund, status: dataset.status }),
  "data-micropay": ({ dataset }) =>
    post("/_ctl/micropay_password", { out_trade_no: dataset.micropay, decision: dataset.answer }),
};

export const DESK_SWITCHES = {
  "data-clock-wire": (input) => setClock(offset(), input.checked),
};

export function onDrawn(listener) {
  whenDrawn.push(listener);
}

export async function refreshDesk() {
  if (!panel().getClientRects().length) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await getText("/phone/drawer");
  await fingerLifted();
  const open = [...panel().querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key);
  patchChildren(panel(), fresh.content);
  for (const one of panel().querySelectorAll("details[data-key]")) {
    one.open = open.includes(one.dataset.key);
  }
  drawn();
}

function drawn() {
  showTab(panel().dataset.shows);
  filterFaults();
  for (const listener of whenDrawn) listener();
}

function showTab(name) {
  panel().dataset.shows = name;
  for (const tab of panel().querySelectorAll("[data-drawer-tab]")) {
    const on = tab.dataset.drawerTab === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
  }
  for (const part of panel().querySelectorAll("[data-drawer-panel]")) {
    part.hidden = part.dataset.drawerPanel !== name;
  }
}

/* Left and right move between the tabs, as in every list of tabs. */
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[data-drawer-tab]");
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!tab || !step) return;
  const tabs = [...panel().querySelectorAll("[data-drawer-tab]")];
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  showTab(next.dataset.drawerTab);
  next.focus();
});

// -------------------------------------------------------------------- clock
const wire = () => panel().querySelector("[data-clock-wire]").checked;
const offset = () => Number(document.body.dataset.offset) / 1000;

async function setClock(seconds, shiftsWire = wire()) {
  const { offset_s: now } = await post("/_ctl/clock", { offset_s: seconds, wire: shiftsWire });
  document.body.dataset.offset = String(now * 1000);
}

// -------------------------------------------------------------------- faults
const field = (name) => panel().querySelector(`#fault-${name}`);

async function inject(button) {
  const kind = button.dataset.fault;
  const asked = { kind, match: field("match").value.trim(), value: field("value").value.trim() };
  if (field("times").value) asked.times = Number(field("times").value);
  if (field("seconds").value) asked.seconds = Number(field("seconds").value);
  await post("/_ctl/fault", asked);
  document.getElementById("desk-said").textContent = `已放入 ${kind}`;
  button.animate([{ background: "#b9e6cb" }, { background: "transparent" }], GLOW_MS);
}

function aimAt(text) {
  field("match").value = text;
  showTab("faults");
  field("search").focus();
}

function filterFaults() {
  const word = field("search").value.trim().toLowerCase();
  for (const group of panel().querySelectorAll(".fault-group")) {
    const buttons = [...group.querySelectorAll("[data-fault]")];
    const heading = group.querySelector("h4").textContent;
    for (const button of buttons) {
      button.hidden = !`${heading} ${button.textContent}`.toLowerCase().includes(word);
    }
    group.hidden = buttons.every((button) => button.hidden);
  }
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-fault-search]")) filterFaults();
});

drawn();

/* Notices of other people's orders tell this page nothing: it looks by itself. */
export function lookAgain(run) {
  setInterval(() => {
    if (!document.hidden && panel().dataset.shows !== "phone") run(refreshDesk);
  }, LOOK_AGAIN_MS);
}
