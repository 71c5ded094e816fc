(function () {
  "use strict";
  var entries = JSON.parse(document.getElementById("index").textContent);
  var box = document.getElementById("q"), list = document.getElementById("results"), count = document.getElementById("count");
  entries.forEach(function (e) {
    e.title = e.t.toLowerCase();
    e.all = (e.t + " " + e.d + " " + e.m + " " + e.k).toLowerCase();
  });
  function score(e, words) {
    var sum = 0;
    for (var i = 0; i < words.length; i++) {
      var at = e.title.indexOf(words[i]);
      if (at < 0 && e.all.indexOf(words[i]) < 0) return 0;
      if (at < 0) sum += e.k === "guide" ? 0.5 : 1;
      else if (at === 0 || e.title[at - 1] === "." || e.title[at - 1] === " ") sum += 6;
      else sum += 3;
    }
    return sum + (e.k === "operation" ? 0.5 : 0);
  }
  function show() {
    var words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.textContent = "";
    count.textContent = "";
    if (words.length === 0) return;
    var found = entries.map(function (e) { return { e: e, s: score(e, words) }; }).filter(function (x) { return x.s > 0; });
    found.sort(function (a, b) { return b.s - a.s || a.e.t.length - b.e.t.length || (a.e.t < b.e.t ? -1 : 1); });
    count.textContent = found.length === 0 ? "Nothing found." : found.length === 1 ? "1 result" : found.length + " results" + (found.length > 40 ? ", of which 40 are shown" : "");
    found.slice(0, 40).forEach(function (x) {
      var item = document.createElement("li"), link = document.createElement("a"), kind = document.createElement("span"), text = document.createElement("p");
      link.href = x.e.u;
      link.textContent = x.e.t;
      kind.className = "soft";
      kind.textContent = " " + x.e.k;
      text.textContent = x.e.d.length > 160 ? x.e.d.slice(0, 159) + "…" : x.e.d;
      item.append(link, kind, text);
      list.append(item);
    });
  }
  box.addEventListener("input", show);
  box.form.addEventListener("submit", function (event) { event.preventDefault(); show(); });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== box) { event.preventDefault(); box.focus(); }
  });
  box.value = new URLSearchParams(location.search).get("q") || "";
  show();
})();
