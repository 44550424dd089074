// Keys, brushing, thresholds, copying. Every page works without it: links and forms carry the state.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────
const LINKS = ".rows td.file a, .hits li > a, .starts li > a, a.follow";
let at = -1;
function step(by) {
  const links = $$(LINKS);
  if (!links.length) return;
  at = Math.min(Math.max(at + by, 0), links.length - 1);
  links[at].focus();
}
document.addEventListener("focusin", (event) => {
  const found = $$(LINKS).indexOf(event.target);
  if (found >= 0) at = found;
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=range]):not([type=checkbox]), select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    else if ($("a[rel=up]")) history.length > 1 ? history.back() : $("a[rel=up]").click(); // back: to the list as it was
    return;
  }
  if (typing) return;
  const act = {
    "/": () => ($("#q") ? ($("#q").focus(), $("#q").select()) : (location.href = "./")),
    j: () => step(1),
    k: () => step(-1),
    n: () => $("a[rel=next]")?.click(),
    p: () => $("a[rel=prev]")?.click(),
  }[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// ── forms: addresses without empty fields; a choice counts at once ─────────────────────────────────────────────────
for (const form of $$("form")) {
  form.addEventListener("submit", () => {
    const empty = $$("input[name], select[name]", form).filter((field) => !field.value && field.type !== "hidden");
    empty.forEach((field) => (field.disabled = true));
    setTimeout(() => empty.forEach((field) => (field.disabled = false))); // should the reader come back
  });
}
for (const select of $$("form[data-auto] select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// ── axes of histograms ─────────────────────────────────────────────────────────────────────────────────────────────
function axisOf(chart) {
  const low = Number(chart.dataset.low), high = Number(chart.dataset.high), doubling = chart.dataset.doubling === "1";
  return {
    value: (place) => (doubling ? 2 ** (place * Math.log2(1 + high)) - 1 : low + place * (high - low)),
    place: (value) => Math.min(Math.max(doubling ? Math.log2(1 + Math.max(value, 0)) / Math.log2(1 + high) : (value - low) / (high - low), 0), 1),
  };
}
const short = (value) => String(Number(value.toPrecision(3)));

// ── brushing a range ───────────────────────────────────────────────────────────────────────────────────────────────
const brush = $("#brush .chart");
if (brush) {
  const axis = axisOf(brush), low = $("#low"), high = $("#high");
  const place = (event) => {
    const box = brush.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  let from = null, shade = null;
  const draw = (a, b) => {
    shade.setAttribute("x", a * 480);
    shade.setAttribute("width", (b - a) * 480);
  };
  brush.addEventListener("pointerdown", (event) => {
    from = place(event);
    brush.setPointerCapture(event.pointerId);
    shade = $(".chosen", brush) ?? brush.insertBefore(document.createElementNS("http://www.w3.org/2000/svg", "rect"), brush.firstChild);
    shade.setAttribute("class", "chosen");
    shade.setAttribute("height", brush.dataset.base);
    draw(from, from);
  });
  brush.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const [a, b] = [from, place(event)].sort((x, y) => x - y);
    draw(a, b);
    low.value = a > 0 ? short(axis.value(a)) : "";
    high.value = b < 1 ? short(axis.value(b)) : "";
  });
  brush.addEventListener("pointerup", (event) => {
    const moved = Math.abs(place(event) - from) > 0.005;
    from = null;
    if (moved) low.form.requestSubmit();
  });
}

// ── moving a threshold ─────────────────────────────────────────────────────────────────────────────────────────────
const threshold = $("#threshold");
if (threshold) {
  const sliders = $$("input[type=range]", threshold);
  let waiting = null, asked = 0;
  const arrange = () => {
    const axis = axisOf($("#chart .chart"));
    for (const slider of sliders) slider.value = 1000 * axis.place(Number($(`#${slider.dataset.for}`).value));
  };
  const show = async () => {
    const fields = $$("input[inputmode]", threshold);
    for (const field of fields) field.setCustomValidity(Number.isFinite(Number(field.value)) ? "" : "This is no number.");
    if (!threshold.reportValidity()) return;
    const address = `rule?${new URLSearchParams(new FormData(threshold))}`;
    const mine = ++asked;
    const answer = await fetch(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return; // a later one is on its way
    for (const part of ["#effect", "#chart"]) $(part).replaceChildren(...$(part, page).childNodes);
    history.replaceState(null, "", address);
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 60);
  };
  for (const slider of sliders) {
    slider.hidden = false;
    slider.addEventListener("input", () => {
      $(`#${slider.dataset.for}`).value = short(axisOf($("#chart .chart")).value(slider.value / 1000));
      soon();
    });
  }
  threshold.addEventListener("input", (event) => {
    if (event.target.type === "range") return;
    arrange();
    soon();
  });
  threshold.addEventListener("submit", (event) => {
    event.preventDefault();
    soon();
  });
  arrange();
}

// ── copying ────────────────────────────────────────────────────────────────────────────────────────────────────────
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(text); // then it takes one key
  }
});

if (matchMedia("(max-width: 800px)").matches) $(".filters")?.removeAttribute("open");
