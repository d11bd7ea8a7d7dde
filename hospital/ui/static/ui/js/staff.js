// Staff pages: the behaviours of the kit, keys, and the menu that closes by itself.
import "./lock.js"; // before once.js: a locked page posts nothing
import "./toast.js";
import "./sheet.js";
import "./once.js";
import "./countdown.js";
import "./hypermedia.js";
import "./live.js";
import "./combobox.js";
import "./fields.js";
import "./keys.js";
import "./reader.js";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
