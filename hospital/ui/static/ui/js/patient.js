// Patient pages: the behaviours of the kit, and the chosen day scrolled into view.
import "./toast.js";
import "./sheet.js";
import "./once.js";
import "./countdown.js";
import "./hypermedia.js";
import "./live.js";
import "./combobox.js";
import "./fields.js";

function showCurrent(root) {
  for (const strip of root.querySelectorAll("[data-scroll-current]")) {
    const current = strip.querySelector("[aria-current]");
    if (!current) continue;
    strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;
  }
}

// What sticks below a sticky head needs its height, which large type and long names change.
const head = document.querySelector(".x-top");
if (head && window.ResizeObserver) {
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--top-height", `${head.offsetHeight}px`);
  }).observe(head);
}

showCurrent(document);
document.addEventListener("htmx:afterSettle", (event) => showCurrent(event.target));
