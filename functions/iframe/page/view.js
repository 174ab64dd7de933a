// What is on the screen. Text reaches it as text alone: nothing here makes markup of a string.
function el(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

// put changes a text only where it differs: what is read aloud, and what is selected, stays.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const LEVELS = { succeeded: 'good', partial: 'warning', failed: 'bad', running: 'busy', waiting: 'warning' };

// counts is how far a job is: of a selection whose end is not reached, nobody knows of how many.
function counts(job, language) {
  if (job.open) {
    const counted = new Intl.NumberFormat(language.tag).format(job.done + job.failed);
    return language.say(job.failed ? 'soFarFailed' : 'soFar', { counted, failed: job.failed });
  }
  return job.total > 0 ? language.say(job.failed ? 'countsFailed' : 'counts', job) : '';
}

// named is a job's label, which an undo shares with the job that it takes back.
const named = (job, language) => (job.trigger === 'undo' ? language.say('undoJob', job) : job.label);

// Row is one job in the table, and below it what failed. It stays the same nodes while the job goes on, so that the
// keyboard's focus stays where it is.
class Row {
  #language;
  #on;
  #label = el('td', { role: 'cell', class: 'name' });
  #badge = el('span', { class: 'badge' });
  #message = el('p', { class: 'message' });
  #bar = el('progress', { max: 1 });
  #counts = el('span', { class: 'counts' });
  #time = el('time');
  #details;
  #cancel;
  #retry;
  #giveUp;
  #asDone;
  #download;
  #files = el('span', { class: 'files' });
  #undo;
  #sure;
  #problems = el('div');

  constructor(language, job, on) {
    this.#language = language;
    this.#on = on;
    const id = `job-${job.id}`;
    this.#details = el('button', { type: 'button', class: 'small', 'aria-expanded': 'false', 'aria-controls': id, onclick: () => this.toggle() }, language.say('details'));
    this.#cancel = el('button', { type: 'button', class: 'small bad cancel', onclick: () => on.cancel(this) }, language.say('cancel'));
    this.#retry = el('button', { type: 'button', class: 'small', onclick: () => on.retry(this) }, language.say('retry'));
    this.#giveUp = el('button', { type: 'button', class: 'small bad', onclick: () => on.giveUp(this) }, language.say('giveUp'));
    this.#asDone = el('button', { type: 'button', class: 'small', onclick: () => on.asDone(this) }, language.say('asDone'));
    this.#download = el('button', { type: 'button', class: 'small', onclick: () => on.download(this) }, language.say('download'));
    this.#undo = el('button', { type: 'button', class: 'small undo', onclick: () => this.#ask(this.#sure.hidden) }, language.say('undo'));
    this.#sure = el('div', { role: 'group', 'aria-label': language.say('undoWhat'), class: 'sure', hidden: true }, el('p', {}, language.say('undoWhat')),
      el('button', { type: 'button', class: 'small now', onclick: () => { this.#ask(false); on.undo(this); } }, language.say('undoNow')),
      el('button', { type: 'button', class: 'small', onclick: () => this.#ask(false) }, language.say('keep')));
    this.main = el('tr', { role: 'row' },
      this.#label,
      el('td', { role: 'cell' }, this.#badge),
      el('td', { role: 'cell', class: 'progress' }, this.#bar, this.#counts, this.#message, this.#sure),
      el('td', { role: 'cell' }, this.#time),
      el('td', { role: 'cell', class: 'buttons' }, this.#download, this.#files, this.#details, this.#cancel, this.#undo));
    this.more = el('tr', { role: 'row', id, class: 'more', hidden: true },
      el('td', { role: 'cell', colspan: 5 }, this.#problems, this.#retry, this.#asDone, this.#giveUp,
        el('p', { class: 'quiet id' }, [job.user && language.say('by', { user: job.user }), language.say('id', { id: job.id })].filter(Boolean).join(' · '))));
    this.show(job);
  }

  show(job) {
    const language = this.#language;
    this.job = job;
    const since = language.absolute.format(new Date(job.createdAt));
    const label = named(job, language);
    put(this.#label, label);
    put(this.#badge, job.cancelling ? language.say('cancelling') : language.of('states', job.state));
    this.#badge.className = `badge ${LEVELS[job.state] ?? ''}`;
    put(this.#message, job.message ?? '');
    const counted = job.done + job.failed;
    if (job.open && !ended(job)) {
      this.#bar.removeAttribute('value'); // how many there are is not known yet
    } else if (job.total > 0 && (ended(job) || counted > 0)) {
      this.#bar.max = job.total;
      this.#bar.value = counted;
    } else if (ended(job)) {
      this.#bar.max = this.#bar.value = 1;
    } else if (job.state === 'running') {
      this.#bar.removeAttribute('value'); // how far is not known yet
    } else {
      this.#bar.value = 0;
    }
    this.#bar.className = LEVELS[job.state] ?? '';
    put(this.#counts, counts(job, language));
    this.#bar.setAttribute('aria-label', `${language.say('progress')}: ${label}`);
    this.#time.dateTime = job.createdAt;
    this.#time.title = since;
    this.tick();
    this.#details.setAttribute('aria-label', language.say('detailsOf', { label, since }));
    this.#cancel.setAttribute('aria-label', language.say('cancelOf', { label, since }));
    this.#cancel.hidden = !job.cancellable && !job.cancelling;
    this.#cancel.disabled = job.cancelling;
    put(this.#cancel, language.say(job.cancelling ? 'cancelling' : 'cancel'));
    this.#retry.hidden = !job.retryable;
    this.#giveUp.setAttribute('aria-label', language.say('giveUpOf', { label, since }));
    this.#giveUp.hidden = !job.waits;
    this.#asDone.setAttribute('aria-label', language.say('asDoneOf', { label, since }));
    this.#asDone.hidden = !job.asDone;
    this.#download.setAttribute('aria-label', language.say('downloadOf', { label, since }));
    this.#download.hidden = !job.files || this.#files.hasChildNodes();
    this.#undo.setAttribute('aria-label', language.say('undoOf', { label, since }));
    this.#undo.hidden = !job.undoable;
    if (!job.undoable) this.#sure.hidden = true;
  }

  // links shows the job's files, where the button was.
  links(files) {
    this.#download.hidden = true;
    this.#files.replaceChildren(...files.map((file) => el('a', { href: file.url, target: '_blank', rel: 'noopener', download: file.name }, file.name)));
    this.#files.querySelector('a')?.focus();
  }

  // ask shows what an undo will do, and the button that starts it. A page inside another site's may open no dialog.
  #ask(open) {
    this.#sure.hidden = !open;
    (open ? this.#sure.querySelector('button') : this.#undo).focus();
  }

  tick() {
    put(this.#time, this.#language.ago(new Date(this.job.createdAt)));
  }

  get open() {
    return !this.more.hidden;
  }

  toggle() {
    this.more.hidden = this.open;
    this.#details.setAttribute('aria-expanded', String(this.open));
    if (this.open) {
      this.#problems.replaceChildren(el('p', { class: 'quiet' }, this.#language.say('loading')));
      this.#on.open(this);
    }
  }

  // failed shows what failed, by item.
  failed(failures) {
    const language = this.#language;
    if (failures.length === 0) {
      this.#problems.replaceChildren(el('p', { class: 'quiet' }, language.say('noFailures')));
      return;
    }
    this.#problems.replaceChildren(el('table', { role: 'table', class: 'failures', 'aria-label': language.say('failures') },
      head(language.say('item'), language.say('why')),
      el('tbody', { role: 'rowgroup' }, ...failures.map((failure) => el('tr', { role: 'row' },
        el('td', { role: 'cell' }, `${language.of('items', failure.item.type)} `, el('code', {}, failure.item.id)),
        el('td', { role: 'cell' }, failure.reason))))));
  }

  unreadable(message) {
    this.#problems.replaceChildren(el('p', { class: 'quiet' }, message));
  }

  // cancelling shows at once that the press was heard; what the server answers takes its place.
  cancelling() {
    put(this.#cancel, this.#language.say('cancelling'));
    return this;
  }

  busy(busy) {
    for (const button of [this.#cancel, this.#retry, this.#giveUp, this.#asDone, this.#download, this.#undo]) button.disabled = busy || (button === this.#cancel && this.job.cancelling);
  }
}

const ended = (job) => ['succeeded', 'partial', 'failed', 'cancelled'].includes(job.state);

// head is a table's. Roles are said in full: where a table is narrow its cells are laid out otherwise, and browsers
// forget what they are.
function head(...names) {
  return el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...names.map((name) => el('th', { role: 'columnheader', scope: 'col' }, name))));
}

// View is the page once it knows who looks at it.
class View {
  constructor(language, actions, on) {
    this.language = language;
    this.on = on;
    this.selection = el('p', { id: 'selection' });
    this.actions = actions.map(({ name, label }) => el('button', {
      type: 'button', class: 'action', 'data-action': name, 'aria-describedby': 'selection', onclick: () => on.start(name),
    }, language.label(label, name)));
    this.rows = new Map();
    this.body = el('tbody', { role: 'rowgroup' });
    this.table = el('table', { role: 'table', class: 'jobs', 'aria-labelledby': 'jobs' },
      head(...['action', 'state', 'progress', 'time', 'buttons'].map((name) => language.say(name))), this.body);
    this.none = el('p', { class: 'quiet' }, language.say('loading'));
    this.older = el('button', { type: 'button', class: 'small', hidden: true, onclick: () => on.older() }, language.say('older'));
    this.context = el('dl');
    this.root = [
      el('section', { 'aria-labelledby': 'actions' }, el('h2', { id: 'actions' }, language.say('actions')),
        this.selection, el('div', { class: 'bar' }, ...this.actions)),
      el('section', { 'aria-labelledby': 'jobs' }, el('h2', { id: 'jobs' }, language.say('jobs')), this.table, this.none, this.older),
      el('details', {}, el('summary', {}, language.say('context')), el('p', { class: 'quiet' }, language.say('hint')), this.context),
    ];
  }

  // surround shows what is selected and around. Where nothing is, finds names the selection that takes its place, if there is one.
  surround(around, max, busy, finds) {
    const { language } = this;
    const parts = [['products', around.productUuids], ['models', around.productModelCodes], ['categories', around.categoryCodes]];
    const what = parts.filter(([, ids]) => ids.length > 0).map(([name, ids]) => language.say(name, { n: ids.length })).join(', ');
    const n = around.count;
    if (n === 0) put(this.selection, finds ? language.say('finds', { name: finds }) : language.say('nothing'));
    else if (n > max) put(this.selection, language.say('tooMany', { max, n }));
    else put(this.selection, language.say('selection', { what }));
    for (const button of this.actions) {
      button.disabled = (n === 0 && !finds) || n > max || busy.has(button.dataset.action);
      if (busy.has(button.dataset.action)) button.setAttribute('aria-busy', 'true');
      else button.removeAttribute('aria-busy');
    }
    this.context.replaceChildren(...around.entries.flatMap(([name, value]) => [el('dt', {}, language.of('names', name)), el('dd', {}, value)]));
  }

  // show puts jobs in their places, newest first, and tells which have changed their state.
  show(jobs) {
    const changed = [];
    for (const job of jobs) {
      const row = this.rows.get(job.id);
      if (!row) {
        this.rows.set(job.id, new Row(this.language, job, this.on));
      } else if (Date.parse(job.updatedAt) >= Date.parse(row.job.updatedAt)) { // the list may lag behind
        if (job.state !== row.job.state) changed.push(job);
        row.show(job);
      }
    }
    const ordered = [...this.rows.values()].sort((a, b) => Date.parse(b.job.createdAt) - Date.parse(a.job.createdAt));
    ordered.forEach((row, i) => {
      if (this.body.children[2 * i] !== row.main) this.body.insertBefore(row.main, this.body.children[2 * i] ?? null);
      if (row.main.nextSibling !== row.more) row.main.after(row.more);
    });
    this.table.hidden = ordered.length === 0;
    this.none.hidden = ordered.length > 0;
    put(this.none, this.language.say('none'));
    return changed;
  }
}
