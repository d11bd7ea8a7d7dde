/* News from the stand-in: screens are read again, new cards drop down as a banner. */

import { copyFace } from "./faces.js";
import { addressed } from "./net.js";

const SHOW_MS = 4000;
let timer = 0;

/* onNews(kind, subject) after every event; opens(chat) when a banner is tapped; isOpen(chat) silences it. */
export function listen({ onNews, opens, isOpen }) {
  const heard = encodeURIComponent(document.body.dataset.heard);
  const source = new EventSource(addressed(`/phone/news?heard=${heard}`));
  source.addEventListener("message", (event) => {
    const news = JSON.parse(event.data);
    onNews(news.kind, news.subject);
    const banner = news.banners.filter((one) => !isOpen(one.chat)).at(-1);
    if (banner) drop(banner, opens);
  });
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}

function drop(banner, opens) {
  const place = document.getElementById("banner");
  const button = document.createElement("button");
  button.type = "button";
  const words = document.createElement("span");
  const title = document.createElement("b");
  const text = document.createElement("span");
  const when = document.createElement("small");
  title.textContent = banner.title;
  text.textContent = banner.text;
  when.textContent = "现在";
  words.append(title, text);
  button.append(copyFace(banner.face), words, when);
  button.addEventListener("click", () => {
    put(place);
    opens(banner.chat);
  });
  flickAway(button, place);
  place.dataset.chat = banner.chat;
  place.replaceChildren(button);
  place.classList.add("is-on");
  clearTimeout(timer);
  timer = setTimeout(() => put(place), SHOW_MS);
}

/* A flick upwards sends the banner away, as on the real phone. */
function flickAway(button, place) {
  let from = 0;
  button.addEventListener("pointerdown", (event) => {
    from = event.clientY;
  });
  button.addEventListener("pointermove", (event) => {
    if (from && from - event.clientY > 12) put(place);
  });
  button.addEventListener("pointerup", () => {
    from = 0;
  });
}

/* The chat is on the screen: its banner has nothing more to say. */
export function putAway(chat) {
  const place = document.getElementById("banner");
  if (place.dataset.chat === chat) put(place);
}

function put(place) {
  place.classList.remove("is-on");
  clearTimeout(timer);
  timer = setTimeout(() => place.replaceChildren(), 400);
}
