"use strict";

const byId = (id) => document.getElementById(id);
const opened = new Set(); // keys of the details that are open, which outlive a redraw
const drawn = {};         // by section: what it shows, as JSON

// el makes an element; what is text stays text.
function el(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "scope") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// draw fills a section anew if what it shows has changed. The focus stays where it was.
function draw(id, data, rows, empty) {
  const text = JSON.stringify(data);
  if (drawn[id] === text) return;
  drawn[id] = text;
  const section = byId(id);
  const focused = section.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const made = rows(data);
  const tag = section.tagName === "TBODY" ? "tr" : "li";
  if (made.length === 0) {
    const cell = tag === "tr" ? el("td", { class: "empty", colSpan: 4 }, empty) : empty;
    made.push(el(tag, { class: "empty" }, cell));
  }
  section.replaceChildren(...made);
  if (focused) section.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

// more is a line that opens.
function more(key, line, text) {
  const summary = el("summary", { "data-key": key }, ...line);
  const details = el("details", { open: opened.has(key) }, summary, el("pre", {}, text));
  details.addEventListener("toggle", () => (details.open ? opened.add(key) : opened.delete(key)));
  return details;
}

const time = (at) => new Date(at).toLocaleTimeString([], { hour12: false });
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body || {}) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message || String(answer.status));
  return said;
}

async function press(extension, label, position) {
  const how = new FormData(byId("how"));
  const answer = byId("answer");
  try {
    const pressed = await post("/_local/press/" + encodeURIComponent(extension), {
      position, items: Number(how.get("items")), mistake: how.get("mistake"), same: how.has("same"),
    });
    let message = pressed.answer;
    try { message = JSON.parse(message).message; } catch { /* shown as it came */ }
    answer.className = "answer " + (pressed.status < 400 ? "good" : "bad");
    answer.textContent = `${label}: ${pressed.status} in ${Math.round(pressed.milliseconds)} ms. ${message}`;
  } catch (problem) {
    answer.className = "answer bad";
    answer.textContent = `${label}: ${problem.message}`;
  }
}

function extensionRow(extension) {
  const name = [el("strong", {}, extension.label || extension.name), " ", el("code", {}, extension.name)];
  if (extension.type !== "action") {
    const what = { iframe: "A page inside the PIM.", link: "A link: the PIM opens it.", data_component: "Data that the PIM shows." }[extension.type];
    return el("tr", {}, el("td", {}, ...name), el("td", { colSpan: 3, class: "empty" }, what + " There is no button to press."));
  }
  const select = el("select", { "aria-label": `Position of ${extension.label}`, "data-key": "at-" + extension.name },
    ...extension.positions.map((position) => el("option", {}, position)));
  const button = el("button", {
    type: "button", "aria-label": `Press ${extension.label}`, "data-key": "press-" + extension.name,
    onclick: () => press(extension.name, extension.label, select.value),
  }, "Press");
  return el("tr", {}, el("td", {}, ...name), el("td", {}, extension.action, " ", el("small", {}, extension.kind)), el("td", {}, select), el("td", {}, button));
}

function appActionRow(appAction) {
  const button = el("button", { type: "button", "aria-label": `Call ${appAction.name}`, "data-key": "call-" + appAction.name, onclick: async () => {
    const said = byId("called");
    try {
      const called = await post("/_local/appaction/" + encodeURIComponent(appAction.name));
      said.className = "answer " + (called.status < 400 ? "good" : "bad");
      said.textContent = `${appAction.name}: ${called.status}. ${called.answer}`;
    } catch (problem) {
      said.className = "answer bad";
      said.textContent = `${appAction.name}: ${problem.message}`;
    }
  } }, "Call");
  return el("tr", {}, el("td", {}, el("code", {}, appAction.name)), el("td", {}, appAction.category), el("td", {}, appAction.action), el("td", {}, button));
}

// undo takes back what a job has changed in the PIM; the job that does so appears in the list.
async function undo(job) {
  const label = job.label || job.action;
  if (!confirm(`Undo ${label}? It restores what this job changed where nobody has changed it since.`)) return;
  const answer = byId("undone");
  try {
    const started = await post(`/_local/jobs/${encodeURIComponent(job.id)}/undo`);
    answer.className = "answer good";
    answer.textContent = `Undo of ${label} started. Job ID: ${started.id}`;
  } catch (problem) {
    answer.className = "answer bad";
    answer.textContent = `Undo of ${label}: ${problem.message}`;
  }
}

