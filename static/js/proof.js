// The small sum of errors/proof.html: numbers whose hashes begin with so many zero bits. Without this file, waiting does.

const encoder = new TextEncoder();
const BATCH = 64; // hashes that the browser may work on side by side

const fits = async (text, bits) => {
  const hash = await crypto.subtle.digest("SHA-256", encoder.encode(text));
  return new DataView(hash).getUint32(0) >>> (32 - bits) === 0;
};

const solvePart = async (prefix, bits) => {
  for (let from = 0; ; from += BATCH) {
    const numbers = Array.from({ length: BATCH }, (_, i) => from + i);
    const hits = await Promise.all(numbers.map((number) => fits(prefix + number, bits)));
    if (hits.includes(true)) return numbers[hits.indexOf(true)];
  }
};

const solve = async (form) => {
  const [parts, bits] = form.dataset.proof.split("/").map(Number);
  const state = form.querySelector("[data-state]");
  const button = form.querySelector("button");
  form.querySelector("[data-unaided]").hidden = true;
  state.hidden = false;
  state.textContent = "Your browser is doing a small sum first. This takes a few seconds.";
  button.disabled = true;
  const answer = [];
  for (let part = 0; part < parts; part += 1) answer.push(await solvePart(`${form.elements.proof_mark.value}:${part}:`, bits));
  form.elements.proof.value = answer.join(",");
  button.disabled = false;
  if ("again" in form.dataset) {
    state.textContent = "Done. Press the button to send it.";
    return;
  }
  state.textContent = "Done. It is being sent.";
  form.requestSubmit(button);
};

// A browser without these functions, or an address without TLS, waits like one without scripts.
const form = document.querySelector("form[data-proof]");
if (form && globalThis.crypto?.subtle) solve(form);
