// Follows the progress of a login without reloading the page, so that a screen reader
// hears only what changes. Without a script, the page reloads itself.
"use strict";
(function () {
	const main = document.querySelector("main[data-refresh]");
	if (!main) {
		return;
	}
	async function follow() {
		try {
			const response = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
			const next = new DOMParser().parseFromString(await response.text(), "text/html");
			const there = next.querySelector("main");
			if (!there.hasAttribute("data-refresh")) {
				location.replace(location.href);
				return;
			}
			const old = document.querySelectorAll("#progress li");
			there.querySelectorAll("#progress li").forEach(function (li, i) {
				if (old[i] && old[i].className !== li.className) {
					old[i].className = li.className;
					old[i].querySelector("span").textContent = li.querySelector("span").textContent;
				}
			});
		} catch (e) {
			// The sandbox does not answer: try again.
		}
		setTimeout(follow, 500);
	}
	setTimeout(follow, 300);
})();
