/* A swipe from the left edge goes back, as on the real phone; screens follow the finger.

   Frames swallow touches, so above a page only the strip on the very edge can be felt. */

const EDGE_PX = 22;
const FAR_ENOUGH = 0.35;
const QUICK_PX_PER_MS = 0.5;

/* target() is the element that would leave, or null; leave() takes it away. */
export function swipeBack(glass, { target, leave }) {
  let swipe = null;

  glass.addEventListener("pointerdown", (event) => {
    const box = glass.getBoundingClientRect();
    const element = event.isPrimary && event.clientX - box.left < EDGE_PX ? target() : null;
    if (!element) return;
    swipe = { element, from: event.clientX, at: performance.now(), width: box.width, moved: 0 };
  });

  glass.addEventListener("pointermove", (event) => {
    if (!swipe) return;
    swipe.moved = Math.max(0, event.clientX - swipe.from);
    if (swipe.moved < 8) return;
    glass.setPointerCapture(event.pointerId);
    swipe.element.style.transition = "none";
    swipe.element.style.transform = `translateX(${swipe.moved}px)`;
  });

  const end = () => {
    if (!swipe) return;
    const { element, moved, at, width } = swipe;
    swipe = null;
    element.style.transition = "";
    element.style.transform = "";
    const speed = moved / (performance.now() - at);
    if (moved > width * FAR_ENOUGH || (moved > 40 && speed > QUICK_PX_PER_MS)) leave();
  };
  glass.addEventListener("pointerup", end);
  glass.addEventListener("pointercancel", end);
}
