"use strict";

// The PIM as far as its extensions can tell: where they are shown, what they are told, and what becomes of a press.

const byId = (id) => document.getElementById(id);
let pim;                       // what the server says: catalogue, extensions, users
const chosen = new Set();      // of the grid: "product UUID" or "model CODE"
let frames = [];               // embedded pages that are shown: {frame, extension, position}

function el(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "scope") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const setting = (name) => byId("settings").elements[name].value;
const user = () => pim.users.find((one) => one.username === setting("user"));
const text = (label) => label[setting("locale")] || label.default || Object.values(label)[0];

// valueIn is an attribute's value in the chosen locale and channel.
function valueIn(values, name) {
  const found = (values[name] || []).find((value) => (!value.locale || value.locale === setting("locale")) && (!value.channel || value.channel === setting("channel")));
  return found ? found.data : "";
}

async function call(method, path, body) {
  const answer = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message || said.error || String(answer.status));
  return said;
}

function notify(title, message, good) {
  const box = el("div", { class: "notification" + (good ? "" : " bad") }, el("strong", {}, title), el("div", {}, message));
  byId("notifications").prepend(box);
  setTimeout(() => box.remove(), 12000);
}

const at = (position) => pim.extensions.filter((extension) => extension.positions.includes(position));

// ---- actions and links ----

// press is a button of an extension. The PIM keeps it disabled until the answer is there.
function pressButton(extension, position, items) {
  const button = el("button", { type: "button", "data-extension": extension.name }, text(extension.label));
  button.addEventListener("click", async () => {
    const label = text(extension.label);
    button.disabled = true;
    button.textContent = label + " …";
    try {
      const said = await call("POST", "/pim/press/" + encodeURIComponent(extension.name), {
        position, ...items(), locale: setting("locale"), channel: setting("channel"), user: setting("user"),
      });
      notify(label, said.message, said.success);
    } catch (problem) {
      notify(label, problem.message, false);
    }
    button.disabled = false;
    button.textContent = label;
  });
  return button;
}

// linkURL fills placeholders in: the first, if it begins the address, as it is; the others encoded.
function linkURL(template, entity) {
  const data = (name) => (name === "uuid" ? entity.uuid : name === "code" ? entity.code : valueIn(entity.values, name)) || "";
  return template.replace(/%([A-Za-z0-9_]+)%/g, (_, name, offset) => (offset === 0 ? data(name) : encodeURIComponent(data(name))));
}

function linkButton(extension, entity) {
  const url = linkURL(extension.url, entity);
  if (!/^https?:\/\//i.test(url)) {
    return el("span", { class: "soft" }, `${text(extension.label)}: no address for this product`);
  }
  return el("a", { class: "button second", href: url, target: "_blank", rel: "noopener noreferrer", "data-extension": extension.name }, text(extension.label));
}

// ---- embedded pages ----

// embed shows a page of an extension. Its query is what the PIM puts there, for display only.
function embed(extension, position, entity) {
  const who = user();
  const query = new URLSearchParams({ "user[id]": "1", "user[uuid]": who.uuid, "user[username]": who.username, "user[email]": who.username + "@example.com", "user[ui_locale]": setting("locale") });
  if (position !== "pim.product-grid.action-bar") {
    query.set("user[catalog_locale]", setting("locale"));
    query.set("user[catalog_scope]", setting("channel"));
  }
  query.set("position", position);
  query.set("tenant", "simulator");
  for (const [name, value] of Object.entries(entity || {})) query.set(name, value);
  const frame = el("iframe", { src: extension.url + "?" + query, title: text(extension.label), "data-extension": extension.name });
  const embedded = { frame, extension, position };
  frames.push(embedded);
  frame.addEventListener("load", () => {
    if (position === "pim.product-grid.action-bar" || setting("context") === "load") tell(embedded, contextOf(position));
  });
  return frame;
}

