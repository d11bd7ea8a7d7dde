// One mark for all rows of a list; a row marked otherwise unmarks it.
const everything = document.querySelector("[data-everything]");
const rows = [...document.querySelectorAll("input[name='change']")];

function follow() {
  everything.checked = rows.every((row) => row.checked);
}

if (everything) {
  everything.closest("label").hidden = false;
  everything.addEventListener("change", () => {
    for (const row of rows) row.checked = everything.checked;
  });
  for (const row of rows) row.addEventListener("change", follow);
  follow();
}
