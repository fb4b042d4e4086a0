// Behaviour layer. No framework, no inline handlers, no eval; one ES module.
// In the product the same file also listens to htmx lifecycle events.

/* ---- clock: server time, not the visitor's ------------------------------ */
const meta = document.querySelector('meta[name="server-time"]');
const frozen = document.documentElement.dataset.freeze !== undefined;
const skew = meta ? Date.parse(meta.content) - Date.now() : 0;
const base = meta ? Date.parse(meta.content) : Date.now();
const now = () => (frozen ? base : Date.now() + skew);

export function clock(ms) {
  const s = Math.floor(Math.abs(ms) / 1000);
  const d = Math.floor(s / 86400), h = Math.floor((s % 86400) / 3600), m = Math.floor((s % 3600) / 60);
  const p = (n) => String(n).padStart(2, '0');
  if (d > 0) return meta.dataset.days.replace('{d}', d).replace('{h}', p(h));
  return h > 0 ? `${h}:${p(m)}:${p(s % 60)}` : `${p(m)}:${p(s % 60)}`;
}

/* ---- <sla-timer due total state size> ------------------------------------
   due    ISO instant at which the clock runs out (already business-hours aware,
          computed by the sla service: the browser never does calendar maths)
   total  seconds of the whole allowance, for the ring
   state  running | risk | breached | paused | met    (server's word)
   warn   seconds before due at which running turns into risk                 */
const C = 2 * Math.PI * 8;
const timers = new Set();
class SlaTimer extends HTMLElement {
  connectedCallback() {
    if (!this.querySelector('.ring')) {
      this.insertAdjacentHTML('afterbegin',
        `<svg class="ring" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8"/><circle class="v" cx="10" cy="10" r="8"/></svg>`);
    }
    this.label = this.querySelector('[data-t]');
    timers.add(this); this.tick();
  }
  disconnectedCallback() { timers.delete(this); }
  static observedAttributes = ['due', 'state', 'remaining'];
  attributeChangedCallback() { if (this.isConnected && this.label) this.tick(); }
  tick() {
    const fixed = this.getAttribute('remaining');           // paused or met: does not move
    const left = fixed !== null ? Number(fixed) * 1000 : Date.parse(this.getAttribute('due')) - now();
    const total = Number(this.getAttribute('total') || 14400) * 1000;
    let state = this.getAttribute('state') || 'running';
    if (state === 'running' || state === 'risk') {
      if (left <= 0) state = 'breached';
      else if (left <= Number(this.getAttribute('warn') || total / 4000) * 1000) state = 'risk';
      if (state !== this.getAttribute('state')) { this.setAttribute('state', state); return; }
    }
    const used = Math.min(1, Math.max(0, 1 - left / total));
    const v = this.querySelector('.ring .v');
    v.setAttribute('stroke-dasharray', `${(used * C).toFixed(2)} ${C.toFixed(2)}`);
    if (state !== 'met' && this.label) this.label.textContent = (left < 0 ? '−' : '') + clock(left);
  }
}
customElements.define('sla-timer', SlaTimer);

/* ---- <work-timer> : stopwatch for time logging --------------------------- */
class WorkTimer extends HTMLElement {
  connectedCallback() { this.out = this.querySelector('output'); timers.add(this); this.tick(); }
  disconnectedCallback() { timers.delete(this); }
  tick() {
    if (!this.hasAttribute('started')) return;
    const ms = now() - Date.parse(this.getAttribute('started'));
    const s = Math.floor(ms / 1000), p = (n) => String(n).padStart(2, '0');
    this.out.textContent = `${p(Math.floor(s / 3600))}:${p(Math.floor(s / 60) % 60)}:${p(s % 60)}`;
  }
}
customElements.define('work-timer', WorkTimer);
if (!frozen) setInterval(() => { if (!document.hidden) timers.forEach((t) => t.tick()); }, 1000);

/* ---- theme and density, remembered --------------------------------------- */
const root = document.documentElement;
const saved = (() => { try { return localStorage.getItem('theme'); } catch { return null; } })();
if (saved) root.dataset.theme = saved;
addEventListener('click', (e) => {
  const t = e.target.closest('[data-action]');
  if (!t) return;
  const a = t.dataset.action;
  if (a === 'theme') {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    try { localStorage.setItem('theme', root.dataset.theme); } catch { /* private mode */ }
  }
  if (a === 'palette') { e.preventDefault(); openPalette(); }
  if (a === 'keys') openKeys();
  if (a === 'menu') document.querySelector('.side')?.toggleAttribute('data-open');
  if (a === 'print') print();
  if (a === 'close') t.closest('dialog')?.close();
});
addEventListener('click', (e) => { if (e.target.nodeName === 'DIALOG') e.target.close(); });

