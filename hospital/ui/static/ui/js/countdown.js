// Countdowns. The server writes how many seconds are left; we only subtract what has passed since
// the element came into the page, so a phone with a wrong clock counts right.
const ends = new WeakMap();

function endOf(element) {
  if (!ends.has(element)) ends.set(element, Date.now() + Number(element.dataset.left) * 1000);
  return ends.get(element);
}

function two(number) {
  return String(number).padStart(2, "0");
}

function clock(seconds) {
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

function show(element) {
  if (element.dataset.ended) return;
  const left = Math.max(0, Math.ceil((endOf(element) - Date.now()) / 1000));
  const text = element.querySelector("[data-countdown-text]") || element;
  text.textContent = left ? clock(left) : element.dataset.done;
  const bar = element.closest(".x-hold");
  if (bar) bar.classList.toggle("is-short", left <= Number(element.dataset.soon || 0));
  if (left === 0) {
    element.dataset.ended = "1";
    element.dispatchEvent(new CustomEvent("countdown:end", { bubbles: true }));
  }
}

function tick() {
  for (const element of document.querySelectorAll("[data-countdown]")) show(element);
}

tick();
setInterval(tick, 500);
