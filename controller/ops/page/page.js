// SPDX-License-Identifier: BSD-2-Clause
// Polls /api/overview and shows it. Names come from strangers: text is only ever set as textContent.
"use strict";

const POLL_MS = 2000;
const byId = (id) => document.getElementById(id);
let before = null; // the overview of the last poll, for rates
let paused = false;

// ---- text ----------------------------------------------------------------------------------------

function duration(milliseconds) {
	const s = Math.floor(milliseconds / 1000);

	if (s < 60)
		return `${s} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min ${s % 60} s`;
	if (s < 86400)
		return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
	return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const count = (number) => number.toLocaleString("en");
const clock = (us) => new Date(us / 1000).toISOString().slice(11, 23);
const sides = { a: "caller", b: "callee" };

// ---- the document --------------------------------------------------------------------------------

function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

function make(name, text, className) {
	const element = document.createElement(name);

	if (text !== undefined)
		element.textContent = text;
	if (className)
		element.className = className;
	return element;
}

// Elements of a list by key: what stays is not made anew, so that focus and selection stay, too.
function keep(parent, items, keyOf, create, update) {
	const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
	let place = parent.firstElementChild;

	for (const item of items) {
		const key = keyOf(item);
		let child = there.get(key);

		if (!child) {
			child = create(item);
			child.dataset.key = key;
		}
		there.delete(key);
		update(child, item);
		if (child === place)
			place = place.nextElementSibling;
		else
			parent.insertBefore(child, place);
	}
	for (const child of there.values())
		child.remove();
}

// Rows of cells: a text, or [text, class], or an element's maker for the first time.
function keepRows(id, items, keyOf, cellsOf) {
	const create = (item) => {
		const row = make("tr");

		for (const cell of cellsOf(item)) {
			const td = make("td", undefined, cell.class);

			if (cell.href) {
				td.append(make("a"));
				td.firstChild.setAttribute("href", cell.href);
			}
			row.append(td);
		}
		return row;
	};
	const update = (row, item) => cellsOf(item).forEach((cell, at) => {
		const td = row.children[at];

		setText(td.firstElementChild || td, String(cell.text ?? cell));
	});

	keep(byId(id), items, keyOf, create, update);
}

const number = (text) => ({ text, class: "number" });
const word = (text) => ({ text, class: "id" });
const callLink = (id) => ({ text: id, class: "id", href: `#call=${encodeURIComponent(id)}` });

// "n", or "n of m shown": lists are cut on a busy machine.
function note(id, shown, total, command) {
	setText(byId(id), shown < total ? `${count(shown)} of ${count(total)} shown; all: ${command}` : "");
}

// ---- sections ------------------------------------------------------------------------------------

function endedOf(overview) {
	return (overview.drop || []).filter((row) => row.fate === "drop" && row.name !== "duplicate")
		.reduce((sum, row) => sum + row.count, 0);
}

// A second, since the last poll; null: there was none, or counters began anew.
function rateOf(now, then, overview) {
	const seconds = before ? (overview.now_us - before.now_us) / 1e6 : 0;

	return seconds > 0 && now >= then ? (now - then) / seconds : null;
}

const rateText = (rate) => (rate === null ? "–" : rate < 10 && rate > 0 ? rate.toFixed(1) : count(Math.round(rate)));

function showFigures(overview) {
	const { status } = overview;
	const last = before && before.status;
	const rows = [
		["calls", count(status.calls)],
		["registrations", count(status.registrations)],
		["SIP messages/s", rateText(rateOf(status.sip.received, last ? last.sip.received : 0, overview))],
		["packets dropped/s", rateText(overview.drop ? rateOf(endedOf(overview), before && before.drop ? endedOf(before) : 0, overview) : null)],
		["port pairs free", count(status.media_ports_free)],
		["records lost", count(status.store.lost)],
		["up", duration(status.uptime_ms)],
	];

	keep(byId("figures"), rows, (row) => row[0], (row) => {
		const box = make("div");

		box.append(make("dt", row[0]), make("dd"));
		return box;
	}, (box, row) => setText(box.lastElementChild, row[1]));
}

function showState(status) {
	const well = status.state === "running" && status.store.healthy;
	const text = !status.store.healthy ? "the store is not writing" : status.state === "running" ? "running" : "draining: new calls are refused";

	byId("state").className = well ? "good" : "bad";
	setText(byId("state"), text);
}

function handoverSummary(report) {
	const lost = report.lost === null ? "no media" : report.lost === 0 ? "nothing lost" : `${count(report.lost)} lost`;

	return `${report.state}: ${lost}, ${count(report.copies_removed)} second copies removed, ${count(report.reordered)} reordered, ` +
		`new path ${Math.abs(report.skew_ms).toFixed(0)} ms ${report.skew_ms < 0 ? "faster" : "slower"}`;
}

function stepTable(report) {
	const table = make("table");
	const body = make("tbody");

	handoverSteps(report).forEach((step, at) => {
		const row = make("tr");

		row.append(make("td", String(at + 1)), make("td", step.label), make("td", ms(step.us), "number"));
		body.append(row);
	});
	table.append(body);
	return table;
}

function makeHandover() {
	const card = make("article");
	const title = make("h3");
	const details = make("details");

	title.append(make("a"));
	details.open = true;
	details.append(make("summary", "Steps"));
	card.append(title, make("p", undefined, "note"), make("p", undefined, "summary"), make("div", undefined, "picture"), details);
	return card;
}

function updateHandover(card, report, overview) {
	const text = JSON.stringify(report);

	if (card.dataset.report === text && !handoverRuns(report))
		return;
	card.dataset.report = text;
	const [title, when, summary, picture, details] = card.children;

	title.firstChild.setAttribute("href", `#call=${encodeURIComponent(report.call)}`);
	setText(title.firstChild, `The ${sides[report.side]} moved`);
	setText(when, `${clock(report.began_us)} UTC, by ${report.scheme}, call ${report.call}`);
	setText(summary, handoverSummary(report));
	picture.replaceChildren(handoverPicture(report, overview.now_us - report.began_us));
	while (details.children.length > 1)
		details.lastChild.remove();
	details.append(stepTable(report));
}

function showHandovers(overview) {
	keep(byId("handovers"), overview.handover || [], (report) => `${report.call} ${report.side} ${report.began_us}`,
		makeHandover, (card, report) => updateHandover(card, report, overview));
}

function showCalls(overview) {
	const calls = overview.call || [];

	note("calls-note", calls.length, overview.status.calls, "segue call list");
	keepRows("calls", calls, (call) => call.id, (call) => [
		callLink(call.id), call.state, call.caller || "", call.callee || "",
		number(duration(call.age_ms)), number(call.legs), number(call.streams), number(call.handovers),
	]);
}

function showEnded(overview) {
	keepRows("ended", overview.ended || [], (call) => call.id, (call) => [
		callLink(call.id), call.caller || "", call.callee || "", clock(call.ended_us),
		number(call.answered_us ? duration((call.ended_us - call.answered_us) / 1000) : "not answered"), number(call.handovers),
	]);
}

function showDrops(overview) {
	const rows = (overview.drop || []).filter((row) => row.count > 0).sort((a, b) => b.count - a.count);
	const then = new Map((before && before.drop ? before.drop : []).map((row) => [row.name, row.count]));

	setText(byId("drops-note"), overview.drop ? "Since the maps were made; a duplicate is the second copy of a packet that has passed." :
		"The relay's counters cannot be read.");
	keepRows("drops", rows, (row) => row.name, (row) => [
		row.name, row.fate, row.explanation, number(count(row.count)),
		number(then.has(row.name) ? rateText(rateOf(row.count, then.get(row.name), overview)) : "–"),
	]);
}

function showRegistrations(overview) {
	const list = overview.registration || { registrations: [], total: 0 };

	note("registrations-note", list.registrations.length, list.total, "segue registration list");
	keepRows("registrations", list.registrations, (row) => `${row.aor} ${row.contact}`, (row) => [
		row.aor, row.contact, word(row.from), number(duration(row.expires_ms)),
	]);
}

// ---- one call ------------------------------------------------------------------------------------

function chosenCall() {
	const found = /^#call=(.+)$/.exec(location.hash);

	return found ? decodeURIComponent(found[1]) : null;
}

function roleOf(leg) {
	return leg.main ? "in use" : leg.standby ? "standby" : "second";
}

function flowOf(path) {
	return path.send && path.listen ? "both ways" : path.send ? "to the party" : path.listen ? "from the party" : "closed";
}

function stepText(step) {
	const side = step.side ? sides[step.side] : "";

	if (step.kind !== "sip")
		return [step.kind === "media" ? "media:" : "", step.what, side, step.more, step.status].filter(Boolean).join(" ");
	return `${step.direction === "in" ? "from" : "to"} ${side}: ` +
		(step.status ? `${step.status} ${step.reason} (${step.what})` : step.what) +
		(step.times > 1 ? `, ${step.times} times` : "");
}

function showSteps(steps) {
	keep(byId("steps"), steps, (step) => `${step.number} ${step.times || 1}`, (step) => {
		const row = make("li");

		row.append(make("time", clock(step.at_us)), make("span", stepText(step)));
		return row;
	}, () => {});
}

function showMedia(call) {
	const paths = call.streams.flatMap((stream) => stream.paths.map((path) => ({ ...path, stream: `${stream.name} ${stream.encoding}` })));

	keepRows("legs", call.legs, (leg) => `${leg.side} ${leg.local_tag}`, (leg) => [
		sides[leg.side], leg.user || leg.trunk || leg.target || "", word(`${leg.proto} ${leg.remote}`), roleOf(leg), word(leg.call_id || ""),
	]);
	keepRows("paths", paths, (path) => `${path.stream} ${path.side} ${path.slot}`, (path) => [
		path.stream.replace(`${call.id}.`, ""), `${sides[path.side]}, path ${path.slot}`, word(path.remote), word(path.local), flowOf(path),
		number(count(path.packets)), number(count(path.duplicates)), number(count(path.late)), number(count(path.lost)),
		number(`${path.jitter_ms.toFixed(1)} ms`), number(path.mos ? path.mos.toFixed(1) : "–"),
	]);
}

// Of a call that is over only the story is left.
function showCall(call) {
	const over = call.state === "ended";

	setText(byId("call-title"), `Call ${call.id}`);
	setText(byId("call-note"), `${call.caller} calls ${call.callee}, ` +
		(over ? `ended at ${clock(call.ended_us)} UTC` : `${call.state}, since ${duration(call.age_ms)}`) +
		(over || call.anchored ? "" : ", media goes past the relay"));
	byId("call-media").hidden = over;
	if (!over)
		showMedia(call);
	showSteps(call.steps);
}

async function pollCall() {
	const id = chosenCall();

	if (!id) {
		byId("call").hidden = true;
		return;
	}
	const answer = await fetch(`api/call?id=${encodeURIComponent(id)}`);
	const reply = await answer.json();

	if (chosenCall() !== id)
		return;
	byId("call").hidden = false;
	if (reply.data) {
		showCall(reply.data);
	} else {
		setText(byId("call-title"), `Call ${id}`);
		setText(byId("call-note"), "is long over, or never was: what remains is its CDR");
		byId("call-media").hidden = true;
		showSteps([]);
	}
}

// ---- polling -------------------------------------------------------------------------------------

function show(overview) {
	showState(overview.status);
	showFigures(overview);
	showHandovers(overview);
	showCalls(overview);
	showEnded(overview);
	showDrops(overview);
	showRegistrations(overview);
	before = overview;
}

async function poll() {
	try {
		const answer = await fetch("api/overview");

		if (!answer.ok)
			throw new Error(await answer.text());
		show(await answer.json());
		await pollCall();
	} catch (error) {
		byId("state").className = "bad";
		setText(byId("state"), error instanceof TypeError ? "segued does not answer" : String(error.message));
		before = null;
	}
}

// One poll after the other, so that a slow answer makes no queue; none while nobody looks.
async function run() {
	if (!paused && !document.hidden)
		await poll();
	setTimeout(run, POLL_MS);
}

byId("pause").addEventListener("click", (event) => {
	paused = !paused;
	event.target.setAttribute("aria-pressed", String(paused));
});
addEventListener("hashchange", async () => {
	await pollCall().catch(() => {});
	if (chosenCall())
		byId("call-title").focus();
});
run();
