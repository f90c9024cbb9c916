// Who is typing on a channel: a line that says so.

import { el, nameOf, plural } from './dom.js';
import { me } from './live.js';

const ENDS = 4_500; // the server says that it has ended after 3.5 seconds; this is for who was away then

/** verb: what they are doing. Takes events of the stream; stopped(accountId) ends it when what was typed has come. */
export function typists(channel, verb) {
	const node = el('p', { class: 'typing dim', 'aria-live': 'polite' });
	const all = new Map(); // account id -> [account, timer]

	const show = () => {
		const names = [...all.values()].map(([account]) => nameOf(account));
		node.textContent = names.length === 0 ? '' : names.length === 1 ? `${names[0]} is ${verb}…` : `${names[0]} and ${plural(names.length - 1, 'other')} are ${verb}…`;
	};
	const stopped = (accountId) => {
		clearTimeout(all.get(accountId)?.[1]);
		all.delete(accountId);
		show();
	};
	return {
		node, stopped,
		event(event, data) {
			if (data?.channel !== channel) return;
			if (event === 'typing:start' && data.account.id !== me?.id) {
				clearTimeout(all.get(data.account.id)?.[1]);
				all.set(data.account.id, [data.account, setTimeout(() => stopped(data.account.id), ENDS)]);
				show();
			} else if (event === 'typing:stop') stopped(data.account.id);
		},
		close: () => { for (const accountId of [...all.keys()]) stopped(accountId); },
	};
}
