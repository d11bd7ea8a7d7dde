/* Several phones in several tabs. The browser's cookie knows one holder: the phone at `/`. A tab opened
   as `/?as=<openid>` is a phone of its own, whose pages run in frames without the browser's cookies.

   A tab whose phone changes hands becomes a phone of its own when another tab already shows the
   cookie's phone; otherwise the cookie changes hands, as it always did. */

import { isApart, post } from "./net.js";
import { dialog } from "./overlays.js";

const ANSWERS_WITHIN_MS = 120;
export const canLiveApart = "credentialless" in HTMLIFrameElement.prototype;

const others = new BroadcastChannel("phones");
others.addEventListener("message", ({ data }) => {
  if (data === "anybody?" && !isApart && document.body.dataset.holder) others.postMessage("here");
});

function anotherTabIsThePhone() {
  return new Promise((resolve) => {
    const answer = ({ data }) => {
      if (data === "here") finish(true);
    };
    const finish = (found) => {
      others.removeEventListener("message", answer);
      clearTimeout(timer);
      resolve(found);
    };
    const timer = setTimeout(() => finish(false), ANSWERS_WITHIN_MS);
    others.addEventListener("message", answer);
    others.postMessage("anybody?");
  });
}

async function staysInThisTab() {
  return canLiveApart && (isApart || (await anotherTabIsThePhone()));
}

const ownAddress = (openid) => `/?as=${encodeURIComponent(openid)}`;

export async function hold(openid) {
  if (document.querySelector("[data-next]") === null && (await staysInThisTab())) {
    window.location.replace(ownAddress(openid));
    return;
  }
  if (openid !== document.body.dataset.holder) await post("/phone/hold", { openid });
  goOn();
}

export async function newHolder() {
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
  const apart = document.querySelector("[data-next]") === null && (await staysInThisTab());
  const { openid } = await post("/phone/people", { nickname: text, apart });
  if (apart) window.location.replace(ownAddress(openid));
  else goOn();
}

/* A second phone beside this one. */
export function openAnother(openid) {
  window.open(ownAddress(openid), "_blank");
}

function goOn() {
  const next = document.querySelector("[data-next]")?.dataset.next || "/";
  window.location.replace(next);
}

export async function leave() {
  if (isApart) {
    window.location.replace(ownAddress(""));
    return;
  }
  await post("/phone/leave");
  window.location.replace("/");
}

/* This browser cannot keep two phones apart: the tab becomes the browser's one phone. */
export async function settleDown(openid) {
  await post("/phone/hold", { openid });
  window.location.replace("/");
}

/* Where a frame of this phone must start, so that its own cookies know the holder. */
export async function frameAddress(url) {
  if (!isApart) return url;
  const { address } = await post("/phone/page", { url });
  return address;
}
