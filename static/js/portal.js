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

// How long a time is still held, in words; two minutes before the end a screen reader hears of it.
const countDown = () => {
  for (const left of document.querySelectorAll("[data-until]")) {
    const minutes = Math.ceil((new Date(left.dataset.until) - Date.now()) / 60000);
    const words = minutes === 1 ? "1 minute" : `${minutes} minutes`;
    left.textContent = minutes > 0 ? left.dataset.words.replace("N", words) : left.dataset.over;
    const warning = document.querySelector("[data-warns]");
    if (warning && minutes === 2) warning.textContent = warning.dataset.warns;
  }
};
countDown();
setInterval(countDown, 5000);

// Times of video and phone visits also by the clocks of whoever reads: the browser knows which those are. The question
// before the free times takes it along; free times that are by other clocks are asked for once more.
const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("input[data-own-zone]")) field.value = ownZone();
});
document.addEventListener(
  "htmx:after:process",
  () => {
    const zones = document.querySelector("select[data-own-zone]");
    const own = zones && ownZone();
    if (!own || zones.dataset.ownZone === own) return;
    if (![...zones.options].some((option) => option.value === own)) zones.add(new Option(own.replaceAll("_", " "), own));
    zones.value = own;
    zones.dispatchEvent(new Event("change", { bubbles: true }));
  },
  { once: true },
);

// What htmx asked for could not be done, or no answer came: say so above what is typed, which stays.
const sayWhatFailed = (event) => {
  const { text, response } = event.detail.ctx ?? { response: { status: 0 } };
  if (response && response.status < 500) return;
  const answer = new DOMParser().parseFromString(text ?? "", "text/html").querySelector(".page-error");
  const words = document.createElement("div");
  words.className = "notice trouble";
  words.setAttribute("role", "alert");
  words.append(...(answer?.querySelectorAll("h1 ~ p:not(.actions)") ?? []));
  if (answer) words.prepend(Object.assign(document.createElement("strong"), { textContent: answer.querySelector("h1").textContent }));
  else words.textContent = "No answer came. What you typed is still here: look at your connection, then try once more.";
  clearTrouble();
  document.querySelector("main").prepend(words);
};
const clearTrouble = () => document.querySelectorAll(".trouble").forEach((words) => words.remove());
document.addEventListener("htmx:response:error", sayWhatFailed);
document.addEventListener("htmx:error", sayWhatFailed);
document.addEventListener("htmx:after:swap", (event) => {
  if (!(event.detail.ctx?.response?.status >= 500)) clearTrouble();  // htmx calls it a swap also when it puts nothing in
});

// The assessment by keyboard: digits tick the options of the question in focus (0 ticks the last, "None of
// these"), Enter continues. Tab, arrows and space work as the browser does them, without this.
document.addEventListener("keydown", (event) => {
  const current = document.querySelector("form[data-question]");
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
