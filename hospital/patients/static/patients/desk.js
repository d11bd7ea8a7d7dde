// The card desk by keyboard: a box that readers type into, a list walked by arrows, and the first
// empty field of a filled form.

// People pause between keys, readers do not: a key this soon after the last one is a reader's.
const BURST = 40;

for (const box of document.querySelectorAll("[data-reader]")) {
  let last = 0;
  let sending;
  // Chinese from a reader arrives without keys, as input only.
  box.addEventListener("input", (event) => {
    last = event.timeStamp;
    clearTimeout(sending);
  });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const isReader = event.timeStamp - last < BURST;
    last = event.timeStamp;
    clearTimeout(sending);
    if (event.key === "Tab" && isReader && !event.shiftKey) {
      event.preventDefault();
      box.setRangeText("\t", box.selectionStart, box.selectionEnd, "end");
    } else if (event.key === "Enter") {
      // A reader that types lines goes on at once; the last Enter, or a person's, sends.
      event.preventDefault();
      sending = setTimeout(() => box.form.requestSubmit(), isReader ? 4 * BURST : 0);
      if (isReader) box.setRangeText("\n", box.selectionStart, box.selectionEnd, "end");
    }
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const rows = [...document.querySelectorAll("[data-row]")];
  const place = rows.indexOf(document.activeElement);
  const isBox = document.activeElement?.matches("[data-reader]");
  if (!rows.length || (place < 0 && !isBox)) return;
  event.preventDefault();
  const next = isBox ? 0 : place + (event.key === "ArrowDown" ? 1 : -1);
  rows[Math.max(0, Math.min(next, rows.length - 1))].focus();
});

// After the kit has put the focus on an error there is nothing to improve.
for (const form of document.querySelectorAll("[data-first-empty]")) {
  if (form.querySelector('[aria-invalid="true"]')) continue;
  const decide = form.querySelector("[data-decide]");
  const fields = ["mother_no", "name", "document_no", "birth_date", "guardian_no", "phone"];
  const empty = fields
    .map((name) => form.querySelector(`[name="${name}"]:not([type=hidden])`))
    .find((field) => field && !field.value);
  (decide ?? empty ?? form.querySelector("button[type=submit]"))?.focus();
}
