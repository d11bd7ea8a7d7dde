// The window by keyboard: departments by initials, change while the money is typed, and nothing
// lost of what is typed while a step is fetched. A scanner's second Enter never acts by itself.

const queue = [];
let isFetching = false;

const box = () => document.getElementById("window");

// What is typed while the next step is on its way belongs to the next step. An Enter that nothing
// precedes is the echo of the one that sent the form.
document.addEventListener("keydown", (event) => {
  if (!isFetching || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key.length !== 1 && event.key !== "Enter" && event.key !== "Backspace") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.key === "Enter" && queue.length === 0) return;
  queue.push(event.key);
}, true);

function replay() {
  for (const key of queue.splice(0)) {
    if (isFetching) {
      queue.push(key);
      continue;
    }
    const field = document.activeElement;
    const takesText = field?.matches("input[type=text], textarea");
    if (takesText && key.length === 1) {
      field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (takesText && key === "Backspace") {
      field.setRangeText("", Math.max(0, field.selectionStart - 1), field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      (field ?? document.body).dispatchEvent(
        new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
      );
      if (key === "Enter" && takesText && !field.matches("[data-reader], [data-filter]")) {
        field.form?.requestSubmit();
      }
    }
  }
}

const isStep = (event) => event.detail.target?.id === "window";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isStep(event)) isFetching = true;
});
for (const name of ["htmx:afterSettle", "htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (name !== "htmx:afterSettle" || event.target.id === "window" || isStep(event)) {
      isFetching = false;
      arrived();
      replay();
    }
  });
}

// Departments: letters narrow, Enter takes the first, a digit the one it stands beside.
function filter(field) {
  const wanted = field.value.trim().toLowerCase().replace(/[0-9]/g, "");
  const tiles = [...document.querySelectorAll(`#${field.dataset.filter} a`)];
  const rank = (tile) => {
    const words = tile.dataset.words.toLowerCase().split(" ");
    if (!wanted) return 1;
    if (words.some((word) => word === wanted)) return 0;
    if (words.some((word) => word.startsWith(wanted))) return 1;
    return words.some((word) => word.includes(wanted)) ? 2 : -1;
  };
  const shown = tiles.filter((tile) => rank(tile) >= 0);
  for (const tile of tiles) {
    tile.parentElement.hidden = !shown.includes(tile);
    tile.querySelector("kbd").textContent = "";
    tile.classList.remove("is-first");
  }
  // Not sort() of the page: tiles that jump about are hard to find.
  const first = [...shown].sort((a, b) => rank(a) - rank(b));
  first.slice(0, 9).forEach((tile, place) => {
    tile.querySelector("kbd").textContent = wanted ? String(place + 1) : "";
  });
  if (wanted) first[0]?.classList.add("is-first");
  return wanted ? first : [];
}

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-filter]")) filter(event.target);
  if (event.target.matches?.("[data-due]")) showChange(event.target);
});

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.matches?.("[data-filter]") || event.isComposing) return;
  const digit = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  if (event.key !== "Enter" && !digit) return;
  event.preventDefault();
  filter(field)[digit ? digit - 1 : 0]?.click();
});

// The change, before anybody has pressed anything; eighteen digits are a code and no money.
function showChange(field) {
  const shown = document.querySelector("[data-change]");
  const yuan = /^[0-9]{1,5}([.。][0-9]{1,2})?$/.test(field.value.trim())
    ? Number(field.value.trim().replace("。", ".")) : null;
  const fen = yuan === null ? null : Math.round(yuan * 100) - Number(field.dataset.due);
  if (fen === null) shown.textContent = "";
  else if (fen < 0) shown.textContent = `还差 ¥${(-fen / 100).toFixed(2)}`;
  else shown.textContent = `找零 ¥${(fen / 100).toFixed(2)}`;
}

// A payment that was waited for: the number is handed over and printed without another key.
function pressNow() {
  const button = document.querySelector("[data-press-now]");
  if (!button || button.dataset.pressed) return;
  button.dataset.pressed = "1";
  button.form.requestSubmit(button);
}

// Each counted copy prints itself once; looking at it again prints nothing.
function printNow() {
  const slip = document.querySelector("[data-print-now]");
  if (!slip) return;
  const name = `slip:${slip.dataset.printNow}`;
  if (sessionStorage.getItem(name)) return;
  sessionStorage.setItem(name, "1");
  window.print();
}

function arrived() {
  const field = box()?.querySelector("[autofocus]");
  field?.focus();
  // What is still in it was no good: the next card or sum takes its place.
  field?.select?.();
  pressNow();
  printNow();
}

document.addEventListener("page:changed", pressNow);
arrived();
