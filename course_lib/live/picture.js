// Shows the PNG that Python last sent. The new picture is decoded before it replaces the old one, so nothing flickers.
import { GONE, followKernel, keepKeys, makeSaid, nameParts, onceIn } from "./page.js";

const SAY_AFTER = 700; // ms that a slider has stood, after which the picture is told in words

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "course-live course-waiting";
  const frame = document.createElement("div"); // scrolls by itself where the page is narrow, and by keyboard, too
  frame.className = "course-frame";
  const img = document.createElement("img");
  img.style.cssText = "max-width:100%;background:white";
  frame.append(img);
  const error = document.createElement("pre");
  error.setAttribute("role", "alert");
  error.style.cssText = "white-space:pre-wrap;color:#a40000;background:#fff4f4;padding:0.5em;margin:0";
  const gone = document.createElement("p");
  gone.setAttribute("role", "status");
  gone.textContent = GONE;
  root.append(frame, error, gone);
  el.append(root);
  const say = makeSaid(root);
  let latest = 0, saying = null;

  async function redraw() {
    const mine = ++latest;
    const fresh = new Image();
    const url = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    fresh.src = url;
    const whole = await fresh.decode().then(() => true, () => false);
    if (whole && mine === latest) {
      const old = img.src;
      img.src = url;
      img.alt = model.get("alt"); // only now: words and picture change together
      clearTimeout(saying);
      if (old) saying = setTimeout(() => say(img.alt), SAY_AFTER);
      img.style.width = `${model.get("width")}px`;
      img.style.minWidth = `${model.get("least")}px`;
      root.classList.remove("course-waiting");
      if (old) URL.revokeObjectURL(old);
    } else {
      URL.revokeObjectURL(url);
    }
  }
  function tell() {
    error.textContent = model.get("error");
    error.hidden = !model.get("error");
  }
  model.on("change:png change:alt", redraw);
  model.on("change:error", tell);
  redraw();
  tell();
  keepKeys(root);
  onceIn(el, (box) => { keepKeys(box); nameParts(box, "Controls and their picture"); });
  const unfollow = followKernel(el, (live) => { gone.hidden = live; });
  return () => { clearTimeout(saying); unfollow(); };
}
export default { render };
