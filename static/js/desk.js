// Keys for the desk. Everything they do is a link or a form on the page, which works without this file.

const bar = document.querySelector(".desk-bar");
const field = document.getElementById("find");
const typing = (target) => target.closest("input, textarea, select, [contenteditable], dialog");

// Where a form is being filled in, a letter beside its fields does nothing; on the page of a call, typing goes on in
// the first empty field of who calls.
let filling = Boolean(document.getElementById("call"));
document.addEventListener("input", (event) => (filling ||= event.target.form?.matches("[method=post]:not(.find)")));
const typeOn = (event) => {
  if (event.key === " " || event.target.closest("a, button, summary")) return;
  [...document.querySelectorAll("#call .who-fields input")].find((input) => !input.value)?.focus();
};

// A note that is being written goes with the step that is pressed, as the page that follows shows an empty one; before
// another form leaves it behind, its writer is asked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const note = document.getElementById("note");
  if (!note?.value || form === note.form) return;
  if (form.matches(".visit-actions form:has([name=status])")) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "words", value: note.value }));
  } else if (!confirm("Your note is not added yet and would be lost. Go on without it?")) {
    event.preventDefault();
  }
});

// The command field: results below it while typing; arrows go through them, Escape closes them.
field?.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && hits().length) {
    event.stopPropagation();
    focusHit(0, event);
  }
  if (event.key === "Escape") closeHits();
});
const hits = () => [...document.querySelectorAll("#hits a")];
const focusHit = (place, event) => {
  const list = hits();
  if (!list.length) return;
  event.preventDefault();
  place < 0 ? field.focus() : list[Math.min(place, list.length - 1)].focus();
};
const closeHits = () => {
  if (field) field.value = "";
  document.querySelector(".find #hits")?.replaceChildren();
};

// The board: from one visit or free time to the one above, below, or beside it.
const items = (column) => [...column.querySelectorAll("[data-visit], [data-slot]")];
const middle = (element) => {
  const box = element.getBoundingClientRect();
  return box.top + box.height / 2;
};
const walk = (here, key) => {
  const columns = [...document.querySelectorAll("#board .track")].filter((column) => items(column).length);
  const column = here.closest(".track");
  const list = column ? items(column) : [];
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step) return list[list.indexOf(here) + step];
  const beside = columns[columns.indexOf(column) + { ArrowLeft: -1, ArrowRight: 1 }[key]];
  if (!beside) return undefined;
  return items(beside).reduce((best, item) =>
    Math.abs(middle(item) - middle(here)) < Math.abs(middle(best) - middle(here)) ? item : best,
  );
};

// A step of the visit in focus: the page's own form, filled in and sent; the board then shows how it is.
const STEPS = { a: "arrived", r: "checked-in", d: "fulfilled", n: "noshow" };
const NOBODY = "00000000-0000-0000-0000-000000000000";
const fillIn = (id, visit, values) => {
  const form = document.getElementById(id);
  if (!form) return null;
  form.action = form.dataset.action.replace(NOBODY, visit);
  for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
  return form;
};
const step = async (visit, status) => {
  const form = fillIn("step", visit.dataset.visit, { version: visit.dataset.version, status });
  if (!form) return;
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
  if (answer?.redirected && new URL(answer.url).pathname.startsWith("/desk/day/")) htmx.trigger("#board", "refresh");
  else if (answer?.redirected) location.assign(answer.url);
  else location.assign(`${visit.href}?wrong=${{ 403: "not-yours", 409: "changed" }[answer?.status] ?? "failed"}`);
};
const pickUp = (visit) => {
  if (!document.getElementById("put-down")) return;
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("moving", visit.dataset.visit);
  location.assign(address);
};

const act = (event) => {
  const here = document.activeElement;
  const visit = here?.closest("[data-visit]");
  const { key } = event;
  if (key.startsWith("Arrow")) {
    if (here?.closest("[data-visit], [data-slot]")) return walk(here, key) && (walk(here, key).focus(), true);
    if (here === document.body && key === "ArrowDown") return focusFirst();
    return false;
  }
  if (visit && key in STEPS) return step(visit, STEPS[key]), true;
  if (visit && key === "m") return pickUp(visit), true;
  if (visit && key === "c") return location.assign(`${visit.href}#cancel`), true;
  if (visit && key === "b") return location.assign(`${visit.href}/brief`), true;
  if (key === "c" && askWhoCancels()) return true;
  const control = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (control) return control.click(), true;
  return false;
};
// Cancelling asks who cancels: the keys lead to the first answer.
const askWhoCancels = () => {
  const details = document.querySelector("details#cancel");
  if (!details) return false;
  details.open = true;
  details.querySelector("input[type=radio]").focus();
  return true;
};
addEventListener("load", () => location.hash === "#cancel" && askWhoCancels());

