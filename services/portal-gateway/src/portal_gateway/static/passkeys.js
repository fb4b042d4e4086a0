// Passkeys: the browser asks its person, the server checks. Without this script a password works as well.
const button = document.querySelector('[data-passkey]');
const says = document.querySelector('[data-passkey-says]');
const say = (text) => { if (says) says.textContent = text; };

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  if (button.dataset.csrf) headers['x-csrf-token'] = button.dataset.csrf;
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
  const document = answer.status === 204 ? {} : await answer.json();
  if (answer.ok) return document;
  if (document.code === 'step-up-required') location.href = '/prove?next=/settings/security';
  throw new Error(document.detail);
}

async function register() {
  const question = await post('/api/v1/me/passkeys/question');
  const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question) });
  await post('/api/v1/me/passkeys', { credential: made.toJSON(), name: button.dataset.name });
  location.reload();
}

async function used() {
  const question = await post('/api/v1/sessions/passkey-question');
  const answer = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question) });
  return answer.toJSON();
}

async function prove() {
  await post('/api/v1/sessions/current/passkey-proof', { credential: await used() });
  location.href = button.dataset.next;
}

async function signIn() {
  const credential = await used();
  const form = document.getElementById('passkey-form');
  form.elements.credential.value = JSON.stringify(credential);
  form.submit();
}

if (button && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    say(button.dataset.look);
    try { await { register, prove, 'sign-in': signIn }[button.dataset.passkey](); } catch (error) { say(error.name === 'NotAllowedError' ? button.dataset.stopped : error.message); }
  });
}
