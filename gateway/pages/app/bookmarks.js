// The posts that one has kept, and those that one likes. Nobody else sees these lists.

import { el } from './dom.js';
import { bus, unwatch } from './live.js';
import { paged } from './paged.js';
import { postCard, shown } from './post.js';

const LISTS = {
	bookmarks: ['Bookmarks', '/bookmarks', 'You have kept nothing yet. The bookmark below a post keeps it here.'],
	likes: ['Likes', '/likes', 'You have liked nothing yet.'],
};

export function keptView(name) {
	const [title, path, empty] = LISTS[name];
	const drop = (card) => unwatch({ querySelectorAll: () => [card] });
	const list = paged({
		path, empty, tag: 'div', class: 'feed', more: 'Show older ones', drop, key: (post) => shown(post).id,
		row: (post) => postCard(post), renew: (card, post) => card.change({ ...shown(post) }),
	});
	const tabs = el('nav', { class: 'tabs', 'aria-label': 'What you have kept' }, Object.entries(LISTS).map(([one, [label]]) => el('a', { href: `#/${one}`, 'aria-current': one === name ? 'page' : null }, label)));
	const recount = () => queueMicrotask(list.count);
	// What one takes back here stays until one comes again: it may have been a slip.
	const ends = [bus.on('tweet:deleted', recount), bus.on('unwanted', recount)];
	return {
		title, load: list.load, node: el('div', {}, tabs, ...list.nodes),
		close() {
			unwatch(list.list);
			for (const end of ends) end();
		},
	};
}