/* ---- command palette: pages from the server; actions of this page and recent ones from here ---- */
const pal = document.getElementById('palette');
const palInput = pal?.querySelector('input');
const recent = (() => { try { return JSON.parse(sessionStorage.getItem('recent')) || []; } catch { return []; } })();
function remember(list) { try { sessionStorage.setItem('recent', JSON.stringify(list)); } catch { /* private mode */ } }
pal?.querySelectorAll('li:not([role])').forEach((one, n) => { one.id = `po${n}`; one.setAttribute('role', 'option'); });
// What somebody looked at is kept in this tab only, and gone when they have signed out.
if (pal && /^\/(desk|portal)\/.+\/.+/.test(location.pathname)) {
  remember([{ href: location.pathname, text: pal.dataset.here }, ...recent.filter((one) => one.href !== location.pathname)].slice(0, 8));
} else if (!pal) remember([]);
function option(text, act, id) {
  const made = Object.assign(document.createElement('li'), { id, textContent: text });
  made.setAttribute('role', 'option'); made.setAttribute('aria-selected', 'false'); made.dataset.made = '';
  if (typeof act === 'string') made.dataset.href = act; else made.act = act;
  return made;
}
function openPalette() {
  if (!pal || pal.open) return;
  pal.querySelectorAll('[data-made]').forEach((one) => one.remove());
  const group = (name) => pal.querySelector(`[data-group="${name}"]`);
  const acts = [...document.querySelectorAll('#main .btn, .topbar .btn:not(.menu-btn)')].filter((b) => b.innerText.trim() && !b.disabled && b.checkVisibility()).slice(0, 12);
  group('here').after(...acts.map((b, n) => option(b.innerText.trim(), () => b.click(), `pa${n}`)));
  group('recent').after(...recent.filter((one) => one.href !== location.pathname).map((one, n) => option(one.text, one.href, `pr${n}`)));
  pal.showModal(); palInput.value = ''; filter(''); palInput.focus();
}
function filter(q) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const find = pal.querySelector('[data-find]');
  find.querySelector('span').textContent = find.querySelector('span').dataset.text.replace('{}', q.trim());
  find.dataset.href = `${pal.dataset.search}?text=${encodeURIComponent(q.trim())}`;
  let first = true;
  pal.querySelectorAll('[role="option"]').forEach((o) => {
    const hit = o === find ? words.length > 0 : words.every((w) => o.textContent.toLowerCase().includes(w));
    o.hidden = !hit;
    o.setAttribute('aria-selected', String(hit && first));
    if (hit && first) { palInput.setAttribute('aria-activedescendant', o.id); first = false; }
  });
  pal.querySelectorAll('.grp').forEach((g) => {
    let n = g.nextElementSibling, any = false;
    while (n && !n.classList.contains('grp') && n !== find) { any ||= !n.hidden; n = n.nextElementSibling; }
    g.hidden = !any;
  });
}
function run(o) {
  if (o?.dataset.href) location.href = o.dataset.href;
  else if (o?.act) { pal.close(); o.act(); }
}
palInput?.addEventListener('input', (e) => filter(e.target.value));
pal?.addEventListener('click', (e) => run(e.target.closest('[role="option"]')));
pal?.addEventListener('keydown', (e) => {
  const vis = [...pal.querySelectorAll('[role="option"]:not([hidden])')];
  const cur = vis.findIndex((o) => o.getAttribute('aria-selected') === 'true');
  if ((e.key === 'ArrowDown' || e.key === 'ArrowUp') && vis.length) {
    e.preventDefault();
    const nx = vis[(cur + (e.key === 'ArrowDown' ? 1 : -1) + vis.length) % vis.length];
    vis.forEach((o) => o.setAttribute('aria-selected', String(o === nx)));
    palInput.setAttribute('aria-activedescendant', nx.id); nx.scrollIntoView({ block: 'nearest' });
  }
  if (e.key === 'Enter') { e.preventDefault(); run(vis[cur]); }
});

