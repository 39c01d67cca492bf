// Receives frames from the kernel and shows them: status line, pictures, text alternative, traceback.

import { minus, number, themeOf } from "./axes.js";
import { GONE, followKernel, keepKeys, make, makeSaid, nameParts, onceIn } from "./page.js";
import { Plot, unpack } from "./plot.js";

const SAY_EVERY = 5000; // ms between two spoken messages of one state
const SILENCE = 6000; // ms without a frame while training runs, after which the page says so

function render({ model, el }) {
  const root = make("div", "course-live course-waiting course-canvas", el);
  const bar = make("div", "course-status", root);
  const chip = make("span", "course-state", bar), step = make("span", "course-step", bar);
  const rate = make("span", "course-rate", bar), changed = make("span", "course-changed", bar);
  const tell = makeSaid(root);
  const traceback = make("div", "course-error", root);
  traceback.setAttribute("role", "alert");
  const walk = make("div", "course-walk", root), says = make("div", "course-says", root);
  const pictures = make("div", "course-pictures", root);
  pictures.dataset.count = model.get("views").length;
  const drawn = model.get("views").map((view) => new Plot(view, pictures, schedule));

  const exploring = (status) => !status.word; // no training: no state, steps or rate to tell
  let frame = null, frameAt = 0, live = true, scheduled = false, count = 0, saidAt = 0, saidState = "", saidPhase = "", saying = null;

  function show() {
    scheduled = false;
    bar.hidden = live && (!frame || exploring(frame.status));
    if (!live) showGone();
    if (!frame) return; // what was saved with the notebook is shown below
    root.classList.remove("course-waiting");
    const { status, arrays } = frame, theme = themeOf(root);
    if (!exploring(status)) step.textContent = `step ${status.steps.toLocaleString("en-US")}`;
    traceback.textContent = status.error;
    showWalk(status.walk);
    drawn.forEach((picture, i) => picture.draw(arrays, theme, status.words[i]));
    if (bar.hidden) for (const picture of drawn) picture.canvas.setAttribute("aria-description", status.changed);
    Object.assign(root.dataset, { step: status.steps, drawn: ++count });
    if (!live) return;
    root.dataset.state = status.state;
    chip.textContent = status.word;
    changed.textContent = changed.title = status.changed;
    showRate();
    say(status);
  }

  // A kernel that died tells nobody, so the page counts for itself.
  function showRate() {
    if (!frame || !live) return;
    const silent = Date.now() - frameAt;
    rate.textContent = frame.status.state !== "running" ? ""
      : silent > SILENCE ? `no news for ${Math.round(silent / 1000)} s`
      : frame.status.rate ? `${number(frame.status.rate)} steps/s` : "";
  }

  function showGone() {
    root.dataset.state = "gone";
    chip.textContent = "Not connected";
    rate.textContent = "";
    changed.textContent = changed.title = GONE;
    clearTimeout(saying);
    tell(GONE);
  }

  // Slow motion: the phases of an update in a row, and what the last one did.
  function showWalk(state) {
    walk.hidden = says.hidden = !state;
    if (!state) return;
    const key = JSON.stringify([state.turns, state.at, state.turn]);
    says.textContent = minus(state.says) || "Phase walks through one update; its points are the batch’s.";
    if (walk.dataset.key === key) return;
    walk.dataset.key = key;
    walk.replaceChildren();
    state.turns.forEach(([network, names], turn) => {
      const row = make("span", "course-turn", walk);
      const now = state.at?.[0] === turn;
      make("b", "", row, now && state.turn !== "1 of 1" ? `${network} (${state.turn})` : network);
      names.forEach((name, i) => {
        const done = state.at && (turn < state.at[0] || (now && i < state.at[1]));
        const chip = make("span", "course-phase", row, name);
        chip.dataset.phase = now && i === state.at[1] ? "now" : done ? "done" : "";
      });
    });
  }

  // Screen readers hear each new state at once; progress, and what a control has changed, now and then, the last of it in
  // any case.
  function say(status) {
    const now = Date.now(), wait = SAY_EVERY - (now - saidAt);
    const phase = status.walk?.says ?? "";
    clearTimeout(saying);
    if (status.state === saidState && phase === saidPhase && wait > 0) {
      saying = setTimeout(() => say(status), wait);
      return;
    }
    [saidState, saidPhase, saidAt] = [status.state, phase, now];
    const state = exploring(status) ? "" : `${status.word}, step ${status.steps}`;
    const values = drawn.map((p) => p.canvas.getAttribute("aria-label"));
    tell(phase || [state, status.changed, ...values].filter(Boolean).join(". "));
  }

  function schedule() {
    if (!scheduled) requestAnimationFrame(show);
    scheduled = true;
  }

  model.on("msg:custom", (message, buffers) => {
    if (message.kind !== "frame") return;
    if (message.ack) model.send({ kind: "ack", frame: message.frame }); // on receipt: hidden tabs draw nothing
    if (frame && message.status.steps < frame.status.steps) for (const picture of drawn) picture.memory = {};
    const { buffer, byteOffset, byteLength } = buffers[0];
    frame = { status: message.status, arrays: unpack(message.layout, buffer.slice(byteOffset, byteOffset + byteLength)) };
    frameAt = Date.now();
    schedule();
  });

  const resized = new ResizeObserver(schedule);
  resized.observe(root);
  const rethemed = new MutationObserver(schedule);
  rethemed.observe(document.body, { attributes: true });
  const watch = setInterval(showRate, 1000);
  keepKeys(root);
  const titles = model.get("views").map((view) => view.title).filter(Boolean).join(", ");
  onceIn(el, (box) => {
    keepKeys(box);
    nameParts(box, ["Controls and pictures", titles].filter(Boolean).join(": "), model.get("help") ?? {});
  });
  const unfollow = followKernel(el, (now) => {
    live = now;
    if (live) model.send({ kind: "ready" });
    schedule();
  });
  return () => { resized.disconnect(); rethemed.disconnect(); clearInterval(watch); clearTimeout(saying); unfollow(); };
}

export default { render };
