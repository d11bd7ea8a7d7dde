/* Bring what is on the screen up to date without taking it away: nodes that stay the same keep their
   focus, their text and the finger on them. */

let finger = Promise.resolve();
let lift = () => undefined;

document.addEventListener(
  "pointerdown",
  () => {
    finger = new Promise((resolve) => {
      lift = resolve;
      setTimeout(resolve, 1000);
    });
  },
  true,
);
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, () => setTimeout(lift, 0), true);
}

/* Resolves once no finger is down: a button must not change between press and release. */
export function fingerLifted() {
  return finger;
}

/* Make the children of `now` those of `next`. */
export function patchChildren(now, next) {
  const before = [...now.childNodes];
  const after = [...next.childNodes];
  after.forEach((child, index) => {
    if (before[index]) patch(before[index], child);
    else now.append(child);
  });
  before.slice(after.length).forEach((child) => child.remove());
}

function patch(now, next) {
  if (now.isEqualNode(next)) {
    keepChecked(now, next);
    return;
  }
  const alike = now.nodeType === Node.ELEMENT_NODE && now.tagName === next.tagName;
  if (!alike) {
    now.replaceWith(next);
    return;
  }
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  keepChecked(now, next);
  patchChildren(now, next);
}

/* A switch shows what the stand-in knows, whatever was tapped meanwhile. */
function keepChecked(now, next) {
  const places = (element) =>
    element.nodeType === Node.ELEMENT_NODE
      ? [element, ...element.querySelectorAll("input")].filter((one) => one.type === "checkbox")
      : [];
  const wanted = places(next);
  places(now).forEach((input, index) => {
    if (wanted[index]) input.checked = wanted[index].defaultChecked;
  });
}
