// The card desk by keyboard: a list walked by arrows, and the first empty field of a filled form.
// The box that readers type into is the kit's (reader.js).

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
