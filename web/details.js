// All about one job, in a dialog that stays up to date.
import { element, length, moment, stateWord } from "./words.js";

const dialog = document.getElementById("details");
const title = document.getElementById("details-title");
const body = document.getElementById("details-body");
let shown = null;  // {project, key}

function run(r) {
  const took = r.duration_seconds === null ? "" : `, took ${length(r.duration_seconds)}`;
  return `${r.id}: ${r.state}, begun ${moment(r.created_at)}${took}${r.creator ? `, by ${r.creator}` : ""}`;
}

function rows(job, project) {
  const out = [];
  const add = (name, value) => value && out.push(element("dt", {}, name), element("dd", {}, value));
  add("State", stateWord(job.state));
  add("Why", job.reason);
  add("About", job.description);
  add("Name in CML", job.name);
  add("Id", job.id);
  add("Runs after", job.parent);
  add("Then run", project.jobs.filter(j => j.parent === job.key).map(j => j.key).join(", "));
  add("Active run", job.active_run && run(job.active_run));
  if (job.running_for_seconds !== null)
    add("Runs for", length(job.running_for_seconds) + (job.timeout_seconds ? ` of at most ${length(job.timeout_seconds)}` : ""));
  add("Last run", job.last_run && run(job.last_run));
  add("Last success", job.last_success ? moment(job.last_success) : "never");
  if (job.attempts > 0) add("Attempts", `${job.attempts} failed of ${job.max_attempts}`);
  add("Next", job.next_action && `${job.next_action}${job.next_at ? " at " + moment(job.next_at) : ""}`);
  return out;
}

export function differences(list) {
  return element("table", {},
    element("thead", {}, element("tr", {}, ...["Field", "In CML", "In the file", ""].map(t => element("th", { scope: "col" }, t)))),
    element("tbody", {}, ...list.map(d => element("tr", {},
      element("td", {}, d.field), element("td", {}, d.live), element("td", {}, d.desired),
      element("td", {}, [d.unappliable ? "cannot be applied" : "", d.note ?? ""].filter(Boolean).join(": "))))));
}

function fill(project) {
  const job = project?.jobs.find(j => j.key === shown.key);
  if (!job) return dialog.close();
  title.textContent = `${shown.project} / ${job.key}`;
  const parts = [element("dl", {}, ...rows(job, project))];
  if (job.differences.length) parts.push(element("h3", {}, "Differs from the file"), differences(job.differences));
  if (job.recent_runs.length)
    parts.push(element("h3", {}, "Recent runs"), element("ul", {}, ...job.recent_runs.map(r => element("li", {}, run(r)))));
  body.replaceChildren(...parts);
}

export function show(project, key) {
  shown = { project: project.name, key };
  fill(project);
  if (!dialog.open) dialog.showModal();
}

export function refresh(project) {
  if (dialog.open && shown?.project === project.name) fill(project);
}

dialog.addEventListener("close", () => { shown = null; });
dialog.addEventListener("click", e => e.target === dialog && dialog.close());