// endWait ends a job's wait for an answer: by giving up, or as done.
async function endWait(job, how, what) {
  const answer = byId("undone");
  try {
    await post(`/_local/jobs/${encodeURIComponent(job.id)}/${how}`);
    answer.className = "answer good";
    answer.textContent = `${job.label || job.action}: ${what}.`;
  } catch (problem) {
    answer.className = "answer bad";
    answer.textContent = `${job.label || job.action}: ${problem.message}`;
  }
}

const badges = { succeeded: "good", partial: "half", failed: "bad", running: "busy", queued: "busy", waiting: "half" };

function jobRow(job) {
  const name = el("td", {}, el("strong", {}, (job.trigger === "undo" ? "Undo: " : "") + (job.label || job.action)), " ", el("small", {}, `${job.action}, ${time(job.createdAt)}, ${job.user}`), el("br"), el("code", {}, job.id));
  const worked = (job.done + job.failed).toLocaleString("en");
  const counts = job.open ? `${worked} so far` + (job.failed ? `, ${job.failed} failed` : "") : job.total ? `${job.done} of ${job.total}` + (job.failed ? `, ${job.failed} failed` : "") : "no items";
  const items = el("td", {}, counts);
  if (job.total && !job.open) items.append(el("progress", { max: job.total, value: job.done + job.failed, "aria-label": `${job.done + job.failed} of ${job.total} items worked` }));
  const said = el("td", {}, job.message || "", job.parent ? el("div", {}, el("small", {}, "follows "), el("code", {}, job.parent)) : "");
  if (job.waitsFor) {
    const button = (how, text, what) => el("button", {
      type: "button", class: "second", "aria-label": `${text}: ${job.label || job.action}, ${time(job.createdAt)}`, "data-key": how + "-" + job.id, onclick: () => endWait(job, how, what),
    }, text);
    const awaited = { callback: "the destination's answer", pim_job: "the end of the PIM's job", workflow: "the end of the workflow", execution: "the state machine's answer" }[job.waitsFor.for] || "an answer";
    said.append(` Waits for ${awaited} until ${new Date(job.waitsFor.until).toLocaleString()}. `, button("give-up", "Stop waiting", "given up"));
    if (job.waitsFor.asDone) said.append(" ", button("as-done", "It is done", "said to be done"));
  } else if (job.next) said.append(" ", el("small", {}, "Next try at " + time(job.next) + "."));
  if (job.reason && job.reason !== "permanent") said.append(" ", el("small", {}, job.reason));
  if (job.failures.length) {
    const lines = job.failures.map((failure) => `${failure.item.type} ${failure.item.id}: ${failure.reason}`);
    said.append(more("job-" + job.id, [plural(job.failed, "item") + " failed"], lines.join("\n")));
  }
  if (job.undoable) {
    said.append(" ", el("button", {
      type: "button", class: "second", "aria-label": `Undo ${job.label || job.action}, ${time(job.createdAt)}`, "data-key": "undo-" + job.id, onclick: () => undo(job),
    }, "Undo"));
  }
  return el("tr", {}, name, el("td", {}, el("span", { class: "badge " + (badges[job.state] || "") }, job.state)), items, said);
}

const status = (code) => el("span", { class: "badge " + (code >= 200 && code < 300 ? "good" : "bad") }, code ? String(code) : "no answer");

function callItem(call) {
  return el("li", {}, status(call.status), ` ${time(call.at)} `, el("strong", {}, call.action), call.items ? " " + plural(call.items, "item") : "", ` in ${call.milliseconds} ms`,
    el("br"), el("code", {}, `${call.method} ${call.url}`), call.idempotencyKey ? el("br") : "", call.idempotencyKey ? el("code", {}, call.idempotencyKey) : "");
}

function deliveryItem(delivery, index) {
  const line = [status(delivery.status), ` ${time(delivery.at)} `, el("strong", {}, delivery.path), delivery.items ? " " + plural(delivery.items, "item") : "", delivery.note ? " – " + delivery.note : ""];
  return el("li", {}, more("delivery-" + delivery.at + index, line, `Idempotency-Key: ${delivery.idempotencyKey || "none"}\n${delivery.excerpt}`));
}

