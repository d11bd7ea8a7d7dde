/* 收付款: a fresh code each minute while it is on the screen, and the answer to a cashier's scan. */

import { isTelling, payScanned, showReceipt } from "./cashier.js";
import { get } from "./net.js";
import { say } from "./overlays.js";
import { refresh, top } from "./stack.js";

const FRESH_MS = 60_000;
let shownAt = 0;
/* Numbers whose password was asked for, and those whose end this phone has shown. */
const asked = new Set();
const told = new Set();

const onScreen = () => top()?.hasAttribute("data-paycode");

export function paycodeShown() {
  if (onScreen()) shownAt = Date.now();
}

setInterval(() => {
  if (!onScreen() || document.hidden || Date.now() - shownAt < FRESH_MS) return;
  shownAt = Date.now();
  refresh(top());
}, 1000);

/* A code of this phone was charged, wants the password, or the charge came to nothing. */
export async function scanned(number) {
  const answer = await get(`/phone/paycode/${encodeURIComponent(number)}`);
  if (answer.asks) await ask(answer.asks);
  else if (answer.paid) await tell(number, () => showReceipt(answer.paid));
  else if (answer.failed) await tell(number, () => say(answer.failed));
}

/* The phone was opened while a charge waits for its password. */
export async function askAgain() {
  const { out_trade_no: number } = await get("/phone/paycode/waiting");
  if (number) await scanned(number);
}

async function ask(order) {
  const number = order.out_trade_no;
  if (asked.has(number)) return;
  asked.add(number);
  await payScanned(order, () => told.add(number));
  renew();
}

async function tell(number, show) {
  if (told.has(number) || isTelling(number)) return;
  told.add(number);
  await show();
  renew();
}

function renew() {
  if (onScreen()) refresh(top());
}
