// The pay button. It asks the server for an order, opens WeChat's payment sheet, and then asks the
// server what WeChat says: the sheet's own word only decides which sentence is shown meanwhile.

// The kit shows it; an event keeps this file free of the kit's (hashed) addresses.
const toast = (value) => document.dispatchEvent(new CustomEvent("toast", { detail: { value } }));

const ASK_MS = 2000;
const ASK_TIMES = 15;
const BRIDGE_MS = 5000;
const WORDS = { cancel: "支付未完成，可继续支付", outside: "请在微信中打开本页完成支付" };

const shown = () => document.getElementById("pay-state").dataset;
const state = () => shown().state;
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

async function ask() {
  try {
    await window.htmx.ajax("post", shown().ask, { target: "#pay-state", swap: "outerHTML" });
  } catch {
    // The kit has said that the network is down; the next question or hint shows how it stands.
  }
}

async function askUntilKnown() {
  for (let times = 0; times < ASK_TIMES && isOpen(); times += 1) {
    await ask();
    if (isOpen()) await wait(ASK_MS);
  }
}

async function pay(form) {
  const answer = await order(form).catch(() => null);
  if (!answer) {
    toast("网络不通，请检查后再试");
    return;
  }
  if (!answer.sheet) {
    if (answer.message || answer.failed) toast(answer.message || "没有完成，请刷新页面后再试");
    await ask();
    return;
  }
  const word = await openSheet(answer.sheet).catch(() => "outside");
  if (word === "ok") {
    await askUntilKnown();
    return;
  }
  toast(WORDS[word] || "支付没有成功，可再试一次");
  await ask();
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-pay]");
  if (!form) return;
  event.preventDefault();
  busy = true;
  pay(form).finally(() => {
    busy = false;
    hideResume();
    // When no answer came, this is the form the next tap will use.
    form.dispatchEvent(new CustomEvent("form:answered", { bubbles: true }));
  });
});
document.addEventListener("htmx:afterSettle", hideResume);

// Opened again after the app was closed in the middle: WeChat may know more than we do.
if (["paying", "confirming"].includes(state())) ask();
