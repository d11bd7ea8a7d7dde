// A complaint about a field goes away when the person answers it; the server complains again if
// the answer is still wrong.

document.addEventListener("input", (event) => {
  const field = event.target.closest?.(".x-field");
  const error = field?.querySelector(".x-error");
  if (!error) return;
  for (const control of field.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    const described = control.getAttribute("aria-describedby") || "";
    control.setAttribute("aria-describedby", described.replace(error.id, "").trim());
  }
  error.remove();
});

// After a refused form, the first wrong field is where the person should be.
export function showFirstError(root) {
  const wrong = root.querySelector('[aria-invalid="true"]');
  if (wrong) wrong.focus();
}

showFirstError(document);
