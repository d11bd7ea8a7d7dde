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

function show(element) {
  if (element.dataset.ended) return;
  const left = Math.max(0, Math.ceil((endOf(element) - Date.now()) / 1000));
  const text = element.querySelector("[data-countdown-text]") || element;
  text.textContent = left ? `${two(Math.floor(left / 60))}:${two(left % 60)}` : element.dataset.done;
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
