// The pay button. It asks the server for an order, opens WeChat's payment sheet, and then asks the
// server what WeChat says: the sheet's own word only decides which sentence is shown meanwhile.
// The kit shows it; an event keeps this file free of the kit's (hashed) addresses.
const toast = (value) => document.dispatchEvent(new CustomEvent("toast", { detail: { value } }));

const ASK_MS = 2000;
const ASK_TIMES = 15;
const BRIDGE_MS = 5000;

const state = () => document.getElementById("pay-state")?.dataset.state;
const isOpen = () => ["unpaid", "paying", "confirming"].includes(state());
// While our own sheet is open, "a payment is not finished" would be true and confusing.
let busy = false;

function hideResume() {
  for (const note of document.querySelectorAll("[data-resume]")) note.hidden = busy;
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function bridge() {
  if (window.WeixinJSBridge) return Promise.resolve(window.WeixinJSBridge);
  return new Promise((found, missing) => {
    document.addEventListener("WeixinJSBridgeReady", () => found(window.WeixinJSBridge), { once: true });
    setTimeout(() => missing(new Error("no bridge")), BRIDGE_MS);
  });
}

async function openSheet(parameters) {
  const weixin = await bridge();
  return new Promise((done) => {
    weixin.invoke("getBrandWCPayRequest", parameters, (answer) => {
      done(String(answer.err_msg || answer.errMsg || "").split(":").pop());
    });
  });
}

async function order(form) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
    credentials: "same-origin",
  });
  const facts = (answer.headers.get("Content-Type") || "").includes("json") ? await answer.json() : {};
  return { ...facts, failed: !answer.ok };
}

function ask(address) {
  return window.htmx.ajax("post", address, { target: "#pay-state", swap: "outerHTML" });
}

async function askUntilKnown(address) {
  for (let times = 0; times < ASK_TIMES && isOpen(); times += 1) {
    await ask(address);
    if (isOpen()) await wait(ASK_MS);
  }
}

async function pay(form) {
  const address = form.dataset.ask;
  const answer = await order(form);
  if (!answer.sheet) {
    if (answer.message) toast(answer.message);
    else if (answer.failed) toast("没有完成，请刷新页面后再试");
    await ask(address);
    return;
  }
  const word = await openSheet(answer.sheet);
  if (word === "ok") {
    await askUntilKnown(address);
    return;
  }
  toast(word === "cancel" ? "支付未完成，可继续支付" : "支付没有成功，可再试一次");
  await ask(address);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-pay]");
  if (!form) return;
  event.preventDefault();
  busy = true;
  pay(form)
    .catch(() => {
      toast("请在微信中打开本页完成支付");
      return ask(form.dataset.ask);
    })
    .finally(() => {
      busy = false;
      hideResume();
    });
});
document.addEventListener("htmx:afterSettle", hideResume);

// Opened again after the app was closed in the middle: WeChat may know more than we do.
const form = document.querySelector("[data-pay]");
if (state() === "paying" && form) ask(form.dataset.ask);
