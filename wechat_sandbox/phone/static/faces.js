/* A drawn face as an element, for what scripts build themselves. */

export function copyFace(picture) {
  const space = "http://www.w3.org/2000/svg";
  const frame = document.createElement("span");
  const image = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  frame.className = "face";
  frame.setAttribute("aria-hidden", "true");
  image.setAttribute("viewBox", "0 0 48 48");
  use.setAttribute("href", `/phone/static/icons.svg#face-${picture}`);
  image.append(use);
  frame.append(image);
  return frame;
}
