// Small enhancements. Every page works without this file.

// "None of these" clears the others of its question, and the others clear it.
document.addEventListener("change", (event) => {
  const ticked = event.target;
  if (!(ticked instanceof HTMLInputElement) || ticked.type !== "checkbox" || !ticked.checked) return;
  const group = ticked.closest("fieldset");
  if (!group) return;
  const alone = "alone" in ticked.dataset;
  for (const other of group.querySelectorAll("input[type=checkbox]")) {
    if (other !== ticked && (alone || "alone" in other.dataset)) other.checked = false;
  }
});

// A part of the page that htmx brings carries the title of the page it belongs to.
document.addEventListener("htmx:after:swap", () => {
  const titled = document.querySelector("[data-title]");
  if (titled) document.title = titled.dataset.title;
});
