// Passkeys: the browser makes or uses one, and the form sends what comes of it. Without them the forms stay away.

const known = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

const ask = async (form) => {
  const answer = await fetch(form.dataset.passkey, {
    method: "POST",
    headers: { "X-CSRFToken": form.elements.csrf_token.value },
  });
  if (!answer.ok) return location.reload(); // signed out, or to be confirmed: the page itself says so
  const options = await answer.json();
  const credential = options.rp
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
};

for (const form of known ? document.querySelectorAll("form[data-passkey]") : []) {
  const failed = form.querySelector("[data-failed]");
  let asking = false;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.name?.value === "") return; // the server says what is missing
    event.preventDefault();
    if (asking) return;
    asking = true;
    failed.hidden = true;
    try {
      await ask(form);
    } catch {
      failed.textContent = failed.dataset.failed;
      failed.hidden = false;
    }
    asking = false;
  });
}
if (known) for (const words of document.querySelectorAll("[data-without-passkeys]")) words.hidden = true;
