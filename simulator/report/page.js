(function () {
  "use strict";
  // A chart keeps its width on screen; a column of paper is about half of A4 less its margins.
  var COLUMN_PIXELS = 320;
  function relayout(size) {
    document.querySelectorAll(".plotly-graph-div").forEach(function (chart) {
      window.Plotly.relayout(chart, size);
    });
  }
  window.addEventListener("beforeprint", function () {
    relayout({ width: COLUMN_PIXELS });
  });
  window.addEventListener("afterprint", function () {
    relayout({ width: null, autosize: true });
  });
})();
