// A box with data-reader takes what a card reader or a scanner types. People pause between keys,
// readers do not: a key this soon after the last one is a reader's.
const BURST = 40;

let last = 0;
let sending;

// Chinese from a reader arrives without keys, as input only.
document.addEventListener("input", (event) => {
  if (!event.target.matches?.("[data-reader]")) return;
  last = event.timeStamp;
  clearTimeout(sending);
});

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (!box.matches?.("[data-reader]") || event.isComposing) return;
  const isReader = event.timeStamp - last < BURST;
  last = event.timeStamp;
  clearTimeout(sending);
  if (event.key === "Tab" && isReader && !event.shiftKey) {
    event.preventDefault();
    box.setRangeText("\t", box.selectionStart, box.selectionEnd, "end");
  } else if (event.key === "Enter") {
    // A reader that types lines goes on at once; the last Enter, or a person's, sends.
    event.preventDefault();
    sending = setTimeout(() => box.form?.requestSubmit(), isReader ? 4 * BURST : 0);
    if (isReader) box.setRangeText("\n", box.selectionStart, box.selectionEnd, "end");
  }
});