function contextOf(position) {
  const message = { context: { locale: setting("locale"), channel: setting("channel") }, user: user() };
  if (position !== "pim.product-grid.action-bar") return message;
  const { products, models } = selection();
  const filters = { productFilters: { uuid: [{ operator: "IN", value: products }] }, productModelFilters: { identifier: [{ operator: "IN", value: models }] } };
  if (setting("filters") === "strings") for (const name of Object.keys(filters)) filters[name] = JSON.stringify(filters[name]);
  return { data: { productUuids: products, productModelCodes: models }, ...message, filters };
}

function tell(embedded, message) {
  embedded.frame.contentWindow?.postMessage(message, new URL(embedded.extension.url).origin);
}

window.addEventListener("message", async (event) => {
  const embedded = frames.find((one) => one.frame.contentWindow === event.source);
  if (!embedded || event.origin !== new URL(embedded.extension.url).origin || typeof event.data !== "object" || event.data === null) return;
  switch (event.data.type) {
    case "request_context":
      tell(embedded, contextOf(embedded.position));
      break;
    case "request_jwt":
      try {
        const { token } = await call("POST", "/pim/token/" + encodeURIComponent(embedded.extension.name), { user: setting("user"), seconds: Number(setting("seconds")) });
        tell(embedded, { type: "JWT_TOKEN", token });
      } catch (problem) {
        notify(text(embedded.extension.label), problem.message, false);
      }
      break;
    case "reload_parent":
      notify(text(embedded.extension.label), "The page asked the PIM to reload.", true);
      document.body.dataset.reloaded = String(Number(document.body.dataset.reloaded || 0) + 1);
      break;
  }
});

// ---- data components ----

function dataBox(extension, id) {
  const box = el("div", { "data-extension": extension.name }, el("p", { class: "soft" }, "Loading …"));
  call("GET", `/pim/data/${encodeURIComponent(extension.name)}/${encodeURIComponent(id)}`)
    .then((said) => box.replaceChildren(tree(said)), (problem) => box.replaceChildren(el("p", {}, problem.message)));
  return box;
}

// tree shows JSON as the PIM does: lists and names, read-only.
function tree(value) {
  if (Array.isArray(value)) return el("ul", {}, ...value.map((one) => el("li", {}, tree(one))));
  if (value && typeof value === "object") return el("dl", {}, ...Object.entries(value).flatMap(([name, one]) => [el("dt", {}, name), el("dd", {}, tree(one))]));
  return el("span", {}, String(value));
}

// ---- pages ----

function selection() {
  const of = (kind) => [...chosen].filter((one) => one.startsWith(kind + " ")).map((one) => one.slice(kind.length + 1));
  return { products: of("product"), models: of("model") };
}

function gridPage() {
  const rows = [...pim.models.map((model) => ({ key: "model " + model.code, name: valueIn(model.values, "name"), code: model.code, family: model.family, href: "#/model/" + encodeURIComponent(model.code) })),
    ...pim.products.map((product) => ({ key: "product " + product.uuid, name: valueIn(product.values, "name"), code: product.identifier, family: product.family, href: "#/product/" + product.uuid }))];
  const count = el("strong", { "aria-live": "polite" });
  const bar = el("div", { class: "bar" });
  const boxes = [];
  const refresh = () => {
    count.textContent = chosen.size ? `${chosen.size} selected` : "Nothing selected";
    bar.querySelectorAll("button[data-extension]").forEach((button) => { button.disabled = chosen.size === 0 || chosen.size > 500; });
    boxes.forEach(({ box, row, line }) => { box.checked = chosen.has(row.key); line.classList.toggle("chosen", box.checked); });
    frames.filter((one) => one.position === "pim.product-grid.action-bar").forEach((one) => tell(one, contextOf(one.position)));
  };
  const all = el("button", { type: "button", class: "second", onclick: () => { rows.forEach((row) => chosen.add(row.key)); refresh(); } }, "Select all");
  // The PIM lets a user select 500; beyond the catalogue they are products that it does not show.
  const most = el("button", { type: "button", class: "second", onclick: () => {
    rows.forEach((row) => chosen.add(row.key));
    for (let i = 0; chosen.size < 500; i++) chosen.add("product 63139bf3-a7f7-4eaa-ba5e-1" + String(i).padStart(11, "0"));
    refresh();
  } }, "Select 500");
  const none = el("button", { type: "button", class: "second", onclick: () => { chosen.clear(); refresh(); } }, "Select none");
  bar.append(count, all, most, none);
  for (const extension of at("pim.product-grid.action-bar")) {
    if (extension.type === "action") bar.append(pressButton(extension, "pim.product-grid.action-bar", selection));
    if (extension.type === "iframe") {
      bar.append(el("button", { type: "button", class: "second", "data-extension": extension.name, onclick: () => openDialog(text(extension.label), embed(extension, "pim.product-grid.action-bar")) }, text(extension.label)));
    }
  }
  const body = el("tbody", {});
  for (const row of rows) {
    const box = el("input", { type: "checkbox", "aria-label": "Select " + row.code, onchange: () => { box.checked ? chosen.add(row.key) : chosen.delete(row.key); refresh(); } });
    const line = el("tr", {}, el("td", {}, box), el("td", {}, el("a", { href: row.href }, row.code)), el("td", {}, row.name), el("td", {}, row.family));
    boxes.push({ box, row, line });
    body.append(line);
  }
  const index = at("pim.product.index").filter((extension) => extension.type === "action");
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...["", "Identifier or code", "Label", "Family"].map((name) => el("th", { scope: "col" }, name || el("span", { class: "soft" }, "✓"))))), body);
  const page = [el("div", { class: "title" }, el("h1", {}, `${rows.length} products and models`), el("div", { class: "actions" }, ...index.map((extension) => pressButton(extension, "pim.product.index", () => ({}))))), table, bar];
  queueMicrotask(refresh);
  return page;
}