/* ---- keyboard: single keys only when not typing; can be turned off -------- */
function openKeys() {
  const keys = document.getElementById('keys');
  // Only what this page has something for.
  keys?.querySelectorAll('[data-needs]').forEach((one) => { one.hidden = !document.querySelector(one.dataset.needs); });
  if (keys && !keys.open) keys.showModal();
}
let chord = '';
addEventListener('keydown', (e) => {
  if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === 'k') { e.preventDefault(); openPalette(); return; }
  if ((e.metaKey || e.ctrlKey) && e.key === 'Enter' && e.target.matches('textarea')) {
    const form = e.target.form;
    form?.requestSubmit(form.querySelector('button[data-kind="primary"]')); return;
  }
  if (e.target.closest('input, textarea, select, [contenteditable], dialog') || e.metaKey || e.ctrlKey || e.altKey) return;
  if (root.dataset.shortcuts === 'off') return;
  const rows = [...document.querySelectorAll('tr[data-href]')];
  const at = rows.findIndex((r) => r.classList.contains('cursor'));
  const move = (n) => { const r = rows[Math.max(0, Math.min(rows.length - 1, n))]; if (!r) return; rows.forEach((x) => x.classList.remove('cursor')); r.classList.add('cursor'); r.querySelector('a').focus({ preventScroll: true }); r.scrollIntoView({ block: 'nearest' }); };
  if (chord === 'g') { const to = document.querySelector(`[data-go="${CSS.escape(e.key)}"]`); chord = ''; if (to) { location.href = to.dataset.href; return; } }
  switch (e.key) {
    case 'g': chord = 'g'; setTimeout(() => { chord = ''; }, 900); break;
    case 'j': move(at + 1); break;
    case 'k': move(at - 1); break;
    case 'Enter': if (at >= 0 && !e.target.closest('a,button,summary')) location.href = rows[at].dataset.href; break;
    case '/': e.preventDefault(); openPalette(); break;
    case '?': openKeys(); break;
    case 'r': { const to = document.querySelector('.composer textarea'); if (to) { e.preventDefault(); to.focus(); } break; }
    case 'n': { const note = document.querySelector('.composer [value="note"]'); if (note) { e.preventDefault(); note.checked = true; document.querySelector('.composer textarea').focus(); } break; }
    case 'a': { const box = document.querySelector('details:has([name="assignee_id"])'); if (box) { e.preventDefault(); box.open = true; box.querySelector('[name="assignee_id"]').focus(); } break; }
    case 't': { const to = document.querySelector('[name="duration"]'); if (to) { e.preventDefault(); to.focus(); } break; }
    default: {
      // In a table, the row under the cursor; elsewhere the one button there is.
      const key = `[data-key="${CSS.escape(e.key)}"]`;
      (document.querySelector(`tr.cursor ${key}`) ?? document.querySelector(`${key}:not(tr *)`))?.click();
    }
  }
});

