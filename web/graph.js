// The jobs of a project as boxes and arrows: what runs first is on the left, or on a narrow page on top.
import { element, length, moment, stateWord, toneOf } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const COMPACT_FROM = 60;  // jobs; beyond, a box shows name and state alone
const NARROW = 640;       // px

// Places for a forest: [{job, x, y}] in columns (depth) and rows, a parent in the middle of its children.
function place(jobs, indented) {
  const children = new Map(jobs.map(j => [j.key, []]));
  const roots = [];
  for (const job of jobs) (children.get(job.parent) ?? roots).push(job);
  const places = new Map();
  let row = 0;
  // Without recursion: a chain may be as long as there are jobs.
  const stack = roots.slice().reverse().map(job => ({ job, depth: 0, entered: false }));
  while (stack.length) {
    const item = stack[stack.length - 1];
    const below = children.get(item.job.key);
    if (!item.entered) {
      item.entered = true;
      if (indented) places.set(item.job.key, { column: item.depth, row: row++ });
      for (const job of below.slice().reverse()) stack.push({ job, depth: item.depth + 1, entered: false });
      if (below.length) continue;
    }
    stack.pop();
    if (indented) continue;
    const rows = below.map(job => places.get(job.key).row);
    places.set(item.job.key, {
      column: item.depth,
      row: rows.length ? (rows[0] + rows[rows.length - 1]) / 2 : row++,
    });
  }
  return { places, rows: row };
}

export class Graph {
  constructor(open) {
    this.open = open;
    this.boxes = new Map();
    this.shape = "";
    this.lines = document.createElementNS(SVG, "svg");
    this.lines.setAttribute("aria-hidden", "true");
    this.sheet = element("div", { class: "sheet", role: "group" });
    this.root = element("div", { class: "graph" }, this.sheet);
    this.root.addEventListener("keydown", e => this.key(e));
    new ResizeObserver(() => this.layout()).observe(this.root);
  }

  update(project) {
    this.project = project;
    const keys = new Set(project.jobs.map(j => j.key));
    for (const [key, box] of this.boxes)
      if (!keys.has(key)) {
        box.root.remove();
        this.boxes.delete(key);
      }
    for (const job of project.jobs) {
      const text = JSON.stringify(job);
      let box = this.boxes.get(job.key);
      if (!box) this.boxes.set(job.key, box = this.make(job));
      if (box.text !== text) this.fill(box, job, text);
    }
    const shape = project.jobs.map(j => `${j.key}\u0000${j.parent ?? ""}`).join("\u0001");
    if (shape !== this.shape) {
      this.shape = shape;
      this.layout(true);
    }
  }

  make(job) {
    const box = {
      name: element("span", { class: "name" }), state: element("span"), why: element("span", { class: "why" }),
      next: element("span", { class: "next quiet" }), fill: element("i"),
    };
    box.bar = element("span", { class: "bar" }, box.fill);
    box.root = element("button", { class: "job", type: "button", "data-key": job.key, onclick: () => this.open(job.key) },
      element("span", { class: "top" }, box.name, box.state), box.why, box.next, box.bar);
    this.sheet.append(box.root);
    return box;
  }

  fill(box, job, text) {
    box.text = text;
    box.job = job;
    box.seen = Date.now();
    box.root.dataset.tone = toneOf(job.state);
    box.name.textContent = job.key;
    box.root.title = `${job.key}: ${job.name}`;
    const state = stateWord(job.state);
    box.state.replaceWith(state);
    box.state = state;
    box.why.textContent = job.reason ?? "";
    const attempts = job.attempts > 0 ? `attempt ${job.attempts} of ${job.max_attempts} failed` : "";
    const next = job.next_action ? `next: ${job.next_action}${job.next_at ? " at " + moment(job.next_at) : ""}` : "";
    box.next.textContent = [attempts, next].filter(Boolean).join("; ");
    box.bar.hidden = job.running_for_seconds === null;
    this.tick(box);
  }

  // A run goes on between two messages.
  tick(box) {
    const { job } = box;
    if (!job || job.running_for_seconds === null) return;
    const seconds = job.running_for_seconds + (Date.now() - box.seen) / 1000;
    const limit = job.timeout_seconds;
    box.fill.style.width = limit ? `${Math.min(100, 100 * seconds / limit)}%` : "100%";
    box.bar.title = limit ? `${length(seconds)} of ${length(limit)}` : length(seconds);
    box.next.textContent = limit ? `runs for ${length(seconds)} of at most ${length(limit)}` : `runs for ${length(seconds)}`;
  }

