// The page of a running daemon: what comes over /v1/stream is put in its place.
import { differences, refresh, show } from "./details.js";
import { Graph } from "./graph.js";
import { element, length, moment, runToneOf, stateWord, toneOf } from "./words.js";

const MOST_EVENTS = 200;
const MOST_TRACKS = 40;
const byId = id => document.getElementById(id);
const projects = new Map();  // name -> view

class Project {
  constructor(name) {
    this.name = name;
    this.graph = new Graph(key => show(this.data, key));
    this.state = element("span");
    this.facts = element("p", { class: "facts" });
    this.reasons = element("ul", { class: "reasons" });
    this.search = element("input", { type: "search", placeholder: "Find a job", "aria-label": `Find a job of ${name}`,
      oninput: () => this.filter() });
    this.troubled = element("input", { type: "checkbox", onchange: () => this.filter() });
    this.tools = element("div", { class: "tools" }, this.search, element("label", {}, this.troubled, " only what needs a look"));
    this.more = element("div");
    this.runs = element("div");
    this.id = `project-${projects.size}`;
    this.root = element("section", { class: "project", id: this.id, "aria-label": `Project ${name}` },
      element("header", {}, element("h2", {}, name), this.state), this.facts, this.reasons, this.tools, this.graph.root,
      this.more, this.runs);
    this.link = element("a", { href: `#${this.id}` });
    byId("projects").append(this.root);
    byId("overview").append(this.link);
  }

  update(data) {
    const before = this.data;
    this.data = data;
    const tone = toneOf(data.state);
    this.root.dataset.tone = this.link.dataset.tone = tone;
    const state = stateWord(data.state);
    this.state.replaceWith(state);
    this.state = state;
    this.link.replaceChildren(element("span", {}, data.name), element("span", {}, data.state));
    const counts = new Map();
    for (const job of data.jobs) counts.set(job.state, 1 + (counts.get(job.state) ?? 0));
    this.facts.replaceChildren(...[
      `definitions ${data.in_sync ? "in sync" : "differ"}`, data.healthy ? "healthy" : "not healthy",
      data.reachable ? "CML reachable" : "CML not reachable",
      [...counts].map(([word, n]) => `${n} ${word}`).join(", "),
      data.observed_at ? `as of ${moment(data.observed_at)}` : "not looked at yet",
    ].filter(Boolean).map(t => element("span", {}, t)));
    this.reasons.replaceChildren(...data.reasons.map(r => element("li", {}, r)));
    this.tools.hidden = data.jobs.length < 12;
    this.graph.update(data);
    this.filter();
    this.fillMore();
    this.drawRuns();
    refresh(data);
    if (before && before.state !== data.state) byId("announcer").textContent = `${data.name} is ${data.state}`;
  }

  filter() {
    if (!this.tools.hidden) this.graph.filter(this.search.value, this.troubled.checked);
  }

  fillMore() {
    const { data } = this;
    const parts = [];
    const list = [...data.differences, ...data.jobs.flatMap(j => j.differences.map(d => ({ ...d, field: `${j.key}: ${d.field}` })))];
    if (list.length) parts.push(element("h3", {}, "Differs from the file"), differences(list));
    if (data.orphans.length) parts.push(element("h3", {}, "In CML and not in the file"), element("p", {}, data.orphans.join(", ")));
    this.more.replaceChildren(...parts);
  }

  // What ran when: one line per job that has run lately.
  drawRuns() {
    const now = Date.now();
    const tracks = this.data.jobs.map(job => ({ job, runs: job.recent_runs.filter(r => r.created_at) }))
      .filter(t => t.runs.length).slice(0, MOST_TRACKS);
    if (!tracks.length) return this.runs.replaceChildren();
    const begin = Math.min(...tracks.flatMap(t => t.runs.map(r => Date.parse(r.created_at))));
    const end = Math.max(begin + 60e3, ...tracks.flatMap(t => t.runs.map(r => Date.parse(r.finished_at ?? this.data.observed_at ?? now))));
    const share = at => 100 * (at - begin) / (end - begin);
    const rows = tracks.flatMap(({ job, runs }) => {
      const track = element("span", { class: "track" }, ...runs.map(r => {
        const from = Date.parse(r.created_at), to = Date.parse(r.finished_at ?? this.data.observed_at ?? now);
        const bar = element("i", { "data-tone": runToneOf(r.state),
          title: `${r.id}: ${r.state}, begun ${moment(r.created_at)}, ${length((to - from) / 1000)}` });
        bar.style.left = `${share(from)}%`;
        bar.style.width = `${Math.max(0, share(to) - share(from))}%`;
        return bar;
      }));
      return [element("span", { class: "who", title: job.name }, job.key), track];
    });
    this.runs.replaceChildren(element("h3", {}, "Recent runs"), element("div", { class: "timeline" }, ...rows, element("span"),
      element("span", { class: "scale" }, element("span", {}, moment(new Date(begin).toISOString())),
        element("span", {}, moment(new Date(end).toISOString())))));
  }

  remove() {
    this.root.remove();
    this.link.remove();
  }
}

function link(state, words) {
  byId("link").dataset.link = state;
  byId("link").textContent = words;
}

function onHello(hello) {
  link("live", "live");
  byId("version").textContent = hello.version;
  const refused = byId("refused");
  refused.hidden = !hello.config_error;
  refused.textContent = hello.config_error ? `The newest file was refused; the one before it is in force: ${hello.config_error}` : "";
  for (const [name, view] of projects)
    if (!hello.projects.includes(name)) {
      view.remove();
      projects.delete(name);
    }
  byId("nothing").hidden = hello.projects.length > 0;
}

function onStatus(data) {
  let view = projects.get(data.name);
  if (!view) projects.set(data.name, view = new Project(data.name));
  byId("nothing").hidden = true;
  view.update(data);
}

const EVENT_TONES = { error: "bad", warning: "wait" };
function onEvent(e) {
  if (e.event === "status") return;  // the boxes say it
  const list = byId("event-list");
  list.prepend(element("li", { "data-tone": EVENT_TONES[e.level] },
    element("time", { datetime: e.at, title: e.at }, moment(e.at)),
    element("span", { class: "quiet" }, [e.project, e.job].filter(Boolean).join(" / ") || "daemon"),
    element("span", {}, `${e.event}: ${e.message}`)));
  while (list.children.length > MOST_EVENTS) list.lastChild.remove();
}

const stream = new EventSource("/v1/stream");
stream.addEventListener("hello", e => onHello(JSON.parse(e.data)));
stream.addEventListener("status", e => onStatus(JSON.parse(e.data)));
stream.addEventListener("event", e => onEvent(JSON.parse(e.data)));
stream.addEventListener("error", () => link("lost", "not connected; trying again"));
setInterval(() => { for (const view of projects.values()) view.graph.tickAll(); }, 1000);
