// SPDX-License-Identifier: BSD-2-Clause
// A handover as a picture, drawn from its report: the old path and the new one over time, and the steps.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 560;
const LEFT = 74; // where the lanes begin
const RIGHT = WIDTH - 16;
const OLD_Y = 66;
const NEW_Y = 100;
const LANE = 18;
const AXIS_Y = 136;

// The steps of a report in their usual order, with what they are called.
const STEPS = [
	["changed_us", "relay changed"],
	["answered_us", "200 sent"],
	["first_new_us", "first packet by the new path"],
	["last_old_us", "last packet by the old path"],
	["ended_us", "old leg gone"],
];

function ms(us) {
	const value = us / 1000;

	return `${value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 1000 ? 1 : 0)} ms`;
}

// [{label, us}] in the order of time, the request first.
function handoverSteps(report) {
	const steps = [{ label: "request", us: 0 }];

	for (const [field, label] of STEPS) {
		if (report[field] !== null)
			steps.push({ label: field === "ended_us" && report.state === "aborted" ? "new leg gone" : label, us: report[field] });
	}
	return steps.sort((a, b) => a.us - b.us);
}

function handoverRuns(report) {
	return report.state === "joining" || report.state === "both";
}

function draw(parent, name, attributes, text) {
	const element = document.createElementNS(SVG, name);

	for (const [key, value] of Object.entries(attributes))
		element.setAttribute(key, value);
	if (text !== undefined)
		element.textContent = text;
	parent.append(element);
	return element;
}

// A step of the axis that gives four to eight of them: 1, 2 or 5 times a power of ten, in microseconds.
function tickOf(span) {
	const power = 10 ** Math.floor(Math.log10(span / 4));

	return [5, 2, 1].map((factor) => factor * power).find((tick) => span / tick >= 4) || power;
}

function drawAxis(svg, first, last, at) {
	const tick = tickOf(last - first);

	draw(svg, "line", { class: "axis", x1: LEFT, x2: RIGHT, y1: AXIS_Y, y2: AXIS_Y });
	for (let us = Math.ceil(first / tick) * tick; us <= last; us += tick) {
		draw(svg, "line", { class: "axis", x1: at(us), x2: at(us), y1: AXIS_Y, y2: AXIS_Y + 5 });
		draw(svg, "text", { class: "quiet middle", x: at(us), y: AXIS_Y + 19 }, String(Math.round(us / 100) / 10));
	}
	draw(svg, "text", { class: "quiet", x: 0, y: AXIS_Y + 19 }, "ms");
}

function drawLane(svg, label, kind, y, from, to) {
	draw(svg, "text", { x: 0, y: y + 13 }, label);
	if (to > from)
		draw(svg, "rect", { class: kind, x: from, y, width: Math.max(to - from, 1.5), height: LANE, rx: 3 });
}

// A number at each step; those that are close stand above each other.
function drawMarks(svg, steps, at) {
	const taken = [-100, -100, -100];

	steps.forEach((step, index) => {
		const x = at(step.us);
		let row = taken.findIndex((edge) => x - edge >= 20);
		let knob = x;

		if (row < 0) {
			row = 0;
			knob = taken[0] + 20;
		}
		taken[row] = knob;
		draw(svg, "line", { class: "mark", x1: x, x2: x, y1: 58, y2: AXIS_Y });
		draw(svg, "line", { class: "mark", x1: knob, x2: x, y1: 48 - row * 19, y2: 58 });
		draw(svg, "circle", { class: "knob", cx: knob, cy: 48 - row * 19, r: 8.5 });
		draw(svg, "text", { class: "middle", x: knob, y: 52 - row * 19 }, String(index + 1));
	});
}

function describePicture(report, steps) {
	const story = steps.map((step) => `${step.label} at ${ms(step.us)}`).join(", ");

	return `The old path and the new one over time: ${story}. Lost: ${report.lost ?? "not known"}.`;
}

// nowUs: of a handover that runs, how long it has run.
function handoverPicture(report, nowUs) {
	const svg = document.createElementNS(SVG, "svg");
	const steps = handoverSteps(report);
	const runs = handoverRuns(report);
	const end = Math.max(steps[steps.length - 1].us, runs ? nowUs : 0, 1000);
	const first = -end * 0.12;
	const last = end * (runs ? 1 : 1.12);
	const at = (us) => LEFT + ((us - first) / (last - first)) * (RIGHT - LEFT);
	const kept = report.state === "aborted" || report.state === "failed";
	const oldEnd = runs || kept ? last : (report.last_old_us ?? report.ended_us ?? last);
	const newEnd = kept ? (report.ended_us ?? last) : last;
	const newStart = report.first_new_us;

	svg.setAttribute("viewBox", `0 0 ${WIDTH} 160`);
	svg.setAttribute("role", "img");
	draw(svg, "title", {}, "Handover over time");
	draw(svg, "desc", {}, describePicture(report, steps));
	if (newStart !== null && oldEnd > newStart)
		draw(svg, "rect", { class: "both", x: at(newStart), y: 58, width: at(Math.min(oldEnd, newEnd)) - at(newStart), height: AXIS_Y - 58 });
	drawLane(svg, "old path", "old", OLD_Y, LEFT, at(oldEnd));
	drawLane(svg, "new path", "new", NEW_Y, at(newStart ?? last), at(newEnd));
	drawAxis(svg, first, last, at);
	drawMarks(svg, steps, at);
	return svg;
}
