// What every widget of the course does on its page, whatever it shows.

const CONTROLS = ".course-lab, .course-explore"; // the box with a widget and all its controls
const GONE = "Its kernel is gone: run this cell again.";

// JupyterLab's keys stay out of a widget, where x would cut the cell that holds it. With Ctrl or ⌘ held they are let in
// for this one key: Ctrl-S saves.
function keepKeys(node) {
  const shut = () => node.setAttribute("data-lm-suppress-shortcuts", "true");
  shut();
  node.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    node.removeAttribute("data-lm-suppress-shortcuts");
    setTimeout(shut); // once JupyterLab has seen the key
  });
}

// The same for the sliders and buttons around a widget, as soon as it is among them.
function keepKeysAround(el) {
  const attached = new ResizeObserver(() => {
    const box = el.closest(CONTROLS);
    if (!box) return;
    keepKeys(box);
    attached.disconnect();
  });
  attached.observe(el);
}

// The sliders of ipywidgets tell a screen reader neither their name nor the value they show.
function nameSliders(el) {
  for (const slider of el.closest(CONTROLS)?.querySelectorAll(".widget-slider") ?? []) {
    const handle = slider.querySelector("[role=slider]");
    handle?.setAttribute("aria-label", slider.querySelector(".widget-label")?.textContent ?? "");
    handle?.setAttribute("aria-valuetext", slider.querySelector(".widget-readout")?.textContent ?? "");
  }
}

// Calls `told(live)` now and whenever it changes: whether there is a kernel to answer. JupyterLab marks widgets whose
// kernel was restarted, or that were read from a saved notebook. Returns what ends it.
function followKernel(el, told) {
  let live = null;
  const look = () => {
    const now = !el.classList.contains("jupyter-widgets-disconnected");
    if (now !== live) told((live = now));
  };
  const marked = new MutationObserver(look);
  marked.observe(el, { attributes: true, attributeFilter: ["class"] });
  look();
  return () => marked.disconnect();
}
