// One's own safety: what moderators decided, whom and what one has blocked and muted, what one has reported.

import { accountLink, el, failure, nameOf, say, time, toast } from './dom.js';
import { ask } from './dialog.js';
import { makeForm } from './form.js';
import { roost } from './live.js';
import { patient } from './patience.js';
import { change, durationField, timed } from './safety.js';

const DECISIONS = {
	warn: 'You have been warned', label: 'A label was put on your post', hold: 'Your post waits for a moderator', release: 'Your post was let go', remove: 'Your post was removed',
	restore: 'Your post was restored', suspend: 'Your account was suspended', ban: 'Your account was banned', unsuspend: 'Your suspension has ended',
};
const words = (name) => name.charAt(0).toUpperCase() + name.slice(1).replace(/_/g, ' ');
const by = (account) => accountLink(account, el('bdi', { class: 'name' }, nameOf(account)), el('span', { class: 'dim' }, ` @${account.username}`));

// A list that is read page by page.
function section(heading, path, row, empty, ...more) {
	const list = el('ul', { class: 'rows' });
	const note = el('p', { class: 'dim', hidden: true }, empty);
	const problem = el('div', {});
	let next = null;
	const older = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => read(next) }, 'Show more');
	async function read(before) {
		try {
			const page = await patient(() => roost.get(path, { before }));
			if (before) list.append(...page.items.map(row));
			else list.replaceChildren(...page.items.map(row));
			next = page.next ?? null;
			problem.replaceChildren();
		} catch (error) {
			problem.replaceChildren(failure(error, () => read(before)));
		}
		older.hidden = next === null;
		note.hidden = list.children.length > 0 || problem.children.length > 0;
	}
	return { load: () => read(), node: el('section', { class: 'notice' }, el('h2', {}, heading), problem, ...more, note, list, older) };
}

const doing = (label, name, work) => {
	const button = el('button', { type: 'button', 'aria-label': `${label} ${name}`, onclick: async () => {
		button.disabled = true;
		await work().catch((error) => toast(error.message));
		button.disabled = false;
	} }, label);
	return button;
};

const WHO = [['everyone', 'Everyone'], ['followed', 'Those you follow, and friends']];

// What one shows of oneself, and who may write to one: four answers of the API in one form.
function privacySection() {
	const place = el('div', {});
	const read = () => Promise.all(['/users/me', '/presence/settings', '/messages/settings', '/me/search-settings'].map((path) => patient(() => roost.request('GET', path))));
	async function load() {
		try {
			const [account, { presence }, { read_receipts }, { posts_indexed, by_email }] = await read();
			const present = { is_private: account.is_private, message_policy: account.message_policy, presence, read_receipts, posts_indexed, by_email };
			const send = async (method, path, values, ...names) => {
				const changed = names.filter((name) => values[name] !== present[name]);
				if (changed.length > 0) await change(method, path, Object.fromEntries(changed.map((name) => [name, values[name]])));
				for (const name of changed) present[name] = values[name];
			};
			const form = makeForm({
				class: 'ask', prefix: 'privacy', button: 'Save', fields: [
					{ name: 'is_private', label: 'Private account: you decide who follows you', kind: 'checkbox', value: present.is_private },
					{ name: 'message_policy', label: 'Who may begin to write to you', kind: 'select', options: [...WHO, ['friends', 'Friends']], value: present.message_policy },
					{ name: 'presence', label: 'Who sees that you are online', kind: 'select', options: [...WHO, ['nobody', 'Nobody']], value: presence },
					{ name: 'read_receipts', label: 'Tell others what you have read, and be told', kind: 'checkbox', value: read_receipts },
					{ name: 'posts_indexed', label: 'Your posts can be found by searching', kind: 'checkbox', value: posts_indexed },
					{ name: 'by_email', label: 'Who knows your e-mail address can find you by it', kind: 'checkbox', value: by_email },
				],
				send: async (values) => {
					await send('PATCH', '/users/me', values, 'is_private', 'message_policy');
					await send('PUT', '/presence/settings', values, 'presence');
					await send('PUT', '/messages/settings', values, 'read_receipts');
					await send('PUT', '/me/search-settings', values, 'posts_indexed', 'by_email');
					toast('Your settings are saved.', { good: true });
				},
			});
			place.replaceChildren(form.node);
		} catch (error) {
			if (error.status !== 401) place.replaceChildren(failure(error, load));
		}
	}
	return { load, node: el('section', { class: 'notice' }, el('h2', {}, 'Privacy'), place) };
}

