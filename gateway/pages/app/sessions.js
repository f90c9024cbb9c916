// Where one is logged in, the devices that are remembered, and what has happened to the account.

import { ask } from './dialog.js';
import { busy, el, plural, say, time } from './dom.js';
import { roost } from './live.js';
import { onReturn, section } from './paged.js';
import { patient } from './patience.js';
import { doing } from './setting.js';

const KINDS = {
	registered: 'The account was made', login: 'Logged in', login_failed: 'Somebody tried to log in and failed', locked: 'Logging in was locked for a while', session_ended: 'A session ended',
	password_changed: 'The password was changed', email_changed: 'The e-mail address was changed', email_verified: 'The e-mail address was confirmed', username_changed: 'The user name was changed',
	role_changed: 'The role was changed', status_changed: 'The account was suspended, or let go', verification_changed: 'The mark of a verified account was changed',
	keys_linked: 'A device with keys of its own was linked', keys_changed: 'A device changed its keys', keys_unlinked: 'A device with keys of its own was unlinked',
};
const HOW = {
	'roost.auth_logout': 'by logging out', 'roost.auth_logout_all': 'by logging out everywhere', 'roost.session_delete': 'from another session', 'roost.device_delete': 'with its device',
	'roost.session_create': 'by a new login', 'roost.auth_change_password': 'with the password', 'roost.auth_reset_password': 'with the password', 'the password': 'with the password', 'refresh token used twice': 'because its token was used twice',
};

const nameOfDevice = ({ device_name: name, user_agent: agent }) => name || agent || 'A device without a name';

function event({ kind, at, by, device_name: device, detail }) {
	const more = [
		device, kind === 'login_failed' && detail?.count > 1 && `${detail.count} times`, kind === 'session_ended' && HOW[detail?.how],
		kind === 'locked' && detail?.until && `until ${new Date(detail.until).toLocaleString()}`, detail?.old && detail?.new && `${detail.old} → ${detail.new}`, by === 'other' && 'by somebody else',
	].filter(Boolean);
	return el('li', {}, el('p', {}, KINDS[kind] ?? kind, more.length > 0 && el('span', { class: 'dim', dir: 'auto' }, ` · ${more.join(' · ')}`)), el('p', { class: 'dim' }, time(at)));
}

export function sessionsView() {
	const others = () => sessions.items().filter(({ current }) => !current);
	// One that has ended by itself is no failure.
	const end = (id) => patient(() => roost.request('DELETE', `/sessions/${id}`)).catch((error) => { if (error.status !== 404) throw error; });

	const all = el('button', { type: 'button', class: 'danger', hidden: true, onclick: async () => {
		const count = others().length;
		const done = await ask({
			title: 'Log out everywhere else', danger: true, button: 'Log out', text: `${plural(count, 'other session')} will end at once. Here you stay logged in.`,
			send: async () => {
				for (const { id } of others()) await end(id);
				return true;
			},
		});
		await load();
		if (done) say('You are logged in only here.');
		if (all.hidden) sessions.list.querySelector('button')?.focus();
	} }, 'Log out everywhere else');

	function row(session) {
		const { id, current, platform, address, created_at: since, last_used_at: used } = session;
		const name = nameOfDevice(session);
		const leave = el('button', { type: 'button', 'aria-label': 'Log out here', onclick: () => busy(leave, () => roost.logout()) }, 'Log out');
		return el('li', { class: 'row', 'data-session': id },
			el('div', {}, el('p', {}, el('strong', { dir: 'auto' }, name), current && [' ', el('span', { class: 'label' }, 'This session')]),
				el('p', { class: 'dim' }, [platform, address].filter(Boolean).join(' · '), (platform || address) && ' · ', 'used ', time(used), ' · logged in ', time(since))),
			current ? leave : doing('Log out', `${name}${address ? `, ${address}` : ''}`, async () => {
				await end(id);
				say(`${name} is logged out.`);
				await load();
			}));
	}
	const sessions = section('Where you are logged in', {
		path: '/sessions', limit: null, row, empty: 'Nowhere.', shown: () => {
			all.hidden = others().length === 0;
			showIdle();
		},
	});
	const devices = section('Devices that are remembered', {
		path: '/devices', limit: null, empty: '', above: [el('p', { class: 'dim' }, 'They were logged in, and would be the same device again.')],
		row: (device) => el('li', { class: 'row', 'data-device': device.id }, el('div', {}, el('p', {}, el('strong', { dir: 'auto' }, device.name || 'A device without a name')), el('p', { class: 'dim' }, device.platform, device.platform && ' · ', 'seen ', time(device.last_seen_at))),
			doing('Forget', device.name, async () => {
				await roost.request('DELETE', `/devices/${device.id}`);
				say(`${device.name} is forgotten.`);
				await load();
			})),
		shown: () => showIdle(),
	});
	devices.node.hidden = true;
	// A device that is logged in stands among the sessions.
	function showIdle() {
		const used = new Set(sessions.items().map(({ device_id: id }) => id));
		for (const node of devices.rows()) node.hidden = used.has(node.dataset.device);
		devices.node.hidden = devices.rows().every((node) => node.hidden);
	}
	const events = section('What has happened to your account', { path: '/me/security-events', row: event, empty: 'Nothing.', key: ({ id }) => String(id) });
	sessions.node.append(el('p', { class: 'row' }, all));

	const load = () => Promise.all([sessions.load(), devices.load()]);
	return {
		title: 'Sessions', load: () => Promise.all([load(), events.load()]), close: onReturn(load),
		node: el('div', {}, el('p', { class: 'dim lead' }, 'Is there one that you do not know? Log it out, and ', el('a', { href: '#/settings/account' }, 'change your password'), '.'), sessions.node, devices.node, events.node),
	};
}
