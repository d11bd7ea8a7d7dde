// Combobox: type a name or pinyin initials, the server searches, arrows choose. The chosen row's
// value goes to the hidden field and a "combo:chosen" event tells whoever cares.

function parts(input) {
  const box = input.closest("[data-combo]");
  return {
    box,
    list: document.getElementById(input.getAttribute("aria-controls")),
    value: box.querySelector("[data-combo-value]"),
  };
}

function rows(list) {
  return [...list.querySelectorAll('[role="option"]:not([aria-disabled])')];
}

function close(input) {
  const { list } = parts(input);
  list.replaceChildren();
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function mark(input, row) {
  const { list } = parts(input);
  for (const other of rows(list)) other.setAttribute("aria-selected", String(other === row));
  if (!row) return;
  input.setAttribute("aria-activedescendant", row.id);
  row.scrollIntoView({ block: "nearest" });
}

function choose(input, row) {
  const { box, value } = parts(input);
  input.value = row.dataset.label;
  value.value = row.dataset.value;
  close(input);
  box.dispatchEvent(new CustomEvent("combo:chosen", { bubbles: true, detail: row.dataset }));
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.target.matches('[role="listbox"]')) return;
  const input = document.querySelector(`[aria-controls="${event.target.id}"]`);
  if (document.activeElement !== input || !input.value) {
    close(input);
    return;
  }
  input.setAttribute("aria-expanded", "true");
  mark(input, rows(event.target)[0]);
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-combo-text]")) parts(event.target).value.value = "";
});

document.addEventListener("keydown", (event) => {
  const input = event.target;
  if (!input.matches?.("[data-combo-text]") || event.isComposing) return;
  const all = rows(parts(input).list);
  if (!all.length) return;
  const at = all.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) mark(input, all[(at + step + all.length) % all.length]);
  else if (event.key === "Enter" && at >= 0) choose(input, all[at]);
  else if (event.key === "Escape") close(input);
  else return;
  event.preventDefault();
});

document.addEventListener("mousedown", (event) => {
  const row = event.target.closest?.(".x-option");
  if (!row) return;
  event.preventDefault(); // keep the focus in the text
  choose(document.querySelector(`[aria-controls="${row.parentElement.id}"]`), row);
});

document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("[data-combo-text]")) close(event.target);
});
