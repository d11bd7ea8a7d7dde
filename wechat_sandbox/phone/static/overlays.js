/* What lies over a screen: dialogs, action sheets, toasts. Only one of each asks at a time. */

const layer = () => document.getElementById("overlays");

export function copyOf(templateId) {
  return document.getElementById(templateId).content.firstElementChild.cloneNode(true);
}

/* The rest of the phone must not take focus or clicks while something modal is open. */
export function holdBack(modal) {
  const rest = [document.getElementById("stack"), document.getElementById("views")].filter(
    (part) => part && !part.inert,
  );
  const others = [...layer().children].filter((child) => child !== modal && !child.inert);
  const before = document.activeElement;
  [...rest, ...others].forEach((part) => {
    part.inert = true;
  });
  return () => {
    [...rest, ...others].forEach((part) => {
      part.inert = false;
    });
    if (before && before.isConnected) before.focus({ preventScroll: true });
  };
}

export function show(element) {
  layer().append(element);
  element.getBoundingClientRect();
  element.classList.add("is-on");
}

/* Removal does not depend on the transition: a hidden tab never ends one. */
export function hide(element, after = 300) {
  element.classList.remove("is-on");
  element.inert = true;
  setTimeout(() => element.remove(), after);
}

/* buttons: [{label, value, main}]; resolves with the chosen value, the last button is the safe way.
   field: {label, type, value} asks for text; the answer is then {value, text}. */
export function dialog({ title = "", text = "", buttons, field = null }) {
  return new Promise((resolve) => {
    const mask = copyOf("dialog-template");
    const box = mask.querySelector(".dialog");
    const heading = box.querySelector("h2");
    const words = box.querySelector("p");
    heading.textContent = title;
    words.textContent = text;
    heading.hidden = !title;
    words.hidden = !text;
    box.setAttribute("aria-label", title || text);
    const input = field ? addField(box.querySelector(".dialog-field"), field) : null;
    const release = holdBack(mask);
    const finish = (value) => {
      release();
      hide(mask);
      resolve(input ? { value, text: input.value.trim() } : value);
    };
    for (const button of buttons) {
      const element = document.createElement("button");
      element.type = "button";
      element.textContent = button.label;
      element.classList.toggle("is-main", Boolean(button.main));
      element.addEventListener("click", () => finish(button.value));
      box.querySelector(".dialog-buttons").append(element);
    }
    mask.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") finish(buttons[0].value);
      if (event.key === "Enter" && input && event.target === input) {
        finish(buttons[buttons.length - 1].value);
      }
    });
    show(mask);
    (input || box.querySelector(".dialog-buttons button:last-child")).focus();
  });
}

function addField(place, field) {
  const input = document.createElement("input");
  input.type = field.type || "text";
  input.value = field.value || "";
  input.placeholder = field.label;
  input.setAttribute("aria-label", field.label);
  if (field.mode) input.inputMode = field.mode;
  place.append(input);
  return input;
}

export function say(text) {
  return dialog({ text, buttons: [{ label: "确定", value: true, main: true }] });
}

/* items: [{label, value, note, icon, off, on}]; resolves with a value, or null when put away. */
export function sheet({ head = "", items, kind = "" }) {
  return new Promise((resolve) => {
    const mask = copyOf("sheet-template");
    if (kind) mask.querySelector(".sheet").classList.add(kind);
    mask.querySelector(".sheet-head").textContent = head;
    mask.querySelector(".sheet-head").hidden = !head;
    mask.querySelector(".sheet").setAttribute("aria-label", head || "选择");
    const release = holdBack(mask);
    const finish = (value) => {
      release();
      hide(mask);
      resolve(value);
    };
    for (const item of items) mask.querySelector(".sheet-items").append(sheetItem(item, finish));
    mask.querySelector(".sheet-cancel").addEventListener("click", () => finish(null));
    mask.addEventListener("click", (event) => {
      if (event.target === mask) finish(null);
    });
    mask.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") finish(null);
    });
    show(mask);
    mask.querySelector("button").focus({ preventScroll: true });
  });
}

function sheetItem(item, finish) {
  const button = document.createElement("button");
  button.type = "button";
  if (item.icon) button.append(iconOf(item.icon));
  const words = document.createElement("span");
  words.textContent = item.label;
  if (item.note) {
    const note = document.createElement("small");
    note.textContent = item.note;
    words.append(note);
  }
  button.append(words);
  if (item.on) {
    button.append(iconOf("tick"));
    button.setAttribute("aria-current", "true");
  }
  button.addEventListener("click", () => finish(item.value));
  return button;
}

export function iconOf(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  picture.setAttribute("class", `icon icon-${name}`);
  picture.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `/phone/static/icons.svg#${name}`);
  picture.append(use);
  return picture;
}

/* A short word in the middle. busy=true stays until the returned function is called. */
export function toast(text, { busy = false, kind = "" } = {}) {
  const element = copyOf("toast-template");
  element.querySelector("p").textContent = text;
  element.classList.toggle("is-busy", busy);
  if (kind) element.classList.add(kind);
  if (kind === "is-done") element.querySelector(".toast-sign").append(iconOf("tick"));
  show(element);
  const close = () => hide(element, 200);
  if (!busy) setTimeout(close, 1600);
  return close;
}
