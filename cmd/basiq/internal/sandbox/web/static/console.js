// The console of the sandbox. It uses only the control API, which api/openapi.json describes.
"use strict";
(function () {
	const $ = function (id) { return document.getElementById(id); };
	let application = 1, selected = "", last = 0, shown = {};

	// el returns an element with attributes and children. Text is never parsed as HTML.
	function el(name, attributes, ...children) {
		const e = document.createElement(name);
		for (const [key, value] of Object.entries(attributes || {})) {
			if (key === "onclick") { e.addEventListener("click", value); } else if (value !== undefined) { e.setAttribute(key, value); }
		}
		for (const child of children.flat()) {
			if (child !== null && child !== undefined && child !== "") { e.append(child); }
		}
		return e;
	}

	async function call(method, path, body) {
		const address = "api" + path + (path.includes("?") ? "&" : "?") + "application=" + application;
		const options = { method: method, credentials: "same-origin", headers: {} };
		if (method === "POST") {
			options.headers["Content-Type"] = "application/json";
			options.body = JSON.stringify(body || {});
		}
		const response = await fetch(address, options);
		const text = await response.text();
		const value = text ? JSON.parse(text) : null;
		if (!response.ok) { throw new Error(value && value.error ? value.error : "status " + response.status); }
		return value;
	}

	function say(text, bad) {
		$("message").textContent = text;
		$("message").className = "message " + (bad ? "error" : "good");
		$("message").hidden = false;
	}

	// act calls an operation because of a button, says what came of it, and shows the new state.
	async function act(what, method, path, body) {
		try {
			const value = await call(method, path, body);
			say(what + ": done.");
			await refresh();
			return value;
		} catch (e) {
			say(what + ": " + e.message + ".", true);
			return null;
		}
	}

	const button = function (text, method, path, body, hint) {
		return el("button", { onclick: function () { act(text, method, path, body); }, "aria-label": hint ? text + " " + hint : undefined }, text);
	};
	const count = function (n, what) { return n + " " + what + (n === 1 ? "" : "s"); };
	const decoded = function (query) {
		try { return "?" + decodeURIComponent(query); } catch (e) { return "?" + query; }
	};
	const tag = function (text) { return el("span", { class: "tag " + text }, text); };
	const when = function (text) { return text ? new Date(text).toLocaleString("en-AU", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" }) : ""; };

	// put replaces the content of an element if the data behind it has changed, so that the
	// focus and an open part stay where they are.
	function put(id, data, make) {
		const text = JSON.stringify(data);
		if (shown[id] === text) { return; }
		shown[id] = text;
		$(id).replaceChildren(...make(data));
	}

	function table(head, rows, none) {
		if (rows.length === 0) { return el("p", { class: "note" }, none); }
		return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head.map(function (h) { return el("th", {}, h); }))),
			el("tbody", {}, rows.map(function (r) { return el("tr", {}, r.map(function (c) { return el("td", {}, c); })); }))));
	}

	async function openConsent(action, extra) {
		const body = Object.assign({ action: action, state: "console" }, extra || {});
		const made = await act("Make a consent link", "POST", "/users/" + selected + "/consent-link", body);
		if (made) { window.open(made.url, "_blank", "noopener"); }
	}

	function userDetails(u) {
		const consent = function (text, action) { return el("button", { onclick: function () { openConsent(action); } }, text); };
		return [
			el("p", {}, el("strong", {}, u.name || u.email || u.mobile || ""), " ", el("code", {}, u.id)),
			el("h3", {}, "Open the Consent UI"),
			el("p", { class: "buttons" }, consent("Connect a bank", u.consent === "active" ? "connect" : ""), consent("Manage", "manage"), consent("Extend", "extend"), consent("Update", "update"), consent("Reauthorise", "reauthorise"),
				button("Revoke consent", "POST", "/users/" + u.id + "/revoke-consent")),
			el("h3", {}, "Consents"),
			table(["Status", "Given", "Expires", "ID"], u.consents.map(function (c) { return [tag(c.status), when(c.created), when(c.expires), el("code", {}, c.id)]; }), "The user has not consented."),
			el("h3", {}, "Connections"),
			table(["Institution", "Status", "Method", "Login", "Last used", "ID", ""], u.connections.map(function (c) {
				return [c.institutionName, tag(c.status), c.method, c.login || "", when(c.lastUsed), el("code", {}, c.id), button("Invalidate", "POST", "/connections/" + c.id + "/invalidate", undefined, c.institutionName)];
			}), "The user has no connections."),
			el("p", { class: "buttons" }, button("Connect Hooli as Wentworth-Smith", "POST", "/users/" + u.id + "/connections", {})),
			el("h3", {}, "Jobs"),
			table(["Type", "Institution", "Steps", "Updated", "ID"], u.jobs.map(function (j) {
				return [j.type, j.institutionId || "", j.steps.map(function (s) { return el("div", {}, s.title + " ", tag(s.status), s.code ? " " + s.code : ""); }), when(j.updated), el("code", {}, j.id)];
			}), "There are no jobs."),
			el("h3", {}, "Accounts"),
			table(["Name", "Class", "Balance", "Transactions", "ID"], u.accounts.map(function (a) {
				return [a.name, a.class, el("span", { class: "amount" }, a.balance + " " + a.currency), a.posted + " posted, " + a.pending + " pending", el("code", {}, a.id)];
			}), "There are no accounts."),
		];
	}

	function webhookDetails(hooks) {
		if (hooks.length === 0) { return [el("p", { class: "note" }, "There are no webhooks.")]; }
		return hooks.map(function (h) {
			return el("div", {}, el("p", {}, el("code", {}, h.url), " ", tag(h.status), " ", el("span", { class: "note" }, (h.events || []).join(", "))),
				table(["Event", "Created", "Status", "Attempts", ""], h.messages.map(function (m) {
					return [m.eventTypeId, when(m.created), tag(m.status), m.attempts.map(function (a) { return a.status || "no response"; }).join(", "), button("Deliver again", "POST", "/messages/" + m.id + "/redeliver", undefined, m.eventTypeId)];
				}), "There are no messages."));
		});
	}

	function faultDetails(faults) {
		if (faults.length === 0) { return [el("p", { class: "note" }, "There are no faults.")]; }
		return [table(["Operation", "Effect", "Requests failed"], faults.map(function (f) {
			const effect = [f.status && "status " + f.status, f.delayMs && f.delayMs + " ms later", f.drop && "connection closed " + f.drop].filter(Boolean).join(", ");
			return [f.operation || "all", effect, String(f.count)];
		}), ""), el("p", { class: "buttons" }, button("Remove all faults", "DELETE", "/faults"))];
	}

	function logRow(r) {
		return el("tr", {}, [new Date(r.time).toISOString().slice(11, 23), tag(r.status === 0 ? "closed" : String(r.status)),
			el("code", {}, r.method + " " + r.path + (r.query ? decoded(r.query) : "")), r.operation || "", el("code", {}, r.correlationId || "")].map(function (c) { return el("td", {}, c); }));
	}

	async function refresh() {
		const apps = await call("GET", "/applications");
		const app = apps[application - 1];
		put("application", apps.length, function () { return apps.map(function (a) { return el("option", { value: a.number }, String(a.number)); }); });
		$("key").textContent = app.apiKey;
		$("now").textContent = new Date(app.now).toUTCString();
		const list = await call("GET", "/users?limit=100");
		$("total").textContent = list.total === 0 ? "none yet" : list.total > 100 ? "the latest 100 of " + list.total : String(list.total);
		put("users", [list.users, selected], function () {
			return list.users.map(function (u) {
				return el("li", {}, el("button", { "aria-pressed": String(u.id === selected), onclick: function () { select(u.id); } },
					el("strong", {}, u.email || u.mobile || u.name), el("span", {}, (u.consent ? "consent " + u.consent : "no consent") + " · " + count(u.connections, "connection") + " · " + count(u.accounts, "account"))));
			});
		});
		if (selected) {
			try {
				const u = await call("GET", "/users/" + selected);
				$("user").hidden = false;
				put("details", u, userDetails);
			} catch (e) { // the user was deleted
				selected = "";
				$("user").hidden = true;
			}
		}
		put("webhooks", await call("GET", "/webhooks"), webhookDetails);
		put("faults", await call("GET", "/faults"), faultDetails);
		for (const r of await call("GET", "/requests?after=" + last)) {
			last = r.number;
			$("log").prepend(logRow(r));
		}
		while ($("log").children.length > 200) { $("log").lastChild.remove(); }
	}

	async function select(id) {
		selected = id;
		await refresh();
		$("h-user").focus();
	}

	$("application").addEventListener("change", function () {
		application = Number($("application").value);
		selected = "";
		last = 0;
		shown = { application: shown.application };
		$("user").hidden = true;
		$("log").replaceChildren();
		refresh();
	});
	document.querySelectorAll("button[data-post]").forEach(function (b) {
		b.addEventListener("click", function () { act(b.textContent, "POST", b.dataset.post, b.dataset.body ? JSON.parse(b.dataset.body) : {}); });
	});
	$("create").addEventListener("submit", async function (e) {
		e.preventDefault();
		const made = await act("Create user", "POST", "/users", { email: $("email").value });
		if (made) {
			$("email").value = "";
			select(made.id);
		}
	});
	$("fault").addEventListener("submit", function (e) {
		e.preventDefault();
		const body = {};
		for (const [name, value] of new FormData($("fault"))) {
			if (value !== "") { body[name] = name === "operation" || name === "drop" ? value : Number(value); }
		}
		act("Inject a fault", "POST", "/faults", body);
	});
	(async function loop() {
		try {
			if (!document.hidden) { await refresh(); }
		} catch (e) {
			say("The sandbox does not respond: " + e.message, true);
		}
		setTimeout(loop, 1000);
	})();
})();
