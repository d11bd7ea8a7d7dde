// The lock over a page nobody works at (staff pages). It lies over what is half filled in and takes
// the password here, so nothing typed is lost. The server decides: it refuses every request of an
// idle log-in by itself; this page only shows that early and asks.
const CHECK_MS = 5000;
const TELL_MS = 60000; // as often as the server notes that somebody is there
const SEEN = "staff-seen"; // shared by the windows of this browser: somebody was active (ms)
const NEWS = "staff-lock"; // another window locked or unlocked

const dialog = document.getElementById("lock");
const within = (selector) => dialog.querySelector(selector);
let told = Date.now();
let isLocked = false;
let isLocking = false;

function isIdle() {
  const seen = Number(localStorage.getItem(SEEN)) || told;
  return limit() > 0 && Date.now() - seen >= limit();
}

function limit() {
  return Number(dialog.dataset.seconds) * 1000;
}

function token() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

// Another log-in of the same person gives forms another token: those in this page take it over.
function takeToken(fresh) {
  const meta = document.querySelector('meta[name="csrf-token"]');
  if (meta) meta.content = fresh;
  for (const input of document.querySelectorAll('input[name="csrfmiddlewaretoken"]')) {
    input.value = fresh;
  }
}

async function ask(how = "") {
  try {
    const answer = await fetch(dialog.dataset.stateUrl + how, { headers: { "X-Live": "1" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // no network: the page stays as it is and asks again
  }
}

function open() {
  isLocked = true;
  if (!dialog.open) dialog.showModal();
}

function close(facts) {
  takeToken(facts.token);
  localStorage.setItem(SEEN, Date.now());
  localStorage.setItem(NEWS, `open ${Date.now()}`);
  // A form that came too late may have been typed by somebody else: say who would send it now.
  const held = document.querySelector("[data-held]");
  if (held && facts.name) held.textContent = `以${facts.name}的身份继续提交`;
  told = Date.now();
  isLocked = false;
  if (dialog.open) dialog.close();
}

function say(text) {
  within("#lock-text").textContent = text;
}

function showForm(facts) {
  within("#lock-title").textContent = "已锁定";
  say("一段时间没有操作，页面已锁定。没有保存的内容还在，输入密码就能继续。");
  within("[data-lock-form]").hidden = false;
  within("[data-lock-login]").hidden = true;
  within("[data-lock-code]").hidden = !facts.asks_code;
  const shown = within("[data-lock-shown]");
  shown.hidden = !facts.shown_code;
  shown.textContent = facts.shown_code ? `演示环境，现在的口令：${facts.shown_code}` : "";
  open();
  if (document.activeElement !== within("#lock-code")) within("#lock-password").focus();
}

function showEnded(title, text) {
  within("#lock-title").textContent = title;
  say(text);
  within("[data-lock-form]").hidden = true;
  within("[data-lock-login]").hidden = false;
  open();
  within("[data-lock-login]").focus();
}

function show(facts) {
  if (!facts) return;
  const own = dialog.dataset.account;
  const isOther = Boolean(own && facts.account && String(facts.account) !== own);
  if (facts.state === "ended") {
    showEnded("登录已结束", "没有保存的内容还在这一页上。在新窗口登录后回到这里，就能继续。");
  } else if (isOther) {
    showEnded(`现在登录的是${facts.name}`, "这一页是另一个人打开的，请让他在新窗口登录，或关掉这一页。");
  } else if (facts.state === "locked") {
    showForm(facts);
  } else {
    close(facts);
  }
}

async function lock() {
  if (isLocking) return;
  isLocking = true;
  showForm({}); // at once; whether a code is asked for follows
  try {
    await fetch(dialog.dataset.lockUrl, { method: "POST", headers: { "X-CSRFToken": token() } });
    localStorage.setItem(NEWS, `locked ${Date.now()}`); // only now: other windows ask the server
  } catch {
    say("网络不通。没有保存的内容还在，网络恢复后输入密码就能继续。");
  } finally {
    isLocking = false;
    show(await ask());
  }
}

async function unlock(event) {
  const form = event.target;
  event.preventDefault();
  const error = within("[data-lock-error]");
  error.textContent = "";
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "X-CSRFToken": token() },
      body: new URLSearchParams(new FormData(form)),
    });
    const facts = await answer.json();
    form.reset();
    if (answer.ok) close(facts);
    else if (answer.status === 401) show(await ask());
    else {
      error.textContent = facts.message;
      show(await ask());
      within("#lock-password").focus();
    }
  } catch {
    error.textContent = "网络不通，请检查后再试。";
  } finally {
    form.dispatchEvent(new CustomEvent("form:answered", { bubbles: true }));
  }
}

// Somebody types or clicks: the server hears of it once a minute, or a long form would look idle.
async function active() {
  if (dialog.open) return;
  if (isIdle()) {
    lock();
    return;
  }
  localStorage.setItem(SEEN, Date.now());
  if (Date.now() - told < TELL_MS) return;
  told = Date.now();
  const facts = await ask("?awake=1");
  if (facts && facts.state !== "open") show(facts);
}

async function look() {
  if (isLocking) return;
  if (dialog.open) show(await ask());
  else if (isIdle()) lock();
}

if (dialog) {
  if (limit()) localStorage.setItem(SEEN, Date.now());
  within("[data-lock-form]").addEventListener("submit", unlock);
  // Escape closes other dialogs; this one opens again until somebody has proved who they are.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => isLocked && open());
  for (const kind of ["keydown", "pointerdown"]) {
    document.addEventListener(kind, active, { capture: true, passive: true });
  }
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || dialog.contains(event.target) || !isIdle()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    lock();
  }, true);
  document.addEventListener("click", (event) => event.target.closest("[data-lock-now]") && lock());
  document.addEventListener("staff:locked", async () => show(await ask()));
  document.addEventListener(`live:until:staff-session:${dialog.dataset.session}`, async () => {
    const facts = await ask();
    if (facts && facts.state !== "open") show(facts);
  });
  document.addEventListener("visibilitychange", () => document.hidden || look());
  window.addEventListener("focus", look);
  window.addEventListener("storage", async (event) => {
    if (!isLocking && event.key === NEWS && (dialog.open || event.newValue?.startsWith("locked"))) {
      show(await ask());
    }
  });
  setInterval(() => !dialog.open && isIdle() && lock(), CHECK_MS);
  if (dialog.dataset.opensAs) ask().then(show);
}