function refusalItem(refusal) {
  const line = [status(refusal.status), ` ${time(refusal.at)} `, el("strong", {}, refusal.reason), " ", el("code", {}, `${refusal.method} ${refusal.path}`)];
  return el("li", {}, more("refusal-" + refusal.at, line, refusal.why.join("\n") || "Nothing more is known."));
}

function figures(view) {
  const figure = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)));
  return Object.entries(view.queues).flatMap(([name, queue]) => [figure(name + " to be worked", queue.visible), figure("being worked", queue.inFlight), figure("for later", queue.delayed)]);
}

function outcomes(events) {
  return Object.entries(events).map(([name, count]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(count))));
}

function gapItem(gap) {
  const until = gap.to ? new Date(gap.to).toLocaleString() : "now: resume the subscription";
  return el("li", {}, el("strong", {}, gap.pim), ` from ${new Date(gap.from).toLocaleString()} until ${until}. `, gap.reason || "", " ", el("code", {}, gap.subscription));
}

function show(view) {
  byId("configuration").hidden = view.problems.length === 0;
  draw("problems", view.problems, (all) => all.map((problem) => el("li", {}, problem)), "");
  draw("extensions", view.extensions || [], (all) => all.map(extensionRow), "extensions.yaml has none.");
  draw("appactions", view.appActions, (all) => all.map(appActionRow), "extensions.yaml offers none.");
  draw("jobs", view.jobs, (all) => all.map(jobRow), "None yet: press a button.");
  draw("queue", { queues: view.queues }, figures, "");
  draw("outcomes", { ...view.events, "PIM calls": view.pim.calls, "PIM calls saved": view.pim.saved }, outcomes, "");
  draw("gaps", view.gaps, (all) => all.map(gapItem), "None.");
  byId("pim").href = view.pim;
  draw("letters", view.deadLetters, (all) => all.map((letter) => el("li", {}, el("code", {}, letter.job || letter.event || "a message that nobody can read"), letter.receives ? ` received ${plural(letter.receives, "time")}` : "")), "None.");
  byId("redrive").disabled = view.deadLetters.length === 0;
  byId("wake").disabled = !view.jobs.some((job) => job.state === "waiting");
  draw("received", view.received, (all) => all.map(deliveryItem), "Nothing yet.");
  draw("outbound", view.outbound, (all) => all.map(callItem), "None yet.");
  draw("refusals", view.refusals, (all) => all.map(refusalItem), "None. Send one that is signed with another secret.");
  draw("log", view.lines, (all) => all.map((line, index) => el("li", {}, more("line-" + line.at + line.text, [`${time(line.at)} ${line.text}`], JSON.stringify(line.attrs, null, 2)))), "Empty.");
  const mode = document.querySelector(`#switch input[value="${CSS.escape(view.switch)}"]`);
  if (mode) mode.checked = true;
  byId("connection").textContent = `Live. State in ${view.backing}.`;
}

byId("how").addEventListener("submit", (event) => event.preventDefault());
byId("events").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = new FormData(event.target);
  const said = byId("sent");
  post("/_local/events", {
    api: asked.get("api"), count: Number(asked.get("count")), duplicate: asked.has("duplicate"), shuffle: asked.has("shuffle"), tamper: asked.has("tamper"),
  }).then((sent) => {
    said.className = "answer " + (Object.keys(sent.answers).every((status) => status < 300) ? "good" : "bad");
    said.textContent = `${plural(sent.events, "event")} sent: ` + Object.entries(sent.answers).map(([status, count]) => `${plural(count, "request")} answered ${status}`).join(", ") + ".";
  }, (problem) => {
    said.className = "answer bad";
    said.textContent = problem.message;
  });
});
byId("switch").addEventListener("change", (event) => post("/_local/switch", { mode: event.target.value }).catch((problem) => { byId("connection").textContent = problem.message; }));
for (const [button, path, status, tell] of [
  ["redrive", "/_local/redrive", "redriven", (said) => plural(said.moved, "message") + " moved back."],
  ["wake", "/_local/wake", "woken", (said) => plural(said.woken, "job") + " woken."],
]) {
  byId(button).addEventListener("click", () => {
    post(path).then((said) => { byId(status).textContent = tell(said); }, (problem) => { byId(status).textContent = problem.message; });
  });
}

const live = new EventSource("/_local/live");
live.onmessage = (event) => show(JSON.parse(event.data));
live.onerror = () => { byId("connection").textContent = "Not connected: is the system running?"; };
