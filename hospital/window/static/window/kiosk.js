// The kiosk: a reader that is always listened to, buttons that press once, and a page that forgets:
// after a while without a touch it asks, then goes back to the start.
import "../ui/js/once.js";
import "../ui/js/countdown.js";
import "../ui/js/hypermedia.js";
import "../ui/js/reader.js";

const ASK_SECONDS = 15;
const leaving = document.querySelector("[data-idle]");
const still = document.querySelector("[data-still]");
let touchedAt = Date.now();

function touched() {
  touchedAt = Date.now();
  if (still.open) still.close();
}

for (const name of ["pointerdown", "keydown", "scroll"]) {
  document.addEventListener(name, touched, { passive: true });
}

// A payment that arrived is as good as a touch: somebody stands here.
document.addEventListener("page:changed", () => {
  if (document.querySelector("[data-press-now]")) touched();
  pressNow();
});

function look() {
  if (!leaving) return;
  const left = Math.ceil(Number(leaving.dataset.idle) - (Date.now() - touchedAt) / 1000);
  if (left <= 0) {
    leaving.requestSubmit();
  } else if (left <= ASK_SECONDS) {
    still.querySelector("[data-still-left]").textContent = String(left);
    if (!still.open) still.showModal();
  }
}
setInterval(look, 500);

// Nobody types at a kiosk, but whatever was touched, the reader's text goes to its box.
const box = document.querySelector("[data-keep-focus]");
if (box) {
  setInterval(() => {
    if (document.activeElement !== box) box.focus({ preventScroll: true });
  }, 300);
}

function pressNow() {
  const button = document.querySelector("[data-press-now]");
  if (!button || button.dataset.pressed) return;
  button.dataset.pressed = "1";
  button.form.requestSubmit(button);
}

// Each copy prints itself once.
function printNow() {
  const slip = document.querySelector("[data-print-now]");
  if (!slip) return;
  const name = `slip:${slip.dataset.printNow}`;
  if (sessionStorage.getItem(name)) return;
  sessionStorage.setItem(name, "1");
  window.print();
}

// A page that comes out of the browser's memory belongs to somebody who has gone.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
document.addEventListener("contextmenu", (event) => event.preventDefault());

pressNow();
printNow();
