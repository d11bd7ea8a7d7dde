// The card's code is over after a minute, and phones stop the clocks of pages nobody looks at. So
// its age is counted by the wall clock, from when it was asked for: a new one comes in time, at
// once when somebody looks again, and a code that is over is not shown as one to be read.

const AGAIN = 5000;
let pass = null;
let askedAt = performance.timeOrigin;
let shownAt = 0;

function look() {
  const shown = document.querySelector("[data-pass]");
  if (shown === null) return;
  if (shown !== pass) {
    pass = shown;
    shownAt = askedAt;
  }
  const age = Date.now() - shownAt;
  pass.toggleAttribute("data-over", age >= pass.dataset.seconds * 1000);
  const isDue = age >= pass.dataset.renew * 1000 && Date.now() - askedAt >= AGAIN;
  if (isDue && !document.hidden) window.htmx.trigger(pass, "submit");
}

document.addEventListener("submit", (event) => {
  if (event.target === pass) askedAt = Date.now();
}, true);
document.addEventListener("visibilitychange", look);
window.addEventListener("pageshow", look);
setInterval(look, 1000);