  tickAll() {
    for (const box of this.boxes.values()) this.tick(box);
  }

  layout(anew = false) {
    const width = this.root.clientWidth;
    if (!this.project || !width || (!anew && width === this.width)) return;
    this.width = width;
    const compact = this.project.jobs.length > COMPACT_FROM;
    const narrow = width < NARROW;
    this.root.classList.toggle("compact", compact);
    const { places, rows } = place(this.project.jobs, narrow);
    const columns = 1 + Math.max(0, ...[...places.values()].map(p => p.column));
    const high = compact ? 34 : 96, step = high + (compact ? 6 : 16);
    const indent = Math.min(20, (width * 0.4) / columns);
    const wide = narrow ? 0 : Math.max(190, Math.min(300, (width - 8) / columns - 48));
    const left = p => narrow ? p.column * indent : p.column * (wide + 48);
    const breadth = p => narrow ? width - left(p) - 4 : wide;
    for (const [key, p] of places) {
      const { style } = this.boxes.get(key).root;
      style.left = `${left(p)}px`;
      style.top = `${p.row * step}px`;
      style.width = `${breadth(p)}px`;
      style.height = `${high}px`;
    }
    const all = { width: narrow ? width - 2 : columns * (wide + 48) - 44, height: Math.max(1, rows) * step };
    this.sheet.style.width = `${all.width}px`;
    this.sheet.style.height = `${all.height}px`;
    this.draw(places, p => ({ x: left(p), y: p.row * step, w: breadth(p), h: high }), narrow, all);
    // The order of the tabulator key is that of the picture.
    const order = [...places].sort(([, a], [, b]) => narrow ? a.row - b.row : a.column - b.column || a.row - b.row);
    this.order = order.map(([key]) => key);
    if (anew) {
      const focused = document.activeElement;
      for (const key of this.order) this.sheet.append(this.boxes.get(key).root);
      if (focused?.closest?.(".sheet") === this.sheet) focused.focus();
    }
  }

  draw(places, box, narrow, all) {
    this.lines.replaceChildren();
    this.lines.setAttribute("width", all.width);
    this.lines.setAttribute("height", all.height);
    const id = `tip-${this.project.name.replace(/[^a-zA-Z0-9]/g, "-")}`;
    const marker = document.createElementNS(SVG, "marker");
    for (const [name, value] of Object.entries({ id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7,
      markerHeight: 7, orient: "auto" })) marker.setAttribute(name, value);
    const tip = document.createElementNS(SVG, "path");
    tip.setAttribute("d", "M0 0L8 4L0 8z");
    marker.append(tip);
    this.lines.append(marker);
    for (const job of this.project.jobs) {
      if (!places.has(job.parent)) continue;
      const a = box(places.get(job.parent)), b = box(places.get(job.key));
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", "arrow");
      const y = b.y + b.h / 2;
      path.setAttribute("d", narrow
        ? `M${a.x + 8} ${a.y + a.h}V${y}H${b.x}`
        : `M${a.x + a.w} ${a.y + a.h / 2}C${a.x + a.w + 26} ${a.y + a.h / 2} ${b.x - 26} ${y} ${b.x - 1} ${y}`);
      path.setAttribute("marker-end", `url(#${id})`);
      this.lines.append(path);
    }
    this.sheet.prepend(this.lines);
  }

  // Arrow keys follow the arrows: to what runs before and after, and to the neighbours.
  key(e) {
    const here = document.activeElement?.dataset?.key;
    if (here === undefined || !this.boxes.has(here)) return;
    const job = this.boxes.get(here).job;
    const at = this.order.indexOf(here);
    const to = {
      ArrowLeft: job.parent,
      ArrowRight: this.project.jobs.find(j => j.parent === here)?.key,
      ArrowUp: this.order[at - 1],
      ArrowDown: this.order[at + 1],
      Home: this.order[0],
      End: this.order[this.order.length - 1],
    }[e.key];
    if (!to || !this.boxes.has(to)) return;
    e.preventDefault();
    this.boxes.get(to).root.focus();
  }

  // Fades what does not match.
  filter(words, troubledOnly) {
    const wanted = words.toLowerCase();
    for (const { root, job } of this.boxes.values()) {
      const matches = `${job.key} ${job.name} ${job.state}`.toLowerCase().includes(wanted) &&
        (!troubledOnly || !["good", "still"].includes(toneOf(job.state)));
      root.classList.toggle("faded", !matches);
    }
  }
}
