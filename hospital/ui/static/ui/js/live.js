// The live channel carries hints, never data: a hint names a topic, and every element that wears
// data-live="<topic>" asks the server again for itself. A lost hint costs one slow poll.
import { refetch } from "./hypermedia.js";

const GATHER_MS = 250; // hints that come together are one question
const LONGEST_MS = 4000; // where they never stop, as after a release, it is asked all the same
const POLL_MS = 20000;

const waiting = new Set();
let timer = 0;
let firstAt = 0;
let source = null;

function address() {
  return document.querySelector('meta[name="live-stream"]')?.content;
}

function showState(state) {
  const words = { on: "实时连接", off: "正在重连", none: "定时刷新" };
  // A page on which nothing changes by itself promises nothing.
  const changes = Boolean(address() || document.querySelector("[data-live]"));
  for (const element of document.querySelectorAll("[data-live-state]")) {
    element.hidden = !changes;
    element.dataset.state = state;
    element.textContent = words[state];
  }
}

function ask() {
  timer = 0;
  const topics = new Set(waiting);
  waiting.clear();
  for (const element of document.querySelectorAll("[data-live]")) {
    const mine = element.dataset.live.split(/\s+/);
    if (!topics.has("*") && !mine.some((topic) => topics.has(topic))) continue;
    // Somebody is answering a question inside: what they see must not be pulled away.
    if (element.querySelector("dialog[open]")) continue;
    refetch(element);
  }
}

function hint(topic) {
  document.dispatchEvent(new CustomEvent(`live:${topic}`));
  waiting.add(topic);
  const now = Date.now();
  if (!timer) firstAt = now;
  clearTimeout(timer);
  timer = setTimeout(ask, Math.max(0, Math.min(GATHER_MS, firstAt + LONGEST_MS - now)));
}

function connect() {
  const url = address();
  if (!url || source) return;
  source = new EventSource(url);
  let lost = false;
  source.onopen = () => {
    showState("on");
    if (lost) hint("*"); // what happened meanwhile, nobody told us
    lost = false;
  };
  source.onerror = () => {
    lost = true;
    // A refused stream (its ticket is too old) stays closed: then the slow poll is all there is.
    showState(source?.readyState === EventSource.CLOSED ? "none" : "off");
  };
  source.onmessage = (event) => hint(JSON.parse(event.data));
}

function disconnect() {
  source?.close();
  source = null;
}

setInterval(() => {
  const open = source && source.readyState === EventSource.OPEN;
  if (!open && document.visibilityState === "visible") hint("*");
}, POLL_MS);

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    disconnect();
  } else {
    connect();
    hint("*");
  }
});
window.addEventListener("pagehide", disconnect);
window.addEventListener("pageshow", (event) => event.persisted && connect());

showState(address() ? "off" : "none");
connect();
