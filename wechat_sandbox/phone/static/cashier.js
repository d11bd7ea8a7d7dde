/* The payment sheet. Resolves with {result: "ok" | "cancel" | "fail", message} for the page. */

import { post, Refused } from "./net.js";
import { copyOf, dialog, hide, holdBack, iconOf, say, sheet, show, toast } from "./overlays.js";

const DIGITS = 6;
const OFFLINE = "网络异常，请稍后再试";
let open = false;
let scannedSheet = null;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* fields: the six of getBrandWCPayRequest; origin: of the asking page, as the browser says. */
export function pay(fields, origin) {
  return onlyOne(() => askAndPay(fields, origin));
}

/* A merchant's QR was scanned; sheet: what the stand-in says about its order. */
export function payOrder(sheet) {
  return onlyOne(() => new Cashier(sheet, sendPassword).run());
}

/* A cashier scanned this phone's code and the amount wants a password; giving up ends the charge.
   settled: called once this phone has decided. */
export function payScanned(order, settled) {
  return onlyOne(async () => {
    const number = order.out_trade_no;
    const enter = (password) => post("/phone/paycode/enter", { out_trade_no: number, password });
    scannedSheet = new Cashier(order, (_, password) => enter(password));
    const outcome = await scannedSheet.run();
    scannedSheet = null;
    settled();
    if (outcome.result === "cancel") await enter(null);
    return outcome;
  });
}

/* The charge was decided: true when this phone's own sheet is just telling so. A sheet that still
   waits for digits is put away. */
export function isTelling(number) {
  if (scannedSheet?.order.out_trade_no !== number) return false;
  if (scannedSheet.busy) return true;
  scannedSheet.finish({ result: "over" });
  return false;
}

async function onlyOne(run) {
  if (open) return { result: "fail", message: "another payment is open" };
  open = true;
  try {
    return await run();
  } catch (problem) {
    if (!(problem instanceof Refused) && !(problem instanceof TypeError)) throw problem;
    await say(OFFLINE);
    return { result: "fail", message: OFFLINE };
  } finally {
    open = false;
  }
}

async function askAndPay(fields, origin) {
  const done = toast("微信支付", { busy: true, kind: "is-pay" });
  let answer;
  try {
    [answer] = await Promise.all([post("/phone/pay/open", { fields, origin }), pause(500)]);
  } finally {
    done();
  }
  if (answer.refused) {
    await say(answer.refused);
    return { result: "fail", message: answer.refused };
  }
  return new Cashier(answer.sheet, sendPassword).run();
}

function sendPassword({ prepay_id }, password, method) {
  return post("/phone/pay", { prepay_id, password, method });
}

class Cashier {
  constructor(order, send) {
    this.order = order;
    this.submit = send;
    this.method = order.methods[0];
    this.digits = "";
    this.busy = false;
    this.mask = copyOf("pay-template");
    this.status = this.mask.querySelector(".pay-status");
  }

  run() {
    return new Promise((resolve) => {
      this.finish = (outcome) => {
        this.release();
        document.removeEventListener("keydown", this.onKey, true);
        hide(this.mask, 350);
        resolve(outcome);
      };
      fill(this.mask, { merchant: this.order.merchant, amount: this.order.amount });
      this.useMethod(this.method);
      this.mask.addEventListener("click", (event) => this.clicked(event.target));
      this.onKey = (event) => this.key(event);
      document.addEventListener("keydown", this.onKey, true);
      this.release = holdBack(this.mask);
      show(this.mask);
      this.mask.querySelector("h2").focus({ preventScroll: true });
    });
  }

  useMethod(method) {
    this.method = method;
    const icon = this.mask.querySelector('[data-fill="method-icon"]');
    icon.replaceChildren(iconOf(method.icon));
    fill(this.mask, { method: method.note ? `${method.label}（${method.note}）` : method.label });
    this.mask.querySelector(".pay-method").classList.toggle("is-short", !method.enough);
  }