export function safetyView() {
	const appeal = async (strike) => {
		const done = await ask({
			title: 'Appeal', text: 'Somebody else looks at the decision again. You can do this once.', button: 'Send',
			fields: [{ name: 'text', label: 'Why it is wrong', kind: 'textarea', required: true, maxlength: 2000 }],
			send: (values) => change('POST', `/moderation/decisions/${strike.id}/appeal`, values),
		});
		if (!done) return;
		say('Your appeal has been sent.');
		await parts[0].load();
	};
	const strike = (one) => el('li', { 'data-strike': one.id },
		el('p', {}, el('strong', {}, DECISIONS[one.decision] ?? words(one.decision)), one.category && ` (${words(one.category)})`, ' · ', el('span', { class: 'dim' }, time(one.created_at)), one.reverted_at && ' · undone'),
		one.reason && el('p', { dir: 'auto' }, one.reason),
		one.until && el('p', {}, `Until ${new Date(one.until).toLocaleString()}`),
		one.subject_type === 'post' && el('p', {}, el('a', { href: `#/post/${one.subject_id}` }, 'The post')),
		one.appeal_status && el('p', {}, `Your appeal: ${{ open: 'not decided yet', upheld: 'the decision stands', overturned: 'the decision was undone' }[one.appeal_status]}`),
		one.can_appeal && doing('Appeal', `against: ${DECISIONS[one.decision] ?? one.decision}`, () => appeal(one)));

	const end = (path, place, sentence) => async () => {
		await change('POST', path);
		say(sentence);
		await parts[place].load();
	};
	const form = makeForm({
		class: 'ask inline', prefix: 'word', button: 'Mute', fields: [
			{ name: 'phrase', label: 'Word, phrase or #hashtag', maxlength: 100 }, durationField('How long'), { name: 'whole_word', label: 'Only as a whole word', kind: 'checkbox', value: true }],
		send: async (values) => {
			await change('POST', '/muted-words', timed(values));
			form.input('phrase').value = '';
			say('The word is muted.');
			await parts[3].load();
		},
	});
	const parts = [
		section('Decisions about you', '/moderation/decisions', strike, 'Moderators have decided nothing about you or your posts.'),
		section('Blocked', '/blocks', (one) => el('li', { class: 'row' }, by(one), doing('Unblock', `@${one.username}`, end(`/users/${one.id}/unblock`, 1, 'The block has ended.'))), 'You have blocked nobody.'),
		section('Muted', '/mutes', (one) => el('li', { class: 'row' }, by(one.account), one.expires_at && el('span', { class: 'dim' }, `until ${new Date(one.expires_at).toLocaleString()}`),
			doing('Unmute', `@${one.account.username}`, end(`/users/${one.account.id}/unmute`, 2, 'The mute has ended.'))), 'You have muted nobody.'),
		section('Muted words', '/muted-words', (one) => el('li', { class: 'row' }, el('bdi', {}, one.phrase), one.expires_at && el('span', { class: 'dim' }, `until ${new Date(one.expires_at).toLocaleString()}`),
			doing('Delete', one.phrase, async () => { await change('DELETE', `/muted-words/${one.id}`); say('The word is not muted any more.'); await parts[3].load(); })), 'You have muted no words.', form.node),
		section('Your reports', '/reports', (one) => el('li', {}, el('p', {}, one.account ? by(one.account) : 'Somebody', ` · ${one.subject_type} · ${words(one.category)} · `, el('span', { class: 'dim' }, time(one.created_at))),
			el('p', { class: 'dim' }, one.status === 'open' ? 'Not decided yet.' : one.outcome === 'action' ? 'Something was done about it.' : 'Nothing was found to be wrong.')), 'You have reported nothing.'),
	];
	const privacy = privacySection();
	return { title: 'Safety', node: el('div', { class: 'safety' }, ...[...parts.slice(0, -1), privacy, parts.at(-1)].map(({ node }) => node)), load: () => Promise.all([...parts, privacy].map((part) => part.load())) };
}
