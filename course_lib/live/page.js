// What every widget of the course does on its page, whatever it shows.

const CONTROLS = ".course-lab, .course-explore"; // the box with a widget and all its controls
export const GONE = "Its kernel is gone: run this cell again.";

// JupyterLab's keys stay out of a widget, where x would cut the cell that holds it. Its mark must be on the very element
// that has the focus: its shortcuts look for `:focus`, and only then at what is around. Ctrl-S still saves.
const NO_KEYS = "data-lm-suppress-shortcuts";

export function keepKeys(node) {
  const mark = (el) => el.setAttribute(NO_KEYS, "true");
  mark(node);
  node.addEventListener("focusin", (event) => mark(event.target));
  node.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    const marked = [];
    for (let el = event.target; el; el = el.parentElement) if (el.hasAttribute(NO_KEYS)) marked.push(el);
    for (const el of marked) el.removeAttribute(NO_KEYS);
    setTimeout(() => marked.forEach(mark)); // once JupyterLab has seen the key
  });
}

// Calls `found(box)` with the box around a widget and its controls, as soon as the widget is in it.
export function onceIn(el, found) {
  const attached = new ResizeObserver(() => {
    const box = el.closest(CONTROLS);
    if (!box) return;
    attached.disconnect();
    found(box);
  });
  attached.observe(el);
  return attached;
}

// Gives the box of a widget and its controls a name, as a group, and names what ipywidgets leaves nameless. The sliders
// tell a screen reader neither their name nor the value they show, which stands once more in a field; its checkboxes and
// menus show no tooltip: `help` has one for each label. Looks now and whenever something changes, so also before anything
// is drawn, or if nothing can be.
export function nameParts(box, title, help = {}) {
  const say = (el, attribute, text) => {
    if (el && el.getAttribute(attribute) !== text) el.setAttribute(attribute, text);
  };
  const group = (el, called) => { say(el, "role", "group"); say(el, "aria-label", called); };
  const name = () => {
    group(box, title);
    group(box.querySelector(".course-toolbar"), "Training");
    group(box.querySelector(".course-knobs"), "Hyperparameters");
    for (const slider of box.querySelectorAll(".widget-slider")) {
      const handle = slider.querySelector("[role=slider]"), label = slider.querySelector(".widget-label");
      const readout = slider.querySelector(".widget-readout"), called = label?.textContent ?? "";
      say(handle, "aria-label", called);
      say(handle, "aria-valuetext", readout?.textContent ?? "");
      if (readout?.contentEditable !== "true") continue;
      say(readout, "role", "textbox");
      say(readout, "aria-label", `${called}: value`);
    }
    for (const row of box.querySelectorAll(".widget-inline-hbox")) {
      const labels = [...row.querySelectorAll("label")].map((label) => label.textContent.replace("\u200b", "").trim());
      const tip = help[labels.find(Boolean)];
      if (!tip) continue;
      say(row, "title", tip);
      say(row.querySelector("[role=slider], input, select"), "aria-description", tip);
    }
    for (const icon of box.querySelectorAll(".jupyter-button i")) say(icon, "aria-hidden", "true"); // a letter of its font
  };
  name();
  new MutationObserver(name).observe(box, { subtree: true, childList: true, characterData: true });
}

// Calls `told(live)` now and whenever it changes: whether there is a kernel to answer. JupyterLab marks widgets whose
// kernel was restarted, or that were read from a saved notebook; of a restart anywidget hears nothing, but the box
// around it does. Returns what ends it.
export function followKernel(el, told) {
  let live = null;
  const look = () => {
    const now = !el.closest(".jupyter-widgets-disconnected");
    if (now !== live) told((live = now));
  };
  const marked = new MutationObserver(look);
  const attached = onceIn(el, (box) => {
    marked.observe(box, { attributes: true, attributeFilter: ["class"] });
    look();
  });
  look();
  return () => { attached.disconnect(); marked.disconnect(); };
}

// The three bytes of a colour written #rrggbb.
export const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// An element that only screen readers find: `tell(words)` has them say what is new, once they have said the rest.
export function makeSaid(parent) {
  const said = make("div", "course-said", parent);
  said.setAttribute("role", "status");
  return (words) => { if (said.textContent !== words) said.textContent = words; };
}

export function make(tag, className, parent, text = "") {
  const el = document.createElement(tag);
  el.className = className;
  el.textContent = text;
  parent.append(el);
  return el;
}
