// Passkeys: the browser asks its person, the server checks. Without this script a password works as well.
const button = document.querySelector('[data-passkey]');
const says = document.querySelector('[data-passkey-says]');
const say = (text) => { if (says) says.textContent = text; };

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  if (button.dataset.csrf) headers['x-csrf-token'] = button.dataset.csrf;
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
  const document = await answer.json();
  if (answer.ok) return document;
  if (document.code === 'step-up-required') location.href = '/prove?next=/settings/security';
  throw new Error(document.detail);
}

async function register() {
  const question = await post('/api/v1/me/passkeys/question');
  const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question) });
  await post('/api/v1/me/passkeys', { credential: made.toJSON(), name: `Passkey of ${new Date().toISOString().slice(0, 10)}` });
  location.reload();
}

async function signIn() {
  const question = await post('/api/v1/sessions/passkey-question');
  const used = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question) });
  const form = document.getElementById('passkey-form');
  form.elements.credential.value = JSON.stringify(used.toJSON());
  form.submit();
}

if (button && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    say('Look at your device');
    try { await (button.dataset.passkey === 'register' ? register() : signIn()); } catch (error) { say(error.name === 'NotAllowedError' ? 'Not done' : error.message); }
  });
}
