// The grid of a roster by keyboard and mouse. The server does everything: a key or a drop posts one
// step, and the answer is the grid as it is now. Without this file every cell is a link to its form.

const COPIED = "roster:copied";
let focused = ""; // the cell that had the focus before the grid was drawn anew
let typing = null; // { key, text } of what is being typed: the grid may be drawn anew meanwhile
let sent = null; // the same of what was typed last, to go on with where it is refused
let steps = Promise.resolve();

const grid = () => document.querySelector("#roster[data-roster]");
const table = () => document.querySelector("#roster [role=grid]");

// One after the other, each with the version the one before it left: quick hands are not refused
// for their own last step.
function step(values) {
  steps = steps.then(() => send(values)).catch(() => {});
}

function send(values) {
  const box = grid();
  if (!box) return null;
  const body = new FormData();
  body.set("version", box.dataset.version);
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) body.append(name, one);
  }
  return window.htmx.ajax("post", box.dataset.step, {
    source: box,
    target: box,
    swap: "outerHTML",
    values: Object.fromEntries(
      [...new Set(body.keys())].map((name) => {
        const all = body.getAll(name);
        return [name, all.length > 1 ? all : all[0]];
      }),
    ),
  });
}

function openForm(cell, entry) {
  const box = grid();
  const query = entry ? `entry=${entry}` : `cell=${encodeURIComponent(cell.dataset.cell)}`;
  const form = box.dataset.form;
  const url = `${form}${form.includes("?") ? "&" : "?"}${query}`;
  window.htmx.ajax("get", url, { target: "#sheet", swap: "innerHTML" });
}

// ——— where the focus is

// Rows of things that can be focused: the head with the week and the days, then the cells.
function rows() {
  const body = [...table().tBodies[0].rows].map((row) => [...row.querySelectorAll("[data-cell]")]);
  const days = [...table().querySelectorAll("[data-day-head]")];
  return [days.flatMap((day) => Array(day.closest("th").colSpan).fill(day)), ...body];
}

function focus(element) {
  if (!element) return;
  for (const other of table().querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  element.tabIndex = 0;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
  focused = element.dataset.cell ?? focused;
}

function go(from, down, right) {
  const all = rows();
  const y = all.findIndex((row) => row.includes(from));
  if (y < 0) return;
  let x = all[y].indexOf(from);
  if (right > 0) x = all[y].lastIndexOf(from);
  const row = all[Math.max(0, Math.min(all.length - 1, y + down))];
  const next = Math.max(0, Math.min(row.length - 1, x + right));
  if (x + right < 0) focus(table().querySelector("[data-week-head]"));
  else focus(row[next]);
}

// ——— copying

function chips(root) {
  return [...root.querySelectorAll("[data-entry]")].map((chip) => chip.dataset.entry);
}

function cellsOfDay(day) {
  return [...table().querySelectorAll(`[data-cell^="${day}_"]`)];
}

function copy(element) {
  let copied = { kind: "week", monday: grid().dataset.monday };
  if (element.dataset.cell) copied = { kind: "cell", entries: chips(element) };
  if (element.dataset.dayHead) {
    copied = { kind: "day", entries: cellsOfDay(element.dataset.dayHead).flatMap(chips) };
  }
  if (copied.entries && !copied.entries.length) return;
  sessionStorage.setItem(COPIED, JSON.stringify(copied));
  const words = { cell: "已复制这一格", day: "已复制这一天", week: "已复制这一周，到别的周粘贴" };
  say(words[copied.kind]);
}

function paste(element) {
  const copied = JSON.parse(sessionStorage.getItem(COPIED) ?? "null");
  if (!copied) return;
  if (copied.kind === "week") {
    location.assign(`${grid().dataset.bulk}?from=${copied.monday}`);
  } else if (copied.kind === "day" && element.dataset.dayHead) {
    step({ do: "copy", entry: copied.entries, day: element.dataset.dayHead });
  } else if (copied.kind === "cell" && element.dataset.cell) {
    step({ do: "copy", entry: copied.entries, cell: element.dataset.cell });
  }
}

function say(words) {
  const line = grid().querySelector("[role=status]");
  if (line) line.textContent = words;
}

// ——— typing straight into a cell

// A dialog that is open keeps the live channel from drawing the grid away under the hands.
function type(cell, first) {
  const dialog = document.createElement("dialog");
  const input = document.createElement("input");
  dialog.className = "r-type";
  input.className = "x-input";
  input.setAttribute("aria-label", `${cell.dataset.label}：号别、诊室、时间、限号`);
  input.placeholder = "专家 201 30";
  input.value = first;
  dialog.append(input);
  cell.append(dialog);
  dialog.show();
  input.focus();
  typing = { key: cell.dataset.cell, text: first };
  input.addEventListener("input", () => (typing = { key: cell.dataset.cell, text: input.value }));
  const done = (next) => {
    if (!dialog.isConnected || dialog.dataset.over) return; // leaving the page is a blur as well
    dialog.dataset.over = "1";
    typing = null;
    dialog.remove();
    if (next) focus(cell);
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === "Escape") done(true);
    if (event.key !== "Enter") return;
    event.preventDefault();
    const text = input.value.trim();
    // A plus puts another session beside the one that is there.
    const words = text.replace(/^[+＋]/, "").trim();
    const [entry] = words === text ? chips(cell) : [];
    done(true);
    if (!words) return;
    sent = { key: cell.dataset.cell, text };
    step({ do: "put", cell: cell.dataset.cell, text: words, ...(entry ? { entry } : {}) });
  });
  input.addEventListener("blur", () => done(false));
}

