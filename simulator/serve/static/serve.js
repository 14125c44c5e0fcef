(function () {
  "use strict";
  // A slider says the value that it stands at, to eyes and to screen readers.
  document.addEventListener("input", function (event) {
    var box = event.target;
    var field = box.closest("fieldset.slider");
    if (!field) { return; }
    var words = box.value;
    if (box.hasAttribute("data-words")) {
      words = JSON.parse(box.getAttribute("data-words"))[Number(box.value)];
      box.setAttribute("aria-valuetext", words);
    }
    field.querySelector(".at").textContent = words;
  });
})();
