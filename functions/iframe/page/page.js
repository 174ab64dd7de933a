// The page: from the first message to the PIM to the list that stays up to date.
const MAX_ITEMS = 500;
const BUSY = 1500; // ms between looks while a job goes on
const IDLE = 20000; // and while none does: another tab, or a button in the PIM, may start one

const about = JSON.parse(document.body.dataset.about);
const around = new Surroundings(location.search);
const language = new Language(around.language);
const notice = document.getElementById('notice');
const content = document.getElementById('content');

const starting = new Set(); // actions whose start is under way
const requests = new Map(); // presses that we do not know the end of, by what was asked
let older = null; // where the list goes on
let looking = null;
let timer;
let silence = 0; // looks that failed, one after the other

const pim = new Pim(about.pim, (message) => {
  around.hear(message);
  surround();
});
const api = new Api(pim, language.spoken);
const view = new View(language, about.actions, {
  start,
  older: async () => { await looking; look(older); },
  open: details,
  download,
  cancel: (row) => press(row.cancelling(), () => api.post(`/jobs/${encodeURIComponent(row.job.id)}/cancel`, {})),
  giveUp: (row) => press(row, () => endWait(row.job, 'give-up')),
  asDone: (row) => press(row, () => endWait(row.job, 'as-done')),
  undo: (row) => press(row, () => undo(row.job)),
  retry: (row) => press(row, () => submit(`/jobs/${encodeURIComponent(row.job.id)}/retry`, {}, row.job.label)),
});

document.documentElement.lang = language.texts === TEXTS.fr ? 'fr' : 'en';
document.title = language.label(about.label, document.title);
put(document.getElementById('title'), document.title);

if (parent === window) {
  say('outside', 'warning');
  content.replaceChildren();
} else {
  open();
}

// surround shows what is around, and what can be started on it.
function surround() {
  view.surround(around, MAX_ITEMS, starting, about.select);
}

