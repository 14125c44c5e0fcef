(function () {
  "use strict";
  // A column of paper is about half of A4 less its margins.
  var COLUMN_PIXELS = 320;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var onPaper = false;

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  // Charts: data in the page, drawn when they are first seen.
  function loadLibrary() {
    var kept = document.getElementById("chart-library");
    if (window.Plotly || !kept) { return; }
    var script = document.createElement("script");
    script.textContent = kept.textContent;
    document.head.appendChild(script);
  }

  function figureOf(chart) {
    var text = chart.parentNode.querySelector(".chart-data").textContent;
    if (dark.matches && !onPaper) {
      var colours = JSON.parse(document.querySelector(".dark-colours").textContent);
      text = text.replace(/#[0-9a-f]{6}/g, function (found) { return colours[found] || found; });
    }
    return JSON.parse(text);
  }

  function draw(chart) {
    loadLibrary();
    var figure = figureOf(chart);
    if (onPaper) { figure.layout.width = COLUMN_PIXELS; }
    if (!chart.classList.contains("drawn")) { chart.textContent = ""; }
    chart.classList.add("drawn");
    window.Plotly.newPlot(chart, figure.data, figure.layout, figure.config);
  }

  function redraw() { each(".chart.drawn", draw); }

  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) { return; }
      seen.unobserve(entry.target);
      draw(entry.target);
    });
  }, { rootMargin: "300px" });
  function watch() { each(".chart:not(.drawn)", function (chart) { seen.observe(chart); }); }
  watch();
  document.addEventListener("htmx:load", watch); // where a local server adds to the page
  dark.addEventListener("change", redraw);

  window.addEventListener("beforeprint", function () {
    onPaper = true;
    each(".chart", function (chart) { if (chart.offsetParent !== null) { draw(chart); } });
  });
  window.addEventListener("afterprint", function () {
    onPaper = false;
    redraw();
  });

  // Folds: what a link points to is opened, whatever it lies in.
  function reveal(target) {
    for (var at = target; at; at = at.parentNode) {
      if (at.tagName === "DETAILS") { at.open = true; }
    }
    if (target) { target.scrollIntoView(); }
  }

  function revealHash() {
    var name = decodeURIComponent(window.location.hash.slice(1));
    if (name) { reveal(document.getElementById(name)); }
  }
  window.addEventListener("hashchange", revealHash);
  revealHash();
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href^='#']");
    if (link && link.hash === window.location.hash) { revealHash(); }
  });

  // Tools that need a script are shown where there is one.
  each(".tools", function (tools) { tools.hidden = false; });
  each(".fold-all", function (button) {
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      each("details", function (fold) { fold.open = open; });
      button.setAttribute("aria-pressed", String(open));
    });
  });

  // Search: claims whose name, words or verdict hold every word that is typed.
  each("#find-claim", function (box) {
    var found = document.getElementById("claims-found");
    box.addEventListener("input", function () {
      var words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      var claims = 0;
      each("[data-claim]", function (item) {
        var text = item.getAttribute("data-claim").toLowerCase();
        item.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
        claims += item.tagName === "DETAILS" && !item.hidden ? 1 : 0;
      });
      found.textContent = words.length ? claims + (claims === 1 ? " claim" : " claims") : "";
      if (words.length) { document.getElementById("answer").closest("details").open = true; }
    });
    box.addEventListener("keydown", function (event) {
      if (event.key !== "Enter") { return; }
      var first = document.querySelector("details[data-claim]:not([hidden])");
      if (first && box.value.trim()) { event.preventDefault(); first.open = true; reveal(first); }
    });
  });
})();