const focusFirst = () => {
  const first = document.querySelector("#board .now ~ li [data-visit], #board [data-visit], #board [data-slot]");
  first?.focus();
  return Boolean(first);
};

document.addEventListener("keydown", (event) => {
  if (event.key === "k" && (event.ctrlKey || event.metaKey) && field) {
    event.preventDefault();
    field.select();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const place = hits().indexOf(document.activeElement);
  if (place >= 0 && /^Arrow(Up|Down)$/.test(event.key)) return focusHit(place + (event.key === "ArrowDown" ? 1 : -1), event);
  if (place >= 0 && event.key === "Escape") return closeHits(), field.focus();
  if (typing(event.target) || bar?.dataset.keys === "off") return;
  if (event.key === "/" && field) return event.preventDefault(), field.select();
  if (filling && event.key.length === 1) return typeOn(event);
  if (act(event)) event.preventDefault();
});

// A visit that is dragged onto a free time of its kind moves there, by the same form as with the keyboard.
document.addEventListener("dragstart", (event) => {
  const visit = event.target.closest?.("[data-visit]");
  if (visit) event.dataTransfer.setData("text/visit", visit.dataset.visit + " " + visit.dataset.version);
});
document.addEventListener("dragover", (event) => {
  if (event.target.closest?.("[data-slot]")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  const slot = event.target.closest?.("[data-slot]");
  const [visit, version] = event.dataTransfer.getData("text/visit").split(" ");
  if (!slot || !visit) return;
  event.preventDefault();
  fillIn("put-down", visit, { version, slot: slot.dataset.slot })?.requestSubmit();
});

// Times to block or open: a drag over them ticks, or unticks, each as the first one.
let ticking = null;
document.addEventListener("pointerdown", (event) => {
  const box = event.target.closest?.(".pick")?.querySelector("input");
  if (box && event.pointerType === "mouse") ticking = !box.checked;
});
const paint = (event) => {
  const box = event.target.closest?.(".pick")?.querySelector("input");
  if (box && ticking !== null && event.buttons === 1) box.checked = ticking;
};
for (const kind of ["pointerover", "pointerout"]) document.addEventListener(kind, paint);
document.addEventListener("pointerup", () => setTimeout(() => (ticking = null)));

// What was just done is no news after three minutes.
const tidy = () => {
  for (const done of document.querySelectorAll("[data-gone-at]")) {
    if (new Date(done.dataset.goneAt) < Date.now()) done.remove();
  }
};
setInterval(tidy, 5000);

// A screen that nobody uses locks; typing is use, and the server is told of it at most once a minute. It hears of use in
// every tab, so what is typed in this one goes only when it says that the session is over. The board, which refreshes
// itself, hears that as long as it is answered; two who ask at once would not both be told that the screen is locked.
const MINUTE = 60 * 1000;
const IDLE = 15 * MINUTE;
const tell = (address) => {
  const token = document.querySelector("[name=csrf_token]").value;
  return fetch(address, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => null);
};
let used = Date.now();
let told = Date.now();
const note = () => {
  used = Date.now();
  if (used - told < MINUTE) return;
  told = used;
  tell("/desk/here");
};
for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, note, { passive: true });
const boardHears = () => document.querySelector("[hx-trigger^=every]") && !document.querySelector(".trouble, .covered");
let unanswered = 0;
setInterval(async () => {
  if (!bar || Date.now() - used < IDLE || boardHears()) return;
  used = Date.now() - IDLE + MINUTE;  // used elsewhere, perhaps: asked once more in a minute
  const answer = await tell("/desk/here?poll");
  unanswered = answer ? 0 : unanswered + 1;
  cover(unanswered > 1);
  if (answer && answer.status !== 204 && answer.status < 500) location.reload();
}, 10000);

// While nobody answers, nobody can lock the screen either: what stands there is hidden, and comes back as it was.
const cover = (away) => {
  document.querySelector("main").hidden = away;
  document.querySelector(".covered")?.remove();
  if (!away) return;
  const words = Object.assign(document.createElement("p"), { className: "notice covered" });
  words.setAttribute("role", "alert");
  words.textContent = "Nobody was here for a quarter of an hour, and the portal does not answer. This page is hidden until it does.";
  document.body.append(words);
};
