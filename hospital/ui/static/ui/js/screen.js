// Waiting screens: live refresh, the wall clock, and a reload at night.
import "./hypermedia.js";
import "./live.js";

const RELOAD_HOUR = 4;

function tick() {
  const now = new Date();
  for (const element of document.querySelectorAll("[data-clock]")) {
    element.textContent = now.toLocaleTimeString("zh-CN", {
      hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai",
    });
  }
}

tick();
setInterval(tick, 1000);

const started = Date.now();
setInterval(() => {
  const old = Date.now() - started > 6 * 3600 * 1000;
  if (old && new Date().getHours() === RELOAD_HOUR) location.reload();
}, 600000);