// entityPage is a product or a model: header, tabs, panel.
function entityPage(prefix, entity, title, query, items, id) {
  const head = at(prefix + ".header");
  const idOf = (extension) => (extension.id === "uuid" || extension.id === "code" ? id : valueIn(entity.values, extension.id));
  const buttons = el("div", { class: "actions" });
  const boxes = el("div", { class: "actions header-frame" });
  for (const extension of head) {
    if (extension.type === "action") buttons.append(pressButton(extension, prefix + ".header", () => items));
    if (extension.type === "link") buttons.append(linkButton(extension, entity));
    if (extension.type === "iframe") boxes.append(embed(extension, prefix + ".header", query));
    if (extension.type === "data_component") boxes.append(dataBox(extension, idOf(extension)));
  }
  const content = el("div", { role: "tabpanel", tabIndex: 0 });
  const tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "Product" });
  const attributes = () => el("dl", {}, ...Object.keys(entity.values).sort().flatMap((name) => [el("dt", {}, name), el("dd", {}, valueIn(entity.values, name) || "–")]),
    el("dt", {}, "family"), el("dd", {}, entity.family), el("dt", {}, "categories"), el("dd", {}, entity.categories.join(", ")));
  const open = [{ name: "Attributes", show: attributes }, ...at(prefix + ".tab").map((extension) => ({
    name: text(extension.label), extension: extension.name, show: () => (extension.type === "iframe" ? embed(extension, prefix + ".tab", query) : dataBox(extension, idOf(extension))),
  }))];
  open.forEach((tab, index) => {
    const button = el("button", { type: "button", role: "tab", "aria-selected": "false", onclick: () => {
      frames = frames.filter((one) => one.position !== prefix + ".tab");
      tabs.querySelectorAll("button").forEach((one) => one.setAttribute("aria-selected", String(one === button)));
      content.setAttribute("aria-label", tab.name);
      content.replaceChildren(tab.show());
    } }, tab.name);
    if (tab.extension) button.dataset.tab = tab.extension;
    tabs.append(button);
    if (index === 0) queueMicrotask(() => button.click());
  });
  const side = at(prefix + ".panel").map((extension) => el("section", {}, el("h2", {}, text(extension.label)), extension.type === "iframe" ? embed(extension, prefix + ".panel", query) : dataBox(extension, idOf(extension))));
  return [el("div", { class: "title" }, el("h1", {}, title), buttons), boxes, tabs, el("div", { class: side.length ? "columns" : "" }, content, side.length ? el("aside", { class: "panel" }, ...side) : "")];
}

