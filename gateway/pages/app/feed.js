// A list of posts, newest first: pages of older ones below, new ones on top.
// Posts that arrive while one reads further down wait behind a button.

import { el, failure, newer, plural, say } from './dom.js';
import { roost, unwatch } from './live.js';
import { postCard, shown } from './post.js';

const PAGE = 20;

/**
 * @param {{ path: string, query?: object, empty: Node|string, accepts: (event: object) => boolean }} options
 * accepts says of an event with a post whether the list has it.
 */
export function feed({ path, query = {}, empty, accepts }) {
	const list = el('div', { class: 'feed' });
	const bar = el('button', { type: 'button', class: 'bar', hidden: true, onclick: () => { flush(); list.firstElementChild?.querySelector('a')?.focus({ preventScroll: true }); scrollTo({ top: 0 }); } });
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: older }, 'Show older posts');
	const note = el('div', { class: 'empty', hidden: true }, empty);
	const wait = el('p', { class: 'loading' }, 'Loading…');
	const node = el('div', {}, bar, list, note, wait, more);
	const waiting = new Map(); // entry id -> post
	let next = null;
	let loading = null;
	let again = false;

	const entries = () => [...list.children];
	const has = (post) => waiting.has(post.id) || entries().some((card) => card.dataset.entry === post.id || card.dataset.post === shown(post).id);

	function showCounts() {
		note.hidden = list.children.length > 0 || waiting.size > 0 || loading !== null;
		bar.hidden = waiting.size === 0;
		bar.textContent = `${plural(waiting.size, 'new post')}`;
	}

	// Puts a post where its id belongs.
	function insert(post) {
		const below = entries().find((card) => newer(post.id, card.dataset.entry)) ?? null;
		list.insertBefore(postCard(post), below);
	}

	function flush() {
		for (const post of waiting.values()) insert(post);
		waiting.clear();
		showCounts();
	}

	function arrive(post, own = false) {
		if (has(post)) return;
		const atTop = scrollY < 40 && !document.hidden && !list.contains(document.activeElement);
		if (own || (atTop && waiting.size === 0)) insert(post);
		else waiting.set(post.id, post);
		say(own ? '' : plural(Math.max(1, waiting.size), 'new post'));
		showCounts();
	}

	const read = (before) => roost.get(path, { ...query, limit: PAGE, before });

	async function older() {
		more.disabled = true;
		try {
			const page = await read(next);
			const last = list.lastElementChild;
			for (const post of page.items) if (!has(post)) list.append(postCard(post));
			next = page.next;
			(last?.nextElementSibling ?? list.lastElementChild)?.querySelector('a')?.focus({ preventScroll: true });
		} catch (error) {
			more.before(failure(error));
		}
		more.disabled = false;
		more.hidden = next === null;
	}

	// Brings what is shown in line with the newest page: after the first reading, or when events may have been missed.
	function merge(page) {
		const known = entries();
		const ids = new Set(page.items.map((post) => post.id));
		const end = page.next === null ? '0' : page.items.at(-1).id;
		if (known.length > 0 && !known.some((card) => ids.has(card.dataset.entry))) {
			unwatch(list);
			list.replaceChildren();
			waiting.clear();
		}
		for (const card of entries()) {
			const gone = !newer(end, card.dataset.entry) && !ids.has(card.dataset.entry) && !page.items.some((post) => shown(post).id === card.dataset.post);
			if (gone) {
				unwatch({ querySelectorAll: () => [card] });
				card.remove();
			}
		}
		const fresh = list.children.length === 0;
		for (const post of [...page.items].reverse()) {
			const card = entries().find((one) => one.dataset.post === shown(post).id);
			if (card) card.change({ ...shown(post) });
			else if (fresh || !newer(post.id, list.firstElementChild?.dataset.entry ?? '0')) insert(post);
			else arrive(post);
		}
		if (fresh) {
			next = page.next;
			more.hidden = next === null;
		}
	}

	/** Reads the newest page (again). */
	function load() {
		if (loading) {
			again = true;
			return loading;
		}
		loading = (async () => {
			node.setAttribute('aria-busy', 'true');
			try {
				do {
					again = false;
					merge(await read());
				} while (again);
				node.querySelector('.error')?.remove();
			} catch (error) {
				node.querySelector('.error')?.remove();
				if (error.status !== 401) wait.after(failure(error, () => load()));
			}
			loading = null;
			wait.hidden = true;
			node.removeAttribute('aria-busy');
			showCounts();
		})();
		return loading;
	}

	/** Takes an event of the stream. */
	function event(event) {
		const post = event.data?.post;
		if (post && accepts(event)) arrive(post);
		if (event.event === 'tweet:deleted') {
			for (const [id, one] of waiting) if (id === event.data.post_id || shown(one).id === event.data.post_id) waiting.delete(id);
			queueMicrotask(showCounts);
		}
	}

	return { node, load, event, arrive, close: () => unwatch(list) };
}
