// What the course's pages do beside being read. Without it all of them can still be read.
"use strict";

// The glossary's filter: rows whose words hold all that is typed, in English or in Chinese.
function filterGlossary() {
  const box = document.querySelector(".course-filter");
  if (!box) return;
  const field = box.querySelector("input"), told = box.querySelector("[role=status]");
  const rows = [...document.querySelectorAll("article table tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  box.hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    told.textContent = words.length ? `${shown} of ${rows.length}` : "";
  });
}

// A term's meaning, beside it while it is pointed at or has the focus; Escape takes it away.
function explainTerms() {
  const tip = document.createElement("div");
  tip.className = "course-tip";
  tip.id = "course-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  let shown = null;
  const hide = () => {
    tip.hidden = true;
    shown?.removeAttribute("aria-describedby");
    shown = null;
  };
  const show = (term) => {
    hide();
    shown = term;
    tip.textContent = term.dataset.meaning;
    tip.hidden = false;
    term.setAttribute("aria-describedby", tip.id);
    const at = term.getClientRects()[0], width = tip.offsetWidth, page = document.documentElement.clientWidth;
    tip.style.left = `${Math.max(8, Math.min(at.left, page - width - 8)) + scrollX}px`;
    tip.style.top = `${at.bottom + 4 + scrollY}px`;
  };
  for (const term of document.querySelectorAll("a.term[title]")) {
    term.dataset.meaning = term.title;
    term.removeAttribute("title");
    term.addEventListener("mouseenter", () => show(term));
    term.addEventListener("focus", () => show(term));
    term.addEventListener("blur", hide);
    term.addEventListener("mouseleave", (event) => event.relatedTarget !== tip && hide());
  }
  tip.addEventListener("mouseleave", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

// What scrolls can be scrolled by keyboard, too.
function reachScrollers() {
  const boxes = [...document.querySelectorAll(
    ".course-figure, .course-table, .course-scroll, .math-block, .table-wrapper, div.highlight pre, div.output pre")];
  const update = () => boxes.forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
  update();
  addEventListener("resize", update);
  addEventListener("load", update);
}

// A drawing that is wider than the page shows its middle, where it begins.
function centreDrawings() {
  document.querySelectorAll(".course-scroll").forEach((box) => (box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2));
}

// Of a term that was found the search says which; Sphinx says only that it is in the glossary.
function nameFoundTerms() {
  const results = document.querySelector("#search-results");
  if (!results) return;
  new MutationObserver(() => {
    for (const link of results.querySelectorAll('a[href*="#term-"]:not([data-named])')) {
      link.dataset.named = "";
      link.append(`: ${link.hash.slice("#term-".length).replaceAll("-", " ")}`);
    }
  }).observe(results, { childList: true, subtree: true });
}

// On paper every fold is open.
function openForPrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")].filter((fold) => !fold.matches(".course-film"));
    opened.forEach((fold) => (fold.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((fold) => (fold.open = false)));
}

// Who asked for less motion sees a film's last picture, and can play it.
function holdFilms() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches)
    document.querySelectorAll("details.course-film[open]").forEach((film) => (film.open = false));
}

filterGlossary();
explainTerms();
reachScrollers();
centreDrawings();
nameFoundTerms();
openForPrint();
holdFilms();
