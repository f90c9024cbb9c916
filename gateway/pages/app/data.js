// Taking everything along, and leaving.

import { ask } from './dialog.js';
import { el, explain, say, toast } from './dom.js';
import { save } from './export.js';
import { me, roost } from './live.js';
import { change } from './safety.js';

function exportSection() {
	const problem = el('p', { class: 'problem', role: 'alert' });
	const word = el('p', { role: 'status' });
	const button = el('button', { type: 'button', onclick: async () => {
		if (button.getAttribute('aria-disabled') === 'true') return;
		button.setAttribute('aria-disabled', 'true');
		problem.textContent = '';
		word.textContent = 'It is being put together…';
		try {
			const all = await roost.request('GET', '/users/me/export');
			save(`${me.username}.json`, JSON.stringify(all, null, '\t'));
			word.textContent = 'It is saved among your downloads.';
		} catch (error) {
			word.textContent = '';
			if (error.status !== 401) problem.textContent = explain(error);
		}
		button.removeAttribute('aria-disabled');
	} }, 'Download a copy');
	return el('section', { class: 'notice' }, el('h2', {}, 'A copy of everything'),
		el('p', {}, 'Your profile, posts, messages, friends, settings, sessions and what else is held of you, as one file of JSON. You can ask for it twice a day.'),
		problem, word, el('p', { class: 'row' }, button));
}

function deleteSection() {
	const leave = () => ask({
		title: 'Delete your account', danger: true, button: 'Delete for good',
		text: `All of @${me.username} goes: posts, messages, friends, lists. Nobody can bring it back.`,
		fields: [{ name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password' }],
		send: async ({ password }) => {
			await change('DELETE', '/users/me', { password });
			location.hash = '#/';
			if (me) roost.forget('logout'); // unless the stream has heard of it before
			toast('Your account is deleted.', { good: true });
			say('Your account is deleted.');
			return true;
		},
	});
	return el('section', { class: 'notice' }, el('h2', {}, 'Delete the account'),
		el('p', {}, 'Everything that belongs to it goes at once and for good; its user name rests for a while. You may want a copy first.'),
		el('p', { class: 'row' }, el('button', { type: 'button', class: 'danger', onclick: leave }, 'Delete the account…')));
}

export const dataView = () => ({ title: 'Your data', node: el('div', {}, exportSection(), deleteSection()) });
