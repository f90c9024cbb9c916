// Charts as inline SVG, each with a table of what it shows. Days are along the bottom.

import { el, short } from '/app/dom.js';
import { exact, table } from './ui.js';

const HEIGHT = 200;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;

function svg(name, attributes = {}, ...children) {
	const node = document.createElementNS('http://www.w3.org/2000/svg', name);
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	node.append(...children);
	return node;
}

// A round number that is not below the greatest value.
function ceiling(greatest) {
	if (!(greatest > 0)) return 1;
	const power = 10 ** Math.floor(Math.log10(greatest));
	return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= greatest * 0.999);
}

const dayName = (day) => new Date(`${day}T00:00:00Z`).toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/**
 * A figure with a line, or bars, for each series.
 * @param {{ title: string, days: string[], series: { name: string, values: (number|null)[] }[], bars?: boolean, format?: (value: number) => string }} options
 */
export function chart({ title, days, series, bars = false, format = short }) {
	const width = Math.max(260, Math.min(640, innerWidth - 50)); // so that its letters can be read on a narrow screen
	const top = ceiling(Math.max(0, ...series.flatMap(({ values }) => values.filter((value) => value !== null))));
	const room = (width - LEFT - 8) / Math.max(1, days.length);
	const x = (i) => LEFT + room * (i + 0.5);
	const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
	const marks = [];
	for (const part of [0, 0.5, 1]) {
		if (format === short && !Number.isInteger(part * top)) continue; // nothing is counted by halves
		marks.push(svg('line', { class: 'grid', x1: LEFT, x2: width - 8, y1: y(part * top), y2: y(part * top) }),
			svg('text', { class: 'tick', x: LEFT - 6, y: y(part * top) + 4, 'text-anchor': 'end' }, format(part * top)));
	}
	const every = Math.ceil(days.length / (width / 105));
	days.forEach((day, i) => {
		if (i % every === 0) marks.push(svg('text', { class: 'tick', x: x(i), y: HEIGHT - 6, 'text-anchor': 'middle' }, dayName(day)));
	});
	series.forEach(({ name, values }, nth) => {
		const group = svg('g', { class: `series s${nth}` });
		const label = (i) => svg('title', {}, `${dayName(days[i])}: ${format(values[i])} ${name}`);
		if (bars) {
			const thick = Math.max(1, room * 0.8 / series.length);
			values.forEach((value, i) => {
				if (value === null) return;
				group.append(svg('rect', { x: x(i) - room * 0.4 + nth * thick, y: y(value), width: thick, height: HEIGHT - BOTTOM - y(value) }, label(i)));
			});
		} else {
			const points = values.map((value, i) => (value === null ? null : [x(i), y(value)]));
			const path = points.map((point, i) => (point ? `${points[i - 1] ? 'L' : 'M'}${point[0].toFixed(1)} ${point[1].toFixed(1)}` : '')).join('');
			if (path) group.append(svg('path', { d: path }));
			points.forEach((point, i) => { if (point) group.append(svg('circle', { cx: point[0], cy: point[1], r: days.length > 60 ? 1.2 : 2.4 }, label(i))); });
		}
		marks.push(group);
	});
	const last = series.map(({ name, values }) => `${name} ${values.length ? format(values.at(-1) ?? 0) : 'unknown'}`).join(', ');
	return el('figure', { class: 'chart' }, el('figcaption', {}, el('strong', {}, title),
		series.length > 1 && el('ul', { class: 'legend' }, series.map(({ name }, nth) => el('li', { class: `s${nth}` }, name)))),
	svg('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': `${title}, ${days.length} days; on the last one ${last}` }, ...marks),
	el('details', {}, el('summary', {}, 'As a table'), table(title, ['Day', ...series.map(({ name }) => name)],
		days.map((day, i) => [dayName(day), ...series.map(({ values }) => (values[i] === null ? '–' : format(values[i])))]).reverse())));
}

/** A table whose cells are coloured by their share: rows is [name, share or null, ...]. */
export function heat(caption, heads, rows) {
	const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });
	return table(caption, heads, rows.map(([name, count, ...shares]) => [name, exact(count), ...shares.map((share) => (share === null ? ['', {}]
		: [percent.format(share), { class: `heat h${Math.min(5, Math.ceil(share * 5))}` }]))]), { class: 'heats' });
}

export { dayName };