function productPage(uuid) {
  const product = pim.products.find((one) => one.uuid === uuid);
  if (!product) return [el("h1", {}, "No such product")];
  return entityPage("pim.product", product, valueIn(product.values, "name") || product.identifier, { "product[uuid]": uuid, "product[identifier]": product.identifier }, { products: [uuid] }, uuid);
}

function modelPage(code) {
  const model = pim.models.find((one) => one.code === code);
  if (!model) return [el("h1", {}, "No such product model")];
  const prefix = model.parent ? "pim.sub-product-model" : "pim.product-model";
  const page = entityPage(prefix, model, valueIn(model.values, "name") || code, { "product[code]": code }, { models: [code] }, code);
  const below = [...pim.models.filter((one) => one.parent === code).map((one) => [one.code, "#/model/" + encodeURIComponent(one.code)]),
    ...pim.products.filter((one) => one.parent === code).map((one) => [one.identifier, "#/product/" + one.uuid])];
  page.push(el("h2", {}, "Variants"), el("ul", {}, ...below.map(([name, href]) => el("li", {}, el("a", { href }, name)))));
  return page;
}

function categoriesPage() {
  return [el("h1", {}, "Categories"), el("ul", {}, ...pim.categories.map((one) => el("li", {}, el("a", { href: "#/category/" + one.code }, text(one.labels)))))];
}

function categoryPage(code) {
  const category = pim.categories.find((one) => one.code === code);
  if (!category) return [el("h1", {}, "No such category")];
  const shown = at("pim.category.tab").map((extension) => el("section", {}, el("h2", {}, text(extension.label)),
    extension.type === "iframe" ? embed(extension, "pim.category.tab", { "category[code]": code }) : dataBox(extension, code)));
  return [el("h1", {}, text(category.labels)), ...(shown.length ? shown : [el("p", { class: "soft" }, "No extension is declared at pim.category.tab.")])];
}

// activityPage is about no product: what is there gets none.
function activityPage() {
  const shown = ["pim.activity.navigation.tab", "pim.performance.analytics.tab"].flatMap((position) => at(position).filter((extension) => extension.type === "iframe")
    .map((extension) => el("section", {}, el("h2", {}, text(extension.label)), embed(extension, position))));
  return [el("h1", {}, "Activity"), ...(shown.length ? shown : [el("p", { class: "soft" }, "No page is declared at pim.activity.navigation.tab or pim.performance.analytics.tab.")])];
}

function openDialog(title, content) {
  byId("dialog-title").textContent = title;
  byId("dialog-body").replaceChildren(content);
  byId("dialog").showModal();
}

function route() {
  frames = [];
  if (byId("dialog").open) byId("dialog").close();
  const [, page, id] = location.hash.split("/");
  const pages = { product: productPage, model: modelPage, categories: categoriesPage, category: categoryPage, activity: activityPage };
  byId("view").replaceChildren(...(pages[page] || gridPage)(decodeURIComponent(id || "")));
}

// ---- start ----

byId("dialog-close").addEventListener("click", () => byId("dialog").close());
byId("dialog").addEventListener("close", () => { frames = frames.filter((one) => !byId("dialog-body").contains(one.frame)); byId("dialog-body").replaceChildren(); });
byId("settings").addEventListener("submit", (event) => event.preventDefault());
byId("settings").addEventListener("change", (event) => {
  if (event.target.name !== "locale" && event.target.name !== "channel") return event.target.name === "user" ? route() : undefined;
  // Embedded pages are told of the change and stay; what the PIM draws itself is drawn anew.
  frames.forEach((one) => tell(one, contextOf(one.position)));
  if (frames.length === 0) route();
});
window.addEventListener("hashchange", () => { route(); byId("view").focus(); });

call("GET", "/pim").then((said) => {
  pim = said;
  const fill = (name, values) => byId("settings").elements[name].replaceChildren(...values.map((value) => el("option", {}, value)));
  fill("user", pim.users.map((one) => one.username));
  fill("locale", pim.locales);
  fill("channel", pim.channels);
  byId("inspector").href = pim.inspector;
  route();
}, (problem) => byId("view").replaceChildren(el("p", {}, "The PIM does not answer: " + problem.message)));
