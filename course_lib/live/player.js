// Plays the recorded sessions of labs that are on the page, without a kernel. Each lab's output brings this script; the
// one that runs first starts them all, in the order of the page.

import { themeOf } from "./axes.js";
import { keepKeys, make, makeSaid } from "./page.js";
import { Plot, unpack } from "./plot.js";

const WHOLE = 9000; // ms that a session takes to be played, if its frames then stay long enough but not too long
const SHORTEST = 60, LONGEST = 500;

// What `recording.py` has packed: the views and frames, and the bytes of their arrays.
async function unwrap(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const begin = 4 + new DataView(bytes).getUint32(0, true);
  const session = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, begin - 4)));
  const arrays = bytes.slice(begin);
  for (const run of session.runs) restore(new Uint8Array(arrays, run.offset, run.length), run);
  return { ...session, arrays };
}

// Undoes, in place, what made a run of arrays compress well: bytes are differences from those of the array before;
// of longer numbers all first bytes come first, then all second ones, and so on.
function restore(bytes, { width, stride }) {
  if (width === 1) {
    for (let i = stride; i < bytes.length; i++) bytes[i] += bytes[i - stride];
    return;
  }
  const planes = bytes.slice(), count = bytes.length / width;
  for (let i = 0; i < bytes.length; i++) bytes[i] = planes[(i % width) * count + Math.floor(i / width)];
}

// The colour behind an element: the bar that stays in view needs it, to cover what is scrolled under it.
function ground(el, theme) {
  for (let at = el; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (!/^transparent$|, 0\)$/.test(backgroundColor)) return backgroundColor;
  }
  return theme.paper;
}

async function start(root) {
  const { views, frames, arrays } = await unwrap(root.querySelector(".course-session").textContent);
  const stage = make("div", "course-stage", root);
  root.querySelector(".course-stand-in").replaceWith(stage);
  const bar = make("div", "course-transport", stage);
  const button = make("button", "course-play", bar), slider = make("input", "course-scrub", bar);
  const step = make("span", "course-step", bar), changed = make("span", "course-changed", bar);
  const tell = makeSaid(stage);
  const pictures = make("div", "course-pictures", stage);
  button.type = "button";
  Object.assign(slider, { type: "range", min: 0, max: frames.length - 1, step: 1 });
  slider.setAttribute("aria-label", "Step of the recorded session");
  pictures.dataset.count = views.length;
  const plots = views.map((view) => new Plot(view, pictures, schedule));
  const last = frames.length - 1, stay = Math.min(Math.max(WHOLE / frames.length, SHORTEST), LONGEST);
  const of = (i) => `step ${frames[i].steps.toLocaleString("en-US")} of ${frames[last].steps.toLocaleString("en-US")}`;
  let now = last, playing = null, scheduled = false, count = 0;

  function show() {
    scheduled = false;
    const { steps, words, layout, changed: turned } = frames[now], theme = themeOf(root);
    const drawn = unpack(layout, arrays);
    bar.style.backgroundColor = ground(root, theme);
    plots.forEach((plot, i) => plot.draw(drawn, theme, words[i]));
    Object.assign(root.dataset, { step: steps, drawn: ++count });
    step.textContent = of(now);
    changed.textContent = changed.title = turned;
  }

  function schedule() {
    if (!scheduled) requestAnimationFrame(show);
    scheduled = true;
  }

  function go(i) {
    if (i < now) for (const plot of plots) plot.memory = {};
    now = i;
    slider.value = i;
    slider.setAttribute("aria-valuetext", of(i));
    schedule();
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    button.textContent = "Play";
    root.dataset.state = "paused";
  }

  function play() {
    if (now === last) go(0);
    playing = setInterval(() => {
      if (now < last) go(now + 1);
      if (now === last) pause();
    }, stay);
    button.textContent = "Pause";
    root.dataset.state = "playing";
  }

  // Once the bar is seen it plays by itself, unless the reader was faster, or wants nothing to move.
  const seen = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    seen.disconnect();
    play();
  }, { threshold: 1 });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  button.onclick = () => {
    seen.disconnect();
    if (!playing) return play();
    pause();
    tell(`Paused at ${of(now)}. ${plots.map((plot) => plot.canvas.getAttribute("aria-label")).join(". ")}`);
  };
  slider.oninput = () => {
    seen.disconnect();
    pause();
    go(+slider.value);
  };
  keepKeys(root);
  pause();
  go(last);
  new ResizeObserver(schedule).observe(root);
  const rethemed = new MutationObserver(schedule);
  for (const el of [document.documentElement, document.body]) rethemed.observe(el, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", schedule);
  if (!calm.matches) seen.observe(bar);
}

for (const root of document.querySelectorAll(".course-player:not([data-state])")) {
  root.dataset.state = "loading";
  start(root).catch((error) => { // the still picture stays
    root.dataset.state = "failed";
    console.error(error);
  });
}