  clicked(target) {
    if (this.busy) return;
    const key = target.closest("[data-key]");
    if (key) this.press(key.dataset.key);
    else if (target.closest("[data-pay-cancel]")) this.finish({ result: "cancel" });
    else if (target.closest("[data-pay-methods]")) this.chooseMethod();
  }

  key(event) {
    if (this.busy || this.mask.inert) return;
    if (/^\d$/.test(event.key)) this.press(event.key);
    else if (event.key === "Backspace") this.press("erase");
    else if (event.key === "Escape") this.finish({ result: "cancel" });
    else return;
    event.preventDefault();
  }

  press(key) {
    if (this.busy) return;
    if (key === "erase") this.digits = this.digits.slice(0, -1);
    else if (this.digits.length < DIGITS) this.digits += key;
    this.status.textContent = "";
    this.paint();
    if (this.digits.length === DIGITS) this.send();
  }

  paint() {
    const boxes = this.mask.querySelector(".pay-boxes");
    [...boxes.children].forEach((box, index) => {
      box.classList.toggle("is-full", index < this.digits.length);
    });
    boxes.setAttribute("aria-label", `已输入 ${this.digits.length} 位`);
  }

  async chooseMethod() {
    const chosen = await sheet({
      head: "选择付款方式",
      kind: "is-methods",
      items: this.order.methods.map((method) => ({
        label: method.label,
        note: method.note,
        icon: method.icon,
        value: method,
        on: method === this.method,
      })),
    });
    if (chosen) this.useMethod(chosen);
  }

  async send() {
    this.busy = true;
    const done = toast("支付中", { busy: true, kind: "is-pay" });
    let answer;
    try {
      [answer] = await Promise.all([
        this.submit(this.order, this.digits, this.method.name),
        pause(700),
      ]);
    } catch (problem) {
      if (!(problem instanceof Refused) && !(problem instanceof TypeError)) throw problem;
      answer = { result: "offline", says: OFFLINE };
    } finally {
      done();
    }
    this.digits = "";
    this.paint();
    await this.heard(answer);
    this.busy = false;
  }

  async heard(answer) {
    if (answer.result === "paid") {
      await showReceipt({ ...this.order, method: this.method.label });
      this.finish({ result: "ok" });
    } else if (answer.result === "wrong_password" || answer.result === "locked") {
      await this.wrongPassword(answer);
    } else if (answer.result === "not_enough" || answer.result === "card_refused") {
      await this.noMoney(answer);
    } else {
      await say(answer.says);
      if (answer.result === "fail") this.finish({ result: "fail", message: answer.says });
    }
  }

  async wrongPassword(answer) {
    const choice = await dialog({
      text: answer.says,
      buttons: [
        { label: "忘记密码", value: "forgot" },
        { label: answer.result === "locked" ? "知道了" : "重试", value: "again", main: true },
      ],
    });
    this.status.textContent = answer.result === "locked" ? "" : answer.says;
    if (choice !== "forgot") return;
    const { password } = await post("/phone/pay/forgot");
    this.status.textContent = "";
    await dialog({
      title: "找回支付密码",
      text: `这部模拟手机的支付密码是 ${password}`,
      buttons: [{ label: "我记住了", value: true, main: true }],
    });
  }

  async noMoney(answer) {
    const choice = await dialog({
      text: answer.says,
      buttons: [
        { label: "取消", value: "stay" },
        { label: "更换付款方式", value: "change", main: true },
      ],
    });
    if (choice === "change") await this.chooseMethod();
  }
}

export function showReceipt({ merchant, amount, method }) {
  return new Promise((resolve) => {
    const screen = copyOf("paid-template");
    fill(screen, { merchant, amount, method });
    const release = holdBack(screen);
    screen.querySelector("[data-paid-done]").addEventListener("click", () => {
      release();
      hide(screen, 350);
      resolve();
    });
    show(screen);
    screen.querySelector("[data-paid-done]").focus({ preventScroll: true });
  });
}

function fill(element, values) {
  for (const [name, value] of Object.entries(values)) {
    const place = element.querySelector(`[data-fill="${name}"]`);
    if (place) place.textContent = value;
  }
}