/* ---- chart tooltips: [data-tip] on hover, focus and touch ----------------- */
let tip;
function show(el, x, y) {
  tip ??= document.body.appendChild(Object.assign(document.createElement('div'), { className: 'tip', hidden: true }));
  tip.textContent = el.dataset.tip; tip.hidden = false;
  const r = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(innerWidth - r.width - 8, x - r.width / 2))}px`;   // CSSOM: allowed under strict CSP
  tip.style.top = `${y - r.height - 12 < 4 ? y + 18 : y - r.height - 12}px`;
}
addEventListener('pointermove', (e) => { const t = e.target.closest?.('[data-tip]'); if (t) show(t, e.clientX, e.clientY); else if (tip) tip.hidden = true; });
addEventListener('focusin', (e) => { const t = e.target.closest?.('[data-tip]'); if (t) { const b = t.getBoundingClientRect(); show(t, b.x + b.width / 2, b.y); } });
addEventListener('focusout', () => { if (tip) tip.hidden = true; });

/* ---- toasts go by themselves, but not while somebody is on them ------------ */
for (const toast of document.querySelectorAll('[data-toast]')) {
  const leave = () => { if (toast.matches(':hover, :focus-within')) setTimeout(leave, 1000); else toast.remove(); };
  setTimeout(leave, 6000);
}

/* ---- forms whose page says what follows from a choice: it is asked again, and what it says is put in place ---- */
for (const form of document.querySelectorAll('form[data-ask]')) {
  const names = form.dataset.ask.split(' ');
  form.addEventListener('change', async ({ target }) => {
    if (!names.includes(target.name)) return;
    const asked = names.flatMap((name) => (form.elements[name] ? [[name, form.elements[name].value]] : []));
    const fresh = await pageAt(`${location.pathname}?${new URLSearchParams(asked)}`);
    for (const old of form.querySelectorAll('[data-answer]')) {
      const made = fresh?.getElementById(old.id);
      if (made) old.replaceWith(document.adoptNode(made));
    }
  });
}

/* ---- the bell: how much is open in the inbox ------------------------------- */
const bell = document.querySelector('[data-bell]');
// Gives where the signals stood when it was counted.
async function ring() {
  if (!bell) return '';
  try {
    const answer = await fetch('/ui/inbox', { headers: { accept: 'application/json' } });
    if (answer.status === 401) leave();
    if (!answer.ok) return '';
    const { unread, at } = await answer.json(), count = bell.querySelector('.count');
    count.hidden = !unread;
    count.textContent = unread > 99 ? '99+' : String(unread);
    bell.setAttribute('aria-label', unread ? bell.dataset.some.replace('0', count.textContent) : bell.dataset.none);
    return at;
  } catch { return ''; /* the page is left, or the network is away: the next signal asks again */ }
}

/* ---- live: signals name a topic, the page asks again by its own address ----
   One stream for all tabs of a person in this browser, as HTTP/1.1 allows six connections to a host. Each tab holds a
   shared lock named for each of its topics while it lives. Whichever tab gets the one exclusive lock opens the stream
   for all topics that are held, and tells the others what it hears; when it goes, the browser gives the lock to another
   tab, which goes on after the last signal that was told. Where there are no locks, each tab has a stream of its own. */
const live = document.querySelector('meta[name="live-topics"]');
const shows = live?.content.split(',') ?? [];
const wanted = [...new Set([...shows, bell?.dataset.bell])].filter(Boolean);
const canShare = Boolean(navigator.locks && window.BroadcastChannel);
const MOST = 100, LOOK = 20000;
let due = 0, since = '', leave = () => {};
async function pageAt(address) {
  const answer = await fetch(address, { headers: { accept: 'text/html' } }).catch(() => null);
  return answer?.ok ? new DOMParser().parseFromString(await answer.text(), 'text/html') : null;
}
async function refresh() {
  due = 0;
  const fresh = shows.length ? await pageAt(location.href) : null;
  if (!fresh) return;
  for (const old of document.querySelectorAll('[data-live]')) {
    const made = fresh.getElementById(old.id);
    if (!made || old.innerHTML === made.innerHTML) continue;
    if (old.dataset.live === 'rows' && rowsIn(old).size) keepPlaces(old, made);
    // What somebody types in, has focused or has ticked stays as it is.
    else if (!old.contains(document.activeElement) && !old.querySelector('[name="ids"]:checked')) old.replaceWith(document.adoptNode(made));
  }
}
// Rows do not jump under the pointer: those that stay are kept up to date in their places; what came, went or moved is
// shown when asked for.
const later = document.querySelector('[data-action="later"]'), waiting = new Map();
function rowsIn(part) { return new Map([...part.querySelectorAll('tr[data-href]')].map((one) => [one.querySelector('[name="ids"]')?.value ?? one.dataset.href, one])); }
function keepPlaces(old, made) {
  const had = rowsIn(old), has = rowsIn(made), ids = [...has.keys()];
  for (const [id, row] of has) {
    [...had.get(id)?.cells ?? []].forEach((cell, n) => {
      const fresh = row.cells[n];
      if (cell.outerHTML !== fresh.outerHTML && !cell.contains(document.activeElement) && !cell.querySelector(':checked, [open]')) cell.replaceWith(document.importNode(fresh, true));
    });
  }
  if ([...had.keys()].join() === ids.join()) waiting.delete(old.id);
  else waiting.set(old.id, made);
  const came = ids.filter((id) => !had.has(id)).length, { one, some, moved } = later.dataset;
  later.textContent = came ? (came === 1 ? one : some.replace('{}', came)) : moved;
  later.hidden = !waiting.size;
}
later?.addEventListener('click', () => {
  for (const [id, made] of waiting) {
    const old = document.getElementById(id), isHere = old.contains(document.activeElement) || document.activeElement === later;
    old.replaceWith(document.adoptNode(made));
    if (isHere) made.querySelector('tr[data-href] a')?.focus({ preventScroll: true });
  }
  waiting.clear(); later.hidden = true;
});
function look() { ring(); due ||= setTimeout(refresh, 250); }
function say(state) { for (const label of document.querySelectorAll('.live')) label.textContent = live?.dataset[state]; }
const isWithin = (mark, other) => { const [a, n] = mark.split('-'), [b, m] = other.split('-'); return a === b && Number(n) <= Number(m); };

function listen() {
  const name = `live ${bell?.dataset.bell}`, end = new AbortController(), channel = canShare ? new BroadcastChannel('live') : null;
  let last = since, isServed = false, isLeader = false, looking = 0, stream = null, asked = '', busy = Promise.resolve();
  const hold = (lock, mode, held) => new Promise((got) => {
    navigator.locks.request(lock, { mode, signal: end.signal }, () => {
      got(); held?.();
      return new Promise((done) => { end.signal.addEventListener('abort', done); });
    }).catch(() => { /* the page is left */ });
  });
  const topics = async () => {
    if (!canShare) return wanted;
    const { held } = await navigator.locks.query();
    return [...new Set(held.map((one) => one.name).filter((one) => one.startsWith(`${name} `)).map((one) => one.slice(name.length + 1)))].sort();
  };
  const tell = (said) => { hear(said); channel?.postMessage({ of: name, last, ...said }); };

  // The leader: one stream for the topics of all tabs, opened anew when one comes that it does not have.
  async function open() {
    const all = (await topics()).slice(0, MOST);
    if (end.signal.aborted || (stream && stream.readyState !== EventSource.CLOSED && all.every((one) => asked.includes(one)))) {
      if (stream?.readyState === EventSource.OPEN) tell({ state: 'on', asked, from: last });
      return;
    }
    stream?.close();
    asked = all;
    stream = new EventSource(`/ui/events?topics=${encodeURIComponent(all.join(','))}&last=${encodeURIComponent(last)}`);
    let from = last;
    const heard = (e) => { if (e.lastEventId) last = e.lastEventId; };
    stream.addEventListener('open', () => tell({ state: 'on', asked, from }));
    stream.addEventListener('signal', (e) => { heard(e); tell({ topic: e.data }); });
    stream.addEventListener('resync', (e) => { heard(e); tell({ topic: '*' }); });
    stream.addEventListener('beat', (e) => { heard(e); tell({}); });
    stream.addEventListener('error', (e) => { from = last; tell({ state: e.target.readyState === EventSource.CLOSED ? 'looking' : 'lost', asked }); });
  }
  const opened = () => { busy = busy.then(open); };

  // Every tab.
  function hear(said) {
    if (said.last) last = said.last;
    if (said.topic === '*') look();
    else if (said.topic) { if (said.topic === bell?.dataset.bell) ring(); if (shows.includes(said.topic)) look(); }
    if (!said.state) return;
    const state = said.state === 'on' && !wanted.every((one) => said.asked.includes(one)) ? 'looking' : said.state;
    say(state);
    if (state === 'on') {
      clearInterval(looking); looking = 0;
      // What came after this tab was made and before it was served may concern it.
      if (!isServed && !isWithin(said.from, since)) look();
    } else {
      // Without the stream the page looks by itself, and the leader tries again.
      if (state === 'looking') { ring(); since = ''; }
      looking ||= setInterval(() => { ring(); refresh(); if (isLeader) opened(); }, LOOK);
    }
    isServed = state !== 'looking' && (isServed || state === 'on');
  }
  function stop() { end.abort(); stream?.close(); channel?.close(); clearInterval(looking); }
  leave = () => { stop(); say('ended'); };
  addEventListener('pagehide', stop, { once: true });
  channel?.addEventListener('message', ({ data }) => {
    if (data.of === name && (data.state || data.last)) hear(data);
    else if (isLeader && data.of === name) opened();
    // Somebody signed in or out in another tab: whether the stream may go on is for the server to say.
    else if (isLeader && data.left) { stream?.close(); opened(); }
  });
  if (!canShare) { isLeader = true; opened(); return; }
  Promise.all(wanted.map((one) => hold(`${name} ${one}`, 'shared'))).then(() => {
    if (end.signal.aborted) return;
    channel.postMessage({ of: name, joined: true });
    hold(name, 'exclusive', () => { isLeader = true; opened(); });
  });
}
if (bell && window.EventSource) {
  const counted = await ring();
  since = live?.dataset.since || counted;
  listen();
  // Back from the browser's memory: what was missed is not known.
  addEventListener('pageshow', (e) => { if (e.persisted) { since = ''; look(); listen(); } });
} else if (canShare && !pal) new BroadcastChannel('live').postMessage({ left: true });
