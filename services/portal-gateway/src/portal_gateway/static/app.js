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

/* ---- the bell: how much is open in the inbox ------------------------------- */
const bell = document.querySelector('[data-bell]');
async function ring() {
  if (!bell) return;
  try {
    const answer = await fetch('/ui/inbox', { headers: { accept: 'application/json' } });
    if (!answer.ok) return;
    const { unread } = await answer.json(), count = bell.querySelector('.count');
    count.hidden = !unread;
    count.textContent = unread > 99 ? '99+' : String(unread);
    bell.setAttribute('aria-label', unread ? bell.dataset.some.replace('0', count.textContent) : bell.dataset.none);
  } catch { /* the page is left, or the network is away: the next signal asks again */ }
}
ring();

/* ---- live: signals name a topic, the page asks again by its own address ---- */
const live = document.querySelector('meta[name="live-topics"]');
const shows = live?.content.split(',') ?? [];
const topics = [...new Set([...shows, bell?.dataset.bell])].filter(Boolean).join(',');
const label = document.querySelector('.live');
let due = 0;
async function refresh() {
  due = 0;
  if (!shows.length) return;
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const old of document.querySelectorAll('[data-live]')) {
    const made = fresh.getElementById(old.id);
    // What somebody types in, has focused or has ticked stays as it is.
    if (made && !old.contains(document.activeElement) && !old.querySelector('[name="ids"]:checked') && old.innerHTML !== made.innerHTML) old.replaceWith(document.adoptNode(made));
  }
}
if (topics && window.EventSource) {
  const stream = new EventSource(`/ui/events?topics=${encodeURIComponent(topics)}`);
  const say = (text) => { if (label) label.textContent = text; };
  const soon = () => { due ||= setTimeout(refresh, 250); };
  // Without the stream the page looks by itself.
  let looking = 0;
  stream.addEventListener('signal', (e) => { if (e.data === bell?.dataset.bell) ring(); if (shows.includes(e.data)) soon(); });
  stream.addEventListener('resync', () => { ring(); soon(); });
  stream.addEventListener('open', () => { clearInterval(looking); looking = 0; say(live?.dataset.on); });
  stream.addEventListener('error', () => {
    looking ||= setInterval(() => { ring(); refresh(); }, 20000);
    say(stream.readyState === EventSource.CLOSED ? live?.dataset.looking : live?.dataset.lost);
  });
  addEventListener('pagehide', () => stream.close());
}
