// Short news at the lower edge. The server's messages are in the page; scripts call toast().
const SHOWN_MS = 3200;

export function toast(text, tone = "") {
  const region = document.getElementById("toasts");
  if (!region || !text) return;
  const line = document.createElement("p");
  line.className = tone ? `x-toast is-${tone}` : "x-toast";
  line.textContent = text;
  region.append(line);
  setTimeout(() => line.remove(), SHOWN_MS);
}

for (const line of document.querySelectorAll("[data-toast]")) {
  setTimeout(() => line.remove(), SHOWN_MS);
}

// An answer may say HX-Trigger: {"toast": "已保存"}.
document.addEventListener("toast", (event) => toast(event.detail.value));
