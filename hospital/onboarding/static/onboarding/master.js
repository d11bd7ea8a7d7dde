// Master data: arrows walk the list, chosen rows collect in a form, unsaved forms are not lost.

function rows() {
  return [...document.querySelectorAll("[data-rows] [data-row]")];
}

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const here = document.activeElement;
  const inSearch = here.matches("[data-rows-search]");
  if (!inSearch && here.matches("input, select, textarea, button")) return;
  const all = rows();
  if (!all.length) return;
  event.preventDefault();
  const next = all.indexOf(here) + step;
  if (next < 0) document.querySelector("[data-rows-search]").focus();
  else all[Math.min(next, all.length - 1)].focus();
});

// Enter chooses; before there is anything to choose it must not send the half-typed form.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-unsaved] [data-combo-text]")) {
    event.preventDefault();
  }
});

document.addEventListener("combo:chosen", (event) => {
  const name = event.target.dataset.many;
  if (!name) return;
  const chosen = event.target.previousElementSibling;
  const text = event.target.querySelector("[data-combo-text]");
  const same = [...chosen.querySelectorAll("input")].find((box) => box.value === event.detail.value);
  if (same) {
    same.checked = true;
  } else {
    const label = document.createElement("label");
    label.className = "x-choice";
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", name, value: event.detail.value, checked: true });
    label.append(box, ` ${event.detail.label}`);
    chosen.append(label);
  }
  text.value = "";
});

for (const form of document.querySelectorAll("form[data-unsaved]")) {
  let changed = form.dataset.unsaved === "changed";
  const touched = () => { changed = true; };
  form.addEventListener("input", touched);
  form.addEventListener("combo:chosen", touched);
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}
