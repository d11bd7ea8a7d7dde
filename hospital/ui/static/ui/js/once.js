// A form that posts, posts once: while its request is in flight the buttons are off. The server
// holds the real guarantee (request keys); this spares people the second tap's refusal.

function buttonsOf(form) {
  return [...form.elements].filter((element) => element.type === "submit");
}

function release(form) {
  delete form.dataset.busy;
  for (const button of buttonsOf(form)) {
    button.disabled = false;
    button.classList.remove("is-busy");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.busy) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.busy = "1";
  const pressed = event.submitter;
  // After this event: a button disabled now would not send its value.
  setTimeout(() => {
    for (const button of buttonsOf(form)) button.disabled = true;
    if (pressed) pressed.classList.add("is-busy");
  });
}, true);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest && event.target.closest("form");
  if (form) release(form);
});

// A script that posts a form itself says so when it has its answer, or none.
document.addEventListener("form:answered", (event) => release(event.target));

// Back from the next page out of the browser's cache: the form may be sent again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-busy]")) release(form);
});
