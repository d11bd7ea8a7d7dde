// Keys: an element with data-key="F2" is pressed (or, if it takes text, focused) by that key.
// "?" shows every key of the page, read from the elements themselves, so the list is never old.

function combination(event) {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  parts.push(event.key.length === 1 ? event.key.toUpperCase() : event.key);
  return parts.join("+");
}

function takesText(element) {
  return element.matches("input:not([type=checkbox], [type=radio]), textarea, select");
}

function labelOf(element) {
  return element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim();
}

function use(element) {
  if (takesText(element)) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
}

function list() {
  const dialog = document.createElement("dialog");
  dialog.className = "x-sheet";
  dialog.dataset.sheet = "";
  dialog.setAttribute("aria-labelledby", "keys-title");
  dialog.innerHTML =
    '<div class="x-sheet-head"><h2 id="keys-title" tabindex="-1" autofocus>全部快捷键</h2></div>' +
    '<div class="x-sheet-body"><dl class="x-facts"></dl></div>' +
    '<div class="x-sheet-foot"><button type="button" class="x-btn" data-close>关闭</button></div>';
  const facts = dialog.querySelector("dl");
  const known = [...document.querySelectorAll("[data-key]")].map((element) => [
    element.dataset.key, labelOf(element),
  ]);
  for (const [key, label] of [...known, ["?", "全部快捷键"], ["Escape", "关闭窗口"]]) {
    const row = document.createElement("div");
    const name = document.createElement("dt");
    const cap = document.createElement("dd");
    const kbd = document.createElement("kbd");
    name.textContent = label;
    kbd.textContent = key.replace("+", " ");
    cap.append(kbd);
    row.append(name, cap);
    facts.append(row);
  }
  document.getElementById("sheet").append(dialog);
  dialog.showModal();
}

// The status bar names a function key only while something on the page answers to it.
function showHints() {
  for (const hint of document.querySelectorAll(".x-statusbar > span")) {
    const key = hint.querySelector("kbd")?.textContent ?? "";
    if (/^F\d+$/.test(key)) hint.hidden = !document.querySelector(`[data-key="${key}"]`);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  const typing = takesText(document.activeElement);
  const pressed = combination(event);
  const plain = pressed.length === 1;
  if (typing && plain) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    list();
    return;
  }
  const target = document.querySelector(`[data-key="${CSS.escape(pressed)}"]:not(:disabled)`);
  if (!target) return;
  event.preventDefault();
  use(target);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) list();
});

showHints();
document.addEventListener("page:changed", showHints);
