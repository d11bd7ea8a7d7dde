// The only file that listens to htmx, so that a later htmx is one file's work.
import { showFirstError } from "./fields.js";
import { openFetched } from "./sheet.js";
import { toast } from "./toast.js";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;

document.addEventListener("htmx:configRequest", (event) => {
  const token = meta("csrf-token");
  if (event.detail.verb !== "get" && token) event.detail.headers["X-CSRFToken"] = token;
});

// A rule's no (409 and its kin) comes as a small dialog, whatever the request was aimed at.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status < 400 || !xhr.getResponseHeader("X-Refusal")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
  event.detail.target = document.getElementById("sheet");
  event.detail.swapOverride = "innerHTML";
});

document.addEventListener("htmx:afterSettle", (event) => {
  openFetched(event.target);
  document.dispatchEvent(new CustomEvent("page:changed"));
  if (event.detail.xhr?.status === 422) showFirstError(event.target);
});

document.addEventListener("htmx:sendError", () => toast("网络不通，请检查后再试", "danger"));
document.addEventListener("htmx:timeout", () => toast("网络太慢，请再试一次", "danger"));
document.addEventListener("htmx:responseError", (event) => {
  // The log-in is locked or has ended: the page stays, and lock.js lies down over it.
  if (event.detail.xhr.getResponseHeader("X-Locked")) {
    document.dispatchEvent(new CustomEvent("staff:locked"));
    return;
  }
  toast("没有完成，请稍后再试", "danger");
});

// Ask again for an element's own content, with its own hx-target and hx-swap.
export function refetch(element) {
  const url = element.getAttribute("hx-get");
  if (!url || !window.htmx) return;
  // The header says that no hand asked, so that a watched page does not keep a log-in awake.
  window.htmx.ajax("get", url, { source: element, headers: { "X-Live": "1" } });
}
