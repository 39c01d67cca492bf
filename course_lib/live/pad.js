// A sheet of height·width grey bytes, drawn on by pointer or keys. Python gets them at most once a screen frame.
import { keepKeys, make, makeSaid, rgb } from "./page.js";

function render({ model, el }) {
  const height = model.get("height"), width = model.get("width"), pen = model.get("pen"), onLift = model.get("on_lift");
  const root = make("div", "course-pad", el);
  keepKeys(root);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", model.get("label"));
  make("div", "course-pad-title", root, model.get("label"));
  const canvas = make("canvas", "", root);
  Object.assign(canvas, { width, height, tabIndex: 0 });
  canvas.setAttribute("role", "application");
  const keys = "Arrow keys move the pen, space draws a dot, with shift held the pen stays down.";
  canvas.setAttribute("aria-label", `${model.get("label")}. ${keys}`);
  const buttons = make("div", "course-pad-buttons", root);
  const clear = make("button", "", buttons, "Clear"), load = make("button", "", buttons, "Load an example");
  make("div", "course-pad-keys", root, keys);
  const tell = makeSaid(root);

  const ctx = canvas.getContext("2d");
  const bytesOf = (name) => { const v = model.get(name); return new Uint8Array(v.buffer, v.byteOffset, v.byteLength); };
  let ink = bytesOf("pixels").slice(), example = 0, last = null, scheduled = false;
  let cursor = null; // where the keys' pen is, once a key was used

  const cursorColor = () => rgb(getComputedStyle(canvas).getPropertyValue("--course-vermillion").trim());

  function paint() {
    const image = ctx.createImageData(width, height);
    ink.forEach((v, i) => image.data.set([255 - v, 255 - v, 255 - v, 255], 4 * i));
    if (cursor) image.data.set([...cursorColor(), 255], 4 * (cursor.y * width + cursor.x));
    ctx.putImageData(image, 0, 0);
  }

  function changed() {
    paint();
    if (scheduled || (onLift && last)) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      model.set("pixels", new DataView(ink.slice().buffer));
      model.save_changes();
    });
  }

  // Full ink within the pen's radius, falling to none over one pixel; darker ink stays.
  function dab(x, y) {
    for (let row = Math.max(0, Math.floor(y - pen - 1)); row <= Math.min(height - 1, y + pen + 1); row++) {
      for (let column = Math.max(0, Math.floor(x - pen - 1)); column <= Math.min(width - 1, x + pen + 1); column++) {
        const far = Math.hypot(column + 0.5 - x, row + 0.5 - y) - pen + 0.5, at = row * width + column;
        ink[at] = Math.max(ink[at], Math.round(255 * Math.min(1, Math.max(0, 1 - far))));
      }
    }
  }

  function stroke(from, to) {
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)));
    for (let i = 0; i <= steps; i++) dab(from.x + (to.x - from.x) * i / steps, from.y + (to.y - from.y) * i / steps);
    changed();
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect(), edge = 1; // of the border
    return { x: (event.clientX - box.left - edge) / (box.width - 2 * edge) * width,
             y: (event.clientY - box.top - edge) / (box.height - 2 * edge) * height };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    [cursor, last] = [null, place(event)];
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const now = place(event);
    stroke(last, now);
    last = now;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => {
    last = null;
    if (onLift) changed();
  });

  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has its own use for these keys
    const from = cursor ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
    const [dx, dy] = move ?? [0, 0], clip = (v, top) => Math.min(Math.max(v, 0), top - 1);
    cursor = { x: clip(from.x + dx, width), y: clip(from.y + dy, height) };
    const middle = ({ x, y }) => ({ x: x + 0.5, y: y + 0.5 });
    if (!move || event.shiftKey) stroke(middle(from), middle(cursor));
    else paint();
    const on = ink[cursor.y * width + cursor.x] > 127 ? "ink" : "paper";
    tell(`Column ${cursor.x + 1} of ${width}, row ${cursor.y + 1} of ${height}: ${on}`);
  });

  clear.onclick = () => { ink.fill(0); changed(); tell("The sheet is empty"); };
  load.onclick = () => {
    const all = bytesOf("examples"), size = height * width;
    example = (example + 1) % (all.length / size);
    tell(`Example ${example + 1} of ${all.length / size}`);
    ink = all.slice(example * size, (example + 1) * size);
    changed();
  };
  paint();
}
export default { render };
