// What the runner has done, sent and stored. What others have written is shown as text, never as HTML.
import { ask, choose, make } from "/docs/people.js";

const element = (id) => document.getElementById(id);
const figure = (number) => number.toLocaleString("en", { maximumFractionDigits: 2 });
const about = await ask("/_local/desk");

// What to look at: its own address each, so that it can be linked to and reloaded.

const tabs = { requests: "Requests", messages: "SMS" };
for (const noun of about.nouns) tabs[noun] = noun[0].toUpperCase() + noun.slice(1);
tabs.import = "Import";
element("tabs").append(...Object.entries(tabs).map(([id, name]) => make("a", { href: `#${id}`, textContent: name })));

const now = () => (location.hash.slice(1) in tabs ? location.hash.slice(1) : "requests");

function look() {
  const tab = now();
  for (const link of element("tabs").children) {
    if (link.hash === `#${tab}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const section = about.nouns.includes(tab) ? "things" : tab;
  for (const part of document.querySelectorAll("main > section")) part.hidden = part.id !== section;
  if (section === "things") things(tab);
}

// Requests.

let lastEntry = 0;
const entries = [];

function outcome({ status, code, msg }) {
  if (status === null) return make("span", { className: "tag", textContent: "event" });
  const said = code === null ? `${status}` : `${status === code ? "" : `${status} · `}${code}`;
  return make("span", { className: code === null && status < 400 ? "tag good" : "tag bad", textContent: said, title: msg ?? "" });
}

function calls(entry) {
  const line = (call) =>
    make(
      "li",
      {},
      make("span", { className: "quiet", textContent: `round ${call.round} ` }),
      `${call.operation} `,
      make("span", { className: "quiet", textContent: units(call) }),
    );
  const units = ({ read_units: reads, write_units: writes }) =>
    [reads && `${figure(reads)} read`, writes && `${figure(writes)} write`].filter(Boolean).join(", ");
  const cell = make("td", { colSpan: 8 });
  if (entry.msg !== null) cell.append(make("p", { textContent: entry.msg }));
  cell.append(entry.calls.length ? make("ul", {}, ...entry.calls.map(line)) : "It called nobody.");
  return make("tr", { className: "calls" }, cell);
}

function row(entry) {
  const row = element("entry").content.cloneNode(true).firstElementChild;
  const [operation, result, ...figures] = row.children;
  const [button, what] = operation.children;
  button.textContent = entry.operation || "no operation";
  what.textContent = entry.what;
  operation.title = new Date(entry.at).toLocaleTimeString();
  result.append(outcome(entry));
  const { millis, rounds, calls: { length }, read_units, write_units, million } = entry;
  const values = [millis.toFixed(1), rounds, length, figure(read_units), figure(write_units), million.toFixed(2)];
  figures.forEach((cell, at) => (cell.textContent = values[at]));
  button.setAttribute("aria-expanded", "false");
  button.onclick = () => {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) row.nextElementSibling.remove();
    else row.after(calls(entry));
  };
  return row;
}

const isWanted = ({ operation, what }) => `${operation} ${what}`.includes(element("only").value.trim());

function total() {
  const wanted = entries.filter(isWanted);
  const sum = (of) => wanted.reduce((sum, entry) => sum + of(entry), 0);
  element("totals").textContent =
    `${figure(wanted.length)} in all: ${figure(sum((entry) => entry.calls.length))} calls, ` +
    `${figure(sum((entry) => entry.read_units))} read and ${figure(sum((entry) => entry.write_units))} write units`;
  element("nothing").hidden = wanted.length > 0;
}

element("only").oninput = () => {
  element("entries").replaceChildren(...entries.filter(isWanted).map(row).reverse());
  total();
};

async function requests() {
  for (const entry of await ask(`/_local/desk/requests?after=${lastEntry}`)) {
    lastEntry = entry.number;
    entries.push(entry);
    if (isWanted(entry)) element("entries").prepend(row(entry));
  }
  total();
}

// SMS.

let lastMessage = 0;

async function messages() {
  for (const { number, phone, text } of await ask(`/_local/desk/messages?after=${lastMessage}`)) {
    lastMessage = number;
    const parts = text.split(/(?<!\d)(\d{6})(?!\d)/);
    const shown = parts.map((part, at) => (at % 2 ? make("strong", { className: "code", textContent: part }) : part));
    element("texts").prepend(make("li", {}, make("h2", { textContent: phone }), make("p", {}, ...shown)));
  }
}

// What is stored.

const PICTURE = /^[0-9a-f-]{36}\.(jpeg|png|webp|gif)$/;
const RECORDING = /^[0-9a-f-]{36}\.\w+$/;

/** A value as it is stored; media are shown. */
function shown(value) {
  if (Array.isArray(value)) return make("span", { className: "list" }, ...value.map(shown));
  if (value !== null && typeof value === "object") return fields(value, []);
  const address = `${about.media}/${value}`;
  if (PICTURE.test(value)) {
    return make("a", { href: address, title: value }, make("img", { src: address, alt: value, loading: "lazy" }));
  }
  if (RECORDING.test(value)) return make("a", { href: address, textContent: value });
  return make("span", { textContent: String(value) });
}

function fields(item, without) {
  const pairs = Object.entries(item).filter(([name]) => !without.includes(name));
  return make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", {}, shown(value))]));
}

function thing(item) {
  const inside = make("div", { className: "inside" });
  const more = make("details", {}, make("summary", { textContent: "All in its partition" }), inside);
  more.ontoggle = async () => {
    if (!more.open) return;
    const { items } = await ask(`/_local/desk/items?pk=${encodeURIComponent(item.pk)}`);
    const part = (item) => make("div", {}, make("h3", { textContent: item.sk }), fields(item, ["pk", "sk"]));
    inside.replaceChildren(...items.map(part));
  };
  return make("li", {}, make("h2", { textContent: `${item.pk} / ${item.sk}` }), fields(item, ["pk", "sk"]), more);
}

async function things(noun) {
  element("items").replaceChildren();
  const { items, more } = await ask(`/_local/desk/items?noun=${noun}`);
  if (now() !== noun) return;
  element("items").replaceChildren(...items.map(thing));
  element("more").hidden = !more;
}

// Import.

const [known] = (await ask("/_local/desk/items?noun=games")).items;
const game = { kind: "game", game_id: 70, name: "Kites", image: known?.content.image, intro: "For windy days." };
element("records").value = JSON.stringify({ records: [game] }, null, 2);
element("file").onchange = async () => {
  const [file] = element("file").files;
  if (file) element("records").value = await file.text();
};
element("catalogue").onsubmit = async (event) => {
  event.preventDefault();
  const answer = await ask("/_local/catalog", { method: "POST", body: element("records").value });
  const refused = (answer.refused ?? []).map(({ index, message }) => make("li", { textContent: `${index}: ${message}` }));
  const says = answer.msg ?? `${answer.imported} imported, ${answer.unchanged} unchanged, ${refused.length} refused`;
  element("imported").replaceChildren(make("p", { textContent: says }), make("ol", {}, ...refused));
};

// From now on.

choose(element("people"), () => {});
addEventListener("hashchange", look);
look();
for (;;) {
  if (!document.hidden) {
    try {
      await Promise.all([requests(), messages()]);
      document.body.classList.remove("gone");
    } catch {
      document.body.classList.add("gone");
    }
  }
  await new Promise((wake) => setTimeout(wake, 1000));
}