const MOVES = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.("[data-cell], [data-day-head], [data-week-head]");
  if (!here || !grid() || event.target.closest("dialog") || event.isComposing) return;
  const held = event.ctrlKey || event.metaKey;
  const cell = here.dataset.cell ? here : null;
  if (MOVES[event.key] && !held) go(here, ...MOVES[event.key]);
  else if (held && event.key.toLowerCase() === "c") copy(here);
  else if (held && event.key.toLowerCase() === "v") paste(here);
  else if (held || event.altKey || !cell) return;
  else if (event.key === "Home") focus(cell.parentElement.querySelector("[data-cell]"));
  else if (event.key === "End") focus([...cell.parentElement.querySelectorAll("[data-cell]")].at(-1));
  else if (event.key === "Enter" || event.key === "F2") openForm(cell, chips(cell)[0]);
  else if (event.key === "Delete" || event.key === "Backspace") {
    if (chips(cell).length) step({ do: "remove", entry: chips(cell) });
  } else if (event.key === "Process") type(cell, "");
  else if (event.key.length === 1 && event.key !== " " && event.key !== "?") type(cell, event.key);
  else return;
  event.preventDefault();
});

// ——— the mouse: one click chooses a cell, two open its form; a finger opens it at once

document.addEventListener("click", (event) => {
  const cell = event.target.closest?.("[data-cell]");
  if (!cell || !grid() || event.target.closest("dialog") || event.ctrlKey) return;
  event.preventDefault();
  const chip = event.target.closest("[data-entry]");
  focus(cell);
  const isTouch = event.pointerType && event.pointerType !== "mouse";
  if (isTouch || event.detail !== 1) openForm(cell, chip?.dataset.entry ?? chips(cell)[0]);
});

document.addEventListener("dragstart", (event) => {
  const chip = event.target.closest?.("[data-entry]");
  if (!chip || !grid()) return;
  event.dataTransfer.setData("text/plain", chip.dataset.entry);
  event.dataTransfer.effectAllowed = "copyMove";
});

document.addEventListener("dragover", (event) => {
  const cell = event.target.closest?.("[data-cell]");
  if (!cell || !grid()) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = event.ctrlKey ? "copy" : "move";
  for (const other of table().querySelectorAll(".is-over-it")) other.classList.remove("is-over-it");
  cell.classList.add("is-over-it");
});

document.addEventListener("dragend", () => {
  for (const cell of document.querySelectorAll(".is-over-it")) cell.classList.remove("is-over-it");
});

document.addEventListener("drop", (event) => {
  const cell = event.target.closest?.("[data-cell]");
  const entry = event.dataTransfer?.getData("text/plain");
  if (!cell || !grid() || !/^\d+$/.test(entry ?? "")) return;
  event.preventDefault();
  focused = cell.dataset.cell;
  step({ do: event.ctrlKey ? "copy" : "move", entry, cell: cell.dataset.cell });
});

// ——— after the grid was drawn anew

document.addEventListener("roster:saved", () => {
  sent = null;
  document.querySelector("#sheet dialog")?.close();
});

function settle() {
  if (!table()) return;
  const again = focused && table().querySelector(`[data-cell="${CSS.escape(focused)}"]`);
  const first = again || table().querySelector("[data-cell]");
  if (first) first.tabIndex = 0;
  if (document.querySelector("dialog[open]")) return;
  if (again) focus(again);
  goOn();
}

// What was being typed goes on, and what was refused can be mended where it was typed.
function goOn() {
  const refused = table().querySelector(".is-refused")?.dataset.cell;
  const last = typing ?? (sent?.key === refused ? sent : null);
  if (last === sent) sent = null;
  const cell = last && table().querySelector(`[data-cell="${CSS.escape(last.key)}"]`);
  if (cell) type(cell, last.text);
}

// At once, not when the page has settled: the next key must not fall beside the grid.
const frame = document.querySelector("#roster")?.parentElement;
if (frame) new MutationObserver(settle).observe(frame, { childList: true });
settle();
