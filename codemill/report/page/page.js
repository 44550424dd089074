"use strict";
// Headings become buttons that sort; without a script the tables stay as they are, in their own best order.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((heading, column) => {
    if (!heading.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const numeric = heading.classList.contains("n");
      const was = heading.getAttribute("aria-sort");
      const direction = was === "descending" ? "ascending" : was === "ascending" ? "descending" : numeric ? "descending" : "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", direction);
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
      const sign = direction === "ascending" ? 1 : -1;
      const order = (a, b) => (numeric ? Number(value(a)) - Number(value(b)) : value(a).localeCompare(value(b)));
      body.append(...[...body.rows].sort((a, b) => sign * order(a, b)));
    });
  });
}
// A dot of the picture, clicked or reached by the arrow keys, fills the panel beside it.
const dots = [...document.querySelectorAll(".cloud circle")];
const panel = document.getElementById("chosen");
function choose(dot) {
  dots.forEach((other) => other.classList.toggle("chosen", other === dot));
  panel.querySelector("h3").textContent = dot.dataset.where;
  panel.querySelector("p").textContent = dot.dataset.kind;
  panel.querySelector("pre").textContent = dot.dataset.excerpt;
  panel.querySelector("pre").hidden = false;
}
dots.forEach((dot, i) => {
  dot.addEventListener("click", () => choose(dot));
  dot.addEventListener("focus", () => choose(dot));
  dot.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    dots[(i + step + dots.length) % dots.length].focus();
  });
});
if (dots.length) dots[dots.length - 1].tabIndex = 0; // the furthest out; the arrow keys reach the others
// Paper has no disclosure triangles; long lists stay folded.
addEventListener("beforeprint", () => document.querySelectorAll("main details:not(.long)").forEach((d) => (d.open = true)));
