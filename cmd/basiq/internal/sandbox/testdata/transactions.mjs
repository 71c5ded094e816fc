// From a user to transactions, without an SDK: create a user, follow the consent link as a
// browser would, wait for the job, and read all pages.
const base = process.env.BASIQ_BASE_URL;

async function call(path, options = {}) {
	const response = await fetch(path.startsWith("http") ? path : base + path, options);
	if (!response.ok) {
		throw new Error(`${options.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
	}
	return response.json();
}

async function token(form) {
	const made = await call("/token", {
		method: "POST",
		headers: { Authorization: `Basic ${process.env.BASIQ_API_KEY}`, "basiq-version": "3.0" },
		body: new URLSearchParams(form),
	});
	return made.access_token;
}

const headers = { Authorization: `Bearer ${await token({ scope: "SERVER_ACCESS" })}`, "Content-Type": "application/json" };
const user = await call("/users", { method: "POST", headers, body: JSON.stringify({ email: "max@example.com" }) });

// The user's browser: cookies, redirects and forms.
let cookie = "";
async function browse(address, form) {
	const response = await fetch(new URL(address, base), {
		method: form ? "POST" : "GET", redirect: "manual", headers: cookie ? { Cookie: cookie } : {}, body: form && new URLSearchParams(form),
	});
	const set = response.headers.get("set-cookie");
	if (set) {
		cookie = set.split(";")[0];
	}
	const to = response.headers.get("location");
	if (to) {
		const there = new URL(to, base);
		return there.pathname === "/consent/returned" ? there : browse(to);
	}
	return { path: new URL(response.url).pathname, text: await response.text() };
}
const field = (page) => page.text.match(/name="form" value="([^"]+)"/)[1];

const client = await token({ scope: "CLIENT_ACCESS", userId: user.id });
const start = await browse(`/consent?token=${client}&state=order-7`);
const visit = start.path;
await browse(`${visit}/agree`, { form: field(start) });
const login = await browse(`${visit}/login?institution=AU00000`);
let page = await browse(`${visit}/login`, { form: field(login), institution: "AU00000", login: "richard", password: "tabsnotspaces" });
while (page.text.includes("data-refresh")) {
	page = await browse(page.path);
}
const back = await browse(`${visit}/return`);
if (back.searchParams.get("state") !== "order-7") {
	throw new Error(`the state is ${back.searchParams.get("state")}`);
}

for (const id of back.searchParams.get("jobIds").split(",")) {
	const job = await call(`/jobs/${id}`, { headers });
	if (!job.steps.every((step) => step.status === "success")) {
		throw new Error(JSON.stringify(job));
	}
}
let count = 0, pages = 0;
for (let next = `/users/${user.id}/transactions`; next; pages++) {
	const list = await call(next, { headers });
	count += list.data.length;
	next = list.links.next;
}
console.log(`${count} transactions on ${pages} pages`);
