// Lists that are read page by page. To read one again leaves what has not changed where it is: nothing jumps, and the focus stays.

import { el, failure } from './dom.js';
import { roost } from './live.js';
import { patient } from './patience.js';

const MOST = 100; // so many rows are read again at once (roost.api_page_limit_max)
const FOCUSABLE = 'a[href], button:not([hidden]), input, select, summary';

// Where the focus is in a list: put back by what this answers, also when that row was made anew; beside it if it has gone.
function holdFocus(list, keyOf, fallback) {
	const focused = list.contains(document.activeElement) ? document.activeElement : null;
	if (!focused) return () => {};
	const index = [...list.children].findIndex((node) => node.contains(focused));
	const key = keyOf(list.children[index]);
	const place = [...list.children[index].querySelectorAll(FOCUSABLE)].indexOf(focused);
	return () => {
		if (focused === document.activeElement) return;
		const rows = [...list.children];
		const same = rows.find((node) => keyOf(node) === key);
		const row = same ?? rows[Math.min(index, rows.length - 1)];
		(list.contains(focused) ? focused : (same && row.querySelectorAll(FOCUSABLE)[place]) ?? row?.querySelector(FOCUSABLE) ?? fallback).focus({ preventScroll: true });
	};
}

/**
 * A list without pages has the limit null.
 * @param {{ path: string, query?: object, limit?: number|null, row: (item: object) => Node, key?: (item: object) => string, renew?: (node: Node, item: object) => void,
 *   drop?: (node: Node) => void, empty: Node|string, tag?: string, class?: string, more?: string, refused?: (error: object) => Node|null, shown?: () => void }} options
 * row makes the node of an item, renew brings one up to date that is there (without it a changed one is made anew), drop is called with one that goes.
 * refused says what stands there instead when the server does not give the list; shown is called when it is.
 */
export function paged({ path, query = {}, limit = 20, row, key = (item) => item.id, renew, drop = () => {}, empty, tag = 'ul', class: className = 'rows', more: words = 'Show more', refused = () => null, shown = () => {} }) {
	const list = el(tag, { class: className });
	const note = el('p', { class: className === 'feed' ? 'empty' : 'dim', hidden: true, tabindex: '-1' }, empty);
	const problem = el('div', {});
	const wait = el('p', { class: 'loading' }, 'Loading…');
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => older() }, words);
	const keys = new WeakMap(); // row -> key
	const known = new Map(); // key -> { node, text, item }: the rows, and what they show
	let next = null;
	let loading = null;
	let again = false;

	const nodeOf = (item) => {
		const id = key(item);
		const text = JSON.stringify(item);
		const old = known.get(id);
		if (old?.text === text) return old.node;
		if (old && renew) renew(old.node, item);
		const node = old && renew ? old.node : row(item);
		known.set(id, { node, text, item });
		keys.set(node, id);
		return node;
	};
	const count = () => { note.hidden = list.children.length > 0 || problem.children.length > 0 || !wait.hidden; };

	function merge(page) {
		const back = holdFocus(list, (node) => keys.get(node), note);
		// A page that ends with a row that is there says nothing about those behind it.
		const end = page.next ? [...list.children].indexOf(known.get(key(page.items.at(-1)))?.node) : -1;
		const far = end >= 0 ? [...list.children].slice(end + 1) : [];
		const nodes = page.items.map(nodeOf);
		nodes.push(...far.filter((node) => !nodes.includes(node)));
		for (const [id, { node }] of known) if (!nodes.includes(node)) known.delete(id);
		for (const node of [...list.children]) {
			if (nodes.includes(node)) continue;
			drop(node);
			node.remove();
		}
		nodes.forEach((node, i) => { if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null); });
		count();
		back();
		if (far.length === 0) next = page.next ?? null;
	}

	async function older() {
		if (more.getAttribute('aria-disabled') === 'true') return;
		more.setAttribute('aria-disabled', 'true');
		try {
			const page = await patient(() => roost.get(path, { ...query, limit, before: next }));
			const fresh = page.items.filter((item) => !known.has(key(item))).map(nodeOf);
			list.append(...fresh);
			next = page.next ?? null;
			problem.replaceChildren();
			fresh[0]?.querySelector(FOCUSABLE)?.focus({ preventScroll: true });
			shown();
		} catch (error) {
			problem.replaceChildren(failure(error, older));
		}
		more.removeAttribute('aria-disabled');
		more.hidden = next === null;
	}

	/** Reads it (again): as much as is shown. */
	function load() {
		again = true;
		loading ??= (async () => {
			while (again) {
				again = false;
				try {
					merge(await patient(() => roost.get(path, { ...query, limit: limit && Math.min(MOST, Math.max(limit, list.children.length)) })));
					problem.replaceChildren();
				} catch (error) {
					const words = error.status === 401 ? null : refused(error);
					if (words) {
						merge({ items: [] });
						problem.replaceChildren(words);
					} else if (error.status !== 401) problem.replaceChildren(failure(error, load));
				}
			}
			loading = null;
			wait.hidden = true;
			more.hidden = next === null;
			count();
			shown();
		})();
		return loading;
	}

	return { nodes: [problem, note, list, wait, more], list, load, count, rows: () => [...list.children], items: () => [...known.values()].map(({ item }) => item) };
}

/** A list below a heading; above: what stands between the two. */
export function section(heading, { above = [], ...options }) {
	const { nodes, ...rest } = paged(options);
	return { ...rest, node: el('section', { class: 'notice' }, el('h2', {}, heading), ...above, ...nodes) };
}

/** Reads something again when one comes back to the page, from another tab say; answers how to end that. */
export function onReturn(read) {
	const listen = () => { if (!document.hidden) read(); };
	document.addEventListener('visibilitychange', listen);
	return () => document.removeEventListener('visibilitychange', listen);
}
