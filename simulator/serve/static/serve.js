(function () {
  "use strict";
  // A slider says the value that it stands at, to eyes and to screen readers.
  document.addEventListener("input", function (event) {
    var box = event.target;
    var field = box.closest("fieldset.slider");
    if (!field) { return; }
    if (!box.hasAttribute("data-words")) { return; }
    var words = JSON.parse(box.getAttribute("data-words"))[Number(box.value)];
    box.setAttribute("aria-valuetext", words);
    field.querySelector(".at").textContent = words;
  });
  // Where a value was typed, the answer has it in words, with its unit.
  document.addEventListener("htmx:afterSwap", function (event) {
    var field = event.target.closest("fieldset.slider");
    var told = field && field.querySelector(".answer [data-at]");
    if (told) { field.querySelector(".at").textContent = told.getAttribute("data-at"); }
  });
})();
