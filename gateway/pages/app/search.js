// Searching: posts, accounts and hashtags that a text finds.

import { accountLink, avatar, byId, el, failure, nameOf, plural, say } from './dom.js';
import { roost, showOnline, unwatch } from './live.js';
import { patient } from './patience.js';
import { postCard } from './post.js';

/** Makes the box in the head of the page do something. */
export function startSearch() {
	byId('search').addEventListener('submit', (event) => {
		event.preventDefault();
		const text = byId('q').value.trim();
		if (text) location.hash = `#/search/${encodeURIComponent(text)}`;
	});
}

export function searchView(text) {
	const posts = el('div', { class: 'feed' });
	const others = el('div', {});
	const problem = el('div', {});
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => read(next) }, 'Show more posts');
	let next = null;

	async function read(before) {
		try {
			// Pages exist where one kind is looked for.
			const found = await patient(() => roost.get('/search', { q: text, type: 'posts', limit: 20, before }));
			posts.append(...found.posts.filter((post) => !posts.querySelector(`[data-post="${CSS.escape(post.id)}"]`)).map((post) => postCard(post)));
			next = found.next;
			problem.replaceChildren();
			if (!before && found.posts.length === 0) problem.replaceChildren(el('p', { class: 'empty' }, 'No posts.'));
			say(plural(posts.children.length, 'post'));
		} catch (error) {
			problem.replaceChildren(failure(error, () => read(before)));
		}
		more.hidden = next === null;
	}

	async function readOthers() {
		const [{ accounts }, { hashtags }] = await Promise.all(['accounts', 'hashtags'].map((type) => patient(() => roost.get('/search', { q: text, type, limit: 5 }))));
		others.replaceChildren(...[
			accounts?.length > 0 && el('section', { class: 'notice' }, el('h2', {}, 'Accounts'), el('ul', { class: 'people' }, accounts.map((account) => el('li', {},
				avatar(account), el('div', {}, accountLink(account, el('bdi', { class: 'name' }, nameOf(account))), el('p', { class: 'dim' }, `@${account.username}`)))))),
			hashtags?.length > 0 && el('section', { class: 'notice' }, el('h2', {}, 'Hashtags'), el('ul', { class: 'trends' }, hashtags.map(({ hashtag }) => el('li', {},
				el('a', { href: `#/tag/${encodeURIComponent(hashtag)}`, dir: 'auto' }, `#${hashtag}`))))),
		].filter(Boolean));
		showOnline(others);
	}

	byId('q').value = text;
	return {
		title: `Search: ${text}`,
		node: el('div', {}, others, problem, posts, more),
		async load() {
			unwatch(posts);
			posts.replaceChildren();
			await Promise.all([read(), readOthers().catch(() => others.replaceChildren())]); // what is wrong stands where the posts are
		},
		close: () => unwatch(posts),
	};
}
