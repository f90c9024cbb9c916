// Invitations to groups: making and revoking them, and what somebody sees who has one.

import { busy, el, failure, picture, plural, say, time } from './dom.js';
import { makeForm } from './form.js';
import { roost } from './live.js';

const ENDS = [['', 'Never'], ['3600', 'After an hour'], ['86400', 'After a day'], ['604800', 'After a week'], ['2592000', 'After 30 days']];

const linkOf = (code) => `${location.origin}/#/invite/${code}`;

const standing = ({ revoked_at: revoked, expires_at: expires, max_uses: max, uses }) => (revoked ? 'revoked'
	: expires && Date.parse(expires) <= Date.now() ? 'expired' : max !== null && uses >= max ? 'used up' : null);

/** The part of a group's details that has its invitations. */
export function invites(conversationId) {
	const list = el('ul', { class: 'rows' });
	const problem = el('div', {});
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => busy(more, () => read(next)) }, 'Show more');
	let next = null;
	const form = makeForm({
		prefix: 'invite', class: 'ask inline', button: 'Make a link', fields: [
			{ name: 'expires_in', label: 'It ends', kind: 'select', options: ENDS, value: '604800' }, { name: 'max_uses', label: 'For how many people', kind: 'number', min: 1, max: 100000, step: 1, hint: 'Empty: as many as there is room for.' }],
		send: async ({ expires_in: seconds, max_uses: max }) => {
			await roost.request('POST', `/conversations/${conversationId}/invites`, { ...(seconds ? { expires_in: Number(seconds) } : {}), ...(max ? { max_uses: max } : {}) });
			say('The link has been made.');
			await read();
		},
	});

	function row(invite) {
		const ended = standing(invite);
		const link = linkOf(invite.code);
		const copy = el('button', { type: 'button', onclick: () => busy(copy, async () => {
			await navigator.clipboard.writeText(link);
			say('The link has been copied.');
			copy.textContent = 'Copied';
		}) }, 'Copy');
		const revoke = el('button', { type: 'button', onclick: () => busy(revoke, async () => {
			await roost.request('DELETE', `/conversations/${conversationId}/invites/${invite.code}`);
			say('The link is not good any more.');
			await read();
		}) }, 'Revoke');
		return el('li', {}, ended ? el('p', { class: 'dim' }, el('s', {}, link), ` · ${ended}`) : el('p', {}, el('a', { href: link, class: 'invite-link' }, link)),
			el('p', { class: 'dim' }, `${plural(invite.uses, 'person', 'people')} joined by it`, invite.max_uses !== null && ` of at most ${invite.max_uses}`,
				!ended && invite.expires_at && ` · until ${new Date(invite.expires_at).toLocaleString()}`, ' · made ', time(invite.created_at)),
			!ended && el('div', { class: 'row' }, navigator.clipboard && copy, revoke));
	}

	async function read(before) {
		try {
			const page = await roost.get(`/conversations/${conversationId}/invites`, { limit: 20, before });
			if (before) list.append(...page.items.map(row));
			else list.replaceChildren(...page.items.map(row));
			next = page.next;
			problem.replaceChildren();
		} catch (error) {
			problem.replaceChildren(failure(error, () => read(before)));
		}
		more.hidden = next === null;
	}
	return { node: el('div', {}, el('h2', {}, 'Invitation links'), form.node, problem, list, more), load: () => read() };
}

export function inviteView(code) {
	const node = el('div', {});
	const view = {
		title: 'Invitation', node,
		async load() {
			try {
				const invite = await roost.request('GET', `/invites/${encodeURIComponent(code)}`);
				const title = invite.title || 'Group';
				const join = el('button', { type: 'button', class: 'primary', onclick: async () => {
					join.disabled = true;
					problem.replaceChildren();
					try {
						const { id } = await roost.request('POST', `/invites/${encodeURIComponent(code)}/join`);
						location.hash = `#/messages/${id}`;
					} catch (error) {
						problem.replaceChildren(failure(error));
					}
					join.disabled = false;
				} }, 'Join');
				const problem = el('div', {});
				view.setTitle?.(title);
				node.replaceChildren(el('div', { class: 'notice' }, el('div', { class: 'row' }, picture(title, invite.conversation_id ?? '0', { class: 'avatar large' }), el('p', {}, 'You are invited to this group: ', plural(invite.member_count, 'member'), '.')),
					invite.description && el('p', { class: 'text', dir: 'auto' }, invite.description), problem, el('p', { class: 'row' }, join)));
			} catch (error) {
				const words = { 404: 'There is no such invitation.', 410: 'This invitation has ended: it was revoked, it has expired, or as many as it was for have joined.', 422: 'There is no such invitation.' }[error.status];
				node.replaceChildren(words ? el('p', { class: 'empty' }, words) : failure(error, () => view.load()));
			}
		},
	};
	return view;
}
