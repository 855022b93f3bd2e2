// The assessment by keyboard: digits tick the options of the question in focus (0 ticks the last, "None of
// these"), Enter continues. Tab, arrows and space work as the browser does them, without this file.

const form = () => document.querySelector("form[data-question]");

document.addEventListener("keydown", (event) => {
  const current = form();
  if (!current || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("a, button, summary, textarea")) return;
  if (event.key === "Enter") {
    event.preventDefault();
    current.requestSubmit(current.querySelector("[name=next]"));
  } else if (/^[0-9]$/.test(event.key)) {
    const inFocus = document.activeElement.closest("fieldset") ?? current.querySelector("fieldset");
    const options = [...inFocus.querySelectorAll("input")];
    const option = event.key === "0" ? options.at(-1) : options[event.key - 1];
    if (!option) return;
    event.preventDefault();
    option.focus();
    option.click();
  }
});
