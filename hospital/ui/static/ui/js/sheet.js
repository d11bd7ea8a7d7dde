// Dialogs. The browser's own <dialog> keeps the focus inside, closes on Escape and gives the
// focus back; here are opening, the mask, and cleaning up what htmx fetched.

function open(dialog) {
  if (dialog.open) return;
  dialog.showModal();
  // Not the autofocus attribute: a page in a foreign frame (WeChat's stand-in) may not use it.
  dialog.querySelector(".x-sheet-head h2")?.focus();
}

// A fetched sheet opens as soon as it is in the page; one marked "kept" waits for its button.
export function openFetched(root) {
  const dialog = root.querySelector('dialog[data-sheet=""]');
  if (dialog) open(dialog);
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    open(document.getElementById(opener.dataset.opens));
    return;
  }
  const dialog = event.target.closest("dialog[data-sheet]");
  if (!dialog) return;
  // A click on the mask has the dialog itself as its target, and lies outside its box.
  const box = dialog.getBoundingClientRect();
  const outside =
    event.target === dialog &&
    (event.clientY < box.top || event.clientY > box.bottom ||
      event.clientX < box.left || event.clientX > box.right);
  if (outside || event.target.closest("[data-close]")) dialog.close();
});

// "close" does not bubble: listen on the way down. Fetched sheets leave the page when closed.
document.addEventListener(
  "close",
  (event) => {
    if (event.target.matches('dialog[data-sheet=""]')) event.target.remove();
  },
  true,
);

openFetched(document);
