// Tones of states, and how times and lengths are written.
const TONES = {
  Converged: "good", UpToDate: "good",
  Progressing: "busy", Running: "busy", Pending: "busy",
  Degraded: "bad", Failed: "bad", Unreachable: "bad", Ambiguous: "bad", Overdue: "bad", Guarded: "bad",
  Waiting: "wait", BackingOff: "wait", Queued: "wait", Blocked: "wait", Stopped: "wait", Missing: "wait",
};
export const toneOf = state => TONES[state] ?? "still";

const RUN_TONES = { succeeded: "good", failed: "bad", timed_out: "bad", stopped: "wait", skipped: "still" };
export const runToneOf = state => RUN_TONES[state] ?? "busy";

export function length(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  const minutes = Math.floor((s % 3600) / 60);
  if (s < 86400) return minutes ? `${Math.floor(s / 3600)} h ${minutes} min` : `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const TODAY = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const BEFORE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export function moment(text) {
  if (!text) return "";
  const at = new Date(text);
  return (Math.abs(Date.now() - at) < 12 * 3600e3 ? TODAY : BEFORE).format(at);
}

// An element with its attributes and children. Text is only ever put in as text.
export function element(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) out.addEventListener(name.slice(2), value);
    else out.setAttribute(name, value === true ? "" : value);
  }
  out.append(...children.filter(c => c !== null && c !== undefined && c !== ""));
  return out;
}

export const stateWord = state => element("span", { class: "state", "data-tone": toneOf(state) }, state);