// open finds out who looks, and shows the page.
async function open() {
  clearTimeout(timer);
  content.replaceChildren(); // one attempt at a time
  say('connecting');
  pim.ask('request_context'); // what the PIM sends at load may have come before we listened
  try {
    const user = await api.post('/verify');
    if (!user.userUuid) throw new Problem('uuidless');
  } catch (problem) {
    complain(problem);
    content.replaceChildren(el('button', { type: 'button', onclick: open }, language.say('again')));
    if (problem.message === 'network') timer = setTimeout(open, 5000);
    return;
  }
  quiet();
  surround();
  view.table.hidden = true;
  content.replaceChildren(...view.root);
  pim.keep();
  setInterval(() => view.rows.forEach((row) => row.tick()), 10000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
  look();
}

// look reads the jobs: the newest, or those before a time. One look at a time.
function look(before) {
  clearTimeout(timer);
  looking ??= read(before).finally(() => {
    looking = null;
    const going = [...view.rows.values()].some((row) => !ended(row.job));
    if (!document.hidden) timer = setTimeout(look, silence ? Math.min(IDLE, BUSY * 2 ** silence) : going ? BUSY : IDLE);
  });
  return looking;
}

async function read(before) {
  try {
    const found = await api.get(before ? `/jobs?before=${encodeURIComponent(before)}` : '/jobs');
    if (silence) quiet();
    silence = 0;
    if (before || older === null) older = found.next ?? '';
    view.older.hidden = !older;
    show(found.jobs);
    await follow(found.jobs);
  } catch (problem) {
    silence++;
    complain(problem);
  }
}

// follow reads jobs that go on and are too old for the first page of the list.
async function follow(listed) {
  const known = new Set(listed.map((job) => job.id));
  const rest = [...view.rows.values()].filter((row) => !known.has(row.job.id) && !ended(row.job)).slice(0, 5);
  for (const row of rest) show([(await api.get(`/jobs/${encodeURIComponent(row.job.id)}`)).job]);
}

// show puts jobs on the page, says which have ended, and has the PIM's page loaded again if one changed products.
function show(jobs) {
  const over = view.show(jobs).filter(ended);
  for (const job of over) {
    tell([language.say('ended', { label: named(job, language), state: language.of('states', job.state) }), job.message].filter(Boolean).join(' '), LEVELS[job.state]);
    const row = view.rows.get(job.id);
    if (row.open) details(row);
  }
  if (over.some((job) => job.changed)) pim.ask('reload_parent');
}

// start runs an action on what is selected now, or where nothing is, on what the page's own selection finds.
async function start(action) {
  starting.add(action);
  surround();
  try {
    const label = language.label(about.actions.find(({ name }) => name === action).label, action);
    const items = around.count === 0 && about.select ? { select: about.select } : { data: around.data };
    await submit('/jobs', { action, ...items, context: { locale: around.locale, channel: around.channel }, language: language.code }, label);
  } catch (problem) {
    complain(problem);
  } finally {
    starting.delete(action);
    surround();
  }
}

// submit starts a job. Where the answer was lost, the same press is sent again, and again by the next one: its request
// finds the job that it may have started.
async function submit(path, wish, label) {
  const what = path + JSON.stringify(wish);
  const request = requests.get(what) ?? crypto.randomUUID();
  requests.set(what, request);
  let answer;
  try {
    answer = await api.post(path, { ...wish, request }).catch((problem) => {
      if (problem.message !== 'network') throw problem;
      return api.post(path, { ...wish, request });
    });
  } catch (problem) {
    if (problem.message !== 'network') requests.delete(what);
    throw problem;
  }
  requests.delete(what);
  const texts = { started: 'started', repeated: 'repeated', already_running: 'running' };
  tell(language.say(texts[answer.verdict], { label, since: language.clock.format(new Date(answer.since)) }), answer.verdict === 'started' ? 'good' : 'warning');
  if (answer.job) show([answer.job]);
  look();
  return answer;
}

// undo starts the job that takes back what another one has changed, and follows it in the list.
async function undo(job) {
  try {
    const answer = await api.post(`/jobs/${encodeURIComponent(job.id)}/undo`, {});
    tell(language.say('undoing', { label: named(job, language) }), 'good');
    return answer;
  } finally {
    look(); // it may be under way even where the answer was lost
  }
}

// endWait ends a job's wait for an answer; the list shows what comes of it.
async function endWait(job, how) {
  try {
    return await api.post(`/jobs/${encodeURIComponent(job.id)}/${how}`, {});
  } finally {
    look();
  }
}

// press does what a button of a row asks for.
async function press(row, work) {
  row.busy(true);
  try {
    const answer = await work();
    if (answer.job) show([answer.job]);
  } catch (problem) {
    complain(problem);
    row.show(row.job); // what was asked for is not under way
  } finally {
    row.busy(false);
  }
}

async function details(row) {
  try {
    const found = await api.get(`/jobs/${encodeURIComponent(row.job.id)}`);
    show([found.job]);
    row.failed(found.failures);
  } catch (problem) {
    row.unreadable(words(problem));
  }
}

// download shows the links of what a job made. They live as long as the files, and are asked for at the click.
async function download(row) {
  row.busy(true);
  try {
    row.links((await api.get(`/jobs/${encodeURIComponent(row.job.id)}/files`)).files);
  } catch (problem) {
    complain(problem);
  } finally {
    row.busy(false);
  }
}

// tell puts a message above all, where it is read aloud.
function tell(text, level = '') {
  notice.className = level;
  put(notice, text);
}

function say(name, level) {
  tell(language.say(name), level);
}

function quiet() {
  tell('');
}

function complain(problem) {
  tell(words(problem), problem.message === 'network' ? 'warning' : 'bad');
}

// words are what a user can do with a problem; one that is none of ours has no words of its own.
function words(problem) {
  return language.say(['silent', 'refused', 'uuidless', 'network', 'offered', 'large', 'standing'].includes(problem.message) ? problem.message : 'trouble');
}
