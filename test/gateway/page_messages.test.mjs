// Messages, groups and friends on the page at /: people who write to each other, two pages of one of them that stay in
// step, and connections that come and go.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { axe, close, enter, launch, live, open, skip } from './browser.mjs';
import { identity, published } from './keys.mjs';
import { account, call, freePort, liftLimits, startGateway, until } from './lib.mjs';

let gateway;

before(async () => {
	if (skip) return;
	liftLimits();
	gateway = await startGateway();
	await launch(gateway);
});

after(async () => {
	await close().finally(() => gateway?.stop());
});

const as = async (who, method, path, body, at = gateway) => {
	const { status, json, text } = await call(at, method, path, { token: who.token, body });
	assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
	return json;
};
const write = (who, to, text, at) => as(who, 'POST', '/messages', { ...to, text }, at);

const say = async (page, text) => {
	await page.getByLabel('Message', { exact: true }).fill(text);
	await page.keyboard.press('Control+Enter');
};
const bubble = (page, text) => page.locator('.message', { hasText: text });
const state = (page, text, words) => bubble(page, text).locator('.state-of', { hasText: words }).waitFor();
const menu = async (page, text, name) => {
	await bubble(page, text).locator('summary').click();
	await bubble(page, text).getByRole('button', { name, exact: true }).click();
};

test('two people: written, typed, delivered, read, answered, reacted to, changed and deleted', { skip }, async () => {
	const [ann, bob] = await Promise.all(['talk_ann', 'talk_bob'].map((name) => account(gateway, name)));
	const hers = await enter(ann, `#/@${bob.username}`);
	await hers.locator('.profile').getByRole('button', { name: /^Message/ }).click();
	await hers.getByText('Nothing has been written here yet.').waitFor();
	await say(hers, 'hello bob');
	await state(hers, 'hello bob', 'Sent');

	const his = await enter(bob, '#/public');
	await his.locator('nav').getByRole('link', { name: /Messages 1 unread/ }).waitFor();
	await until(async () => /^\(1\) /.test(await his.title()), 'the number in the title');
	await state(hers, 'hello bob', 'Delivered');
	await his.locator('nav').getByRole('link', { name: /Messages/ }).click();
	await his.locator('.talks li.unread', { hasText: 'hello bob' }).getByRole('link').click();
	await bubble(his, 'hello bob').waitFor();
	await state(hers, 'hello bob', 'Read');
	await his.locator('nav .badge').waitFor({ state: 'detached' });

	await Promise.all([hers.getByText(`${bob.username} is writing…`).waitFor(), his.getByLabel('Message', { exact: true }).pressSequentially('hi')]);
	await his.getByLabel('Message', { exact: true }).fill('');
	await menu(his, 'hello bob', 'Reply');
	await his.getByText('Answering').waitFor();
	await say(his, 'good morning');
	await hers.getByText(`${bob.username} is writing…`).waitFor({ state: 'detached' });
	await bubble(hers, 'good morning').locator('.quote', { hasText: 'hello bob' }).waitFor();

	await menu(hers, 'good morning', '👍');
	await bubble(his, 'good morning').getByRole('button', { name: '👍 1', pressed: false }).waitFor();
	await bubble(hers, 'good morning').getByRole('button', { name: /^👍 1/, pressed: true }).waitFor();
	await bubble(his, 'good morning').getByRole('button', { name: '👍 1' }).click();
	await bubble(hers, 'good morning').getByRole('button', { name: /^👍 2/, pressed: true }).click();
	await bubble(his, 'good morning').getByRole('button', { name: /^👍 1/, pressed: true }).waitFor();

	await menu(his, 'good morning', 'Edit');
	assert.equal(await his.getByLabel('Message', { exact: true }).inputValue(), 'good morning');
	await say(his, 'good evening');
	await bubble(hers, 'good evening').getByText('edited').waitFor();
	await menu(his, 'good evening', 'Delete for everyone');
	await his.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	for (const page of [hers, his]) await bubble(page, 'Message deleted').waitFor();
	await menu(his, 'hello bob', 'Delete for me');
	await his.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await bubble(his, 'hello bob').waitFor({ state: 'detached' });
	assert.equal(await bubble(hers, 'hello bob').count(), 1);

	await say(hers, 'something rude');
	await menu(his, 'something rude', 'Report');
	await his.getByLabel('What is wrong').selectOption({ index: 1 });
	await his.getByRole('dialog').getByRole('button', { name: 'Report' }).click();
	await until(async () => /report has been sent/.test(await his.locator('#say').textContent()), 'the word about the report');
});

test('two pages of one account stay in step', { skip }, async () => {
	const [ann, bob] = await Promise.all(['step_ann', 'step_bob'].map((name) => account(gateway, name)));
	const { conversation_id: id } = await write(ann, { recipient_id: bob.id }, 'first');
	const one = await enter(ann, `#/messages/${id}`);
	const two = await enter(ann, `#/messages/${id}`);
	await say(one, 'from one');
	await bubble(two, 'from one').waitFor();
	await say(two, 'from two');
	await bubble(one, 'from two').waitFor();
	await state(one, 'from one', 'Sent');
	await as(bob, 'POST', `/conversations/${id}/read`, {});
	for (const page of [one, two]) for (const text of ['from one', 'from two']) await state(page, text, 'Read');
	await menu(one, 'from two', '❤️');
	await bubble(two, 'from two').getByRole('button', { name: /^❤️ 1/, pressed: true }).waitFor();
	for (const page of [one, two]) assert.deepEqual(await page.locator('.message .text').allTextContents(), ['first', 'from one', 'from two']);

	// What one page has read is not unread on the other one.
	await two.goto(`${gateway.url}/#/public`);
	await one.goto(`${gateway.url}/#/public`);
	await write(bob, { conversation_id: id }, 'are you there?');
	for (const page of [one, two]) await page.locator('nav').getByRole('link', { name: /Messages 1 unread/ }).waitFor();
	await one.goto(`${gateway.url}/#/messages/${id}`);
	await bubble(one, 'are you there?').waitFor();
	for (const page of [one, two]) await page.locator('nav .badge').waitFor({ state: 'detached' });

	await one.goto(`${gateway.url}/#/messages`);
	await two.goto(`${gateway.url}/#/messages/${id}`);
	await two.locator('.talk-head summary').click();
	await two.locator('.talk-head').getByRole('button', { name: 'Archive' }).click();
	await one.getByText('No conversations yet.').waitFor();
	await one.getByRole('button', { name: 'Archive', pressed: false }).click();
	await one.locator('.talks li', { hasText: 'are you there?' }).waitFor();
	await write(bob, { conversation_id: id }, 'back again'); // brings it back
	await one.getByText('Nothing is in the archive.').waitFor();
	await one.getByRole('button', { name: 'Archive', pressed: true }).click();
	await one.locator('.talks li', { hasText: 'back again' }).waitFor();
});

test('the history comes page by page, and one is where one was', { skip }, async () => {
	const [ann, bob] = await Promise.all(['long_ann', 'long_bob'].map((name) => account(gateway, name)));
	let id;
	for (let i = 1; i <= 90; i++) ({ conversation_id: id } = await write(i % 2 ? ann : bob, { recipient_id: i % 2 ? bob.id : ann.id }, `message ${i}.`));
	const page = await enter(ann, `#/messages/${id}`);
	await bubble(page, 'message 90.').waitFor();
	assert.equal(await bubble(page, 'message 50.').count(), 0);
	// (a click of the mouse would scroll there first, and so bring them by itself)
	await page.getByRole('button', { name: 'Show older messages' }).dispatchEvent('click');
	await bubble(page, 'message 11.').waitFor();
	await page.locator('.log').evaluate((log) => { log.scrollTop = 0; });
	await bubble(page, 'message 1.').waitFor();
	await page.getByRole('button', { name: 'Show older messages' }).waitFor({ state: 'hidden' });
	assert.deepEqual(await page.locator('.message .text').allTextContents(), Array.from({ length: 90 }, (_, i) => `message ${i + 1}.`));
	await page.locator('.log').evaluate((log) => { log.scrollTop = 200; });
	await write(bob, { conversation_id: id }, 'below');
	await page.getByRole('button', { name: 'New messages below' }).click();
	await bubble(page, 'below').waitFor();
	await until(() => page.locator('.log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 5), 'the end of the log');
});

test('what cannot be sent is kept, and sent once', { skip }, async (t) => {
	const [ann, bob] = await Promise.all(['box_ann', 'box_bob'].map((name) => account(gateway, name)));
	const { conversation_id: id } = await write(bob, { recipient_id: ann.id }, 'write to me');
	const port = await freePort();
	let own = await startGateway({ port });
	t.after(async () => { if (!own.ended) await own.stop(); });
	const page = await enter(ann, `#/messages/${id}`, { at: own.url, expected: /./ });
	await bubble(page, 'write to me').waitFor();
	// The server has it, and its answer is lost.
	await page.route('**/api/v1/messages', async (route) => {
		await route.fetch();
		await route.abort();
	}, { times: 1 });
	await say(page, 'twice');
	await bubble(page, 'twice').waitFor();
	await until(async () => (await as(bob, 'GET', `/conversations/${id}/messages`)).items.some(({ text }) => text === 'twice'), 'the message');
	await state(page, 'twice', 'Sent');
	assert.equal(await bubble(page, 'twice').count(), 1);

	await own.stop();
	await page.locator('#state[data-state=reconnecting]').waitFor();
	await say(page, 'while it is away');
	await state(page, 'while it is away', 'Not sent');
	await write(bob, { conversation_id: id }, 'meanwhile');
	await page.goto(`${own.url}/#/public`);
	await page.goto(`${own.url}/#/messages/${id}`);
	own = await startGateway({ port });
	await bubble(page, 'meanwhile').waitFor({ timeout: 120000 });
	await state(page, 'while it is away', 'Sent');
	assert.equal(await bubble(page, 'while it is away').count(), 1);
	assert.deepEqual((await as(bob, 'GET', `/conversations/${id}/messages`)).items.map(({ text }) => text), ['while it is away', 'meanwhile', 'twice', 'write to me']);
	await page.context().close();
});

test('a refusal says why, and what was written is still there', { skip }, async () => {
	const [ann, bob] = await Promise.all(['no_ann', 'no_bob'].map((name) => account(gateway, name)));
	const { conversation_id: id } = await write(ann, { recipient_id: bob.id }, 'hello');
	const page = await enter(ann, `#/messages/${id}`, { expected: /403/ });
	await bubble(page, 'hello').waitFor();
	await as(bob, 'POST', `/users/${ann.id}/block`, {});
	await say(page, 'one more');
	await state(page, 'one more', 'Not sent');
	await bubble(page, 'one more').getByRole('alert').filter({ hasText: /\w/ }).waitFor();
	await as(bob, 'POST', `/users/${ann.id}/unblock`, {});
	await bubble(page, 'one more').getByRole('button', { name: 'Try again' }).click();
	await state(page, 'one more', 'Sent');
	await as(bob, 'POST', `/users/${ann.id}/block`, {});
	await say(page, 'no more');
	await bubble(page, 'no more').getByRole('button', { name: 'Discard' }).click();
	await bubble(page, 'no more').waitFor({ state: 'detached' });
	await page.reload();
	await page.getByText('You cannot write here.').waitFor();
});

test('a group: made, joined by an invitation, with roles, left', { skip }, async () => {
	const [ann, bob] = await Promise.all(['grp_ann', 'grp_bob'].map((name) => account(gateway, name)));
	await as(ann, 'POST', `/users/${bob.id}/follow`, {});
	const hers = await enter(ann, '#/messages/new');
	await hers.getByLabel('Title').fill('Walks');
	await hers.getByLabel(new RegExp(bob.username)).check();
	await hers.getByText('1 person chosen').waitFor();
	await hers.getByLabel('Messages disappear after').selectOption('A day');
	await hers.getByRole('button', { name: 'Create' }).click();
	await hers.getByRole('heading', { name: 'Walks' }).waitFor();
	await say(hers, 'who comes?');
	await state(hers, 'who comes?', 'Sent');
	// Who leaves, or is removed, may be reading what is not there any more for it.
	const his = await enter(bob, '#/messages', { expected: /404/ });
	await his.locator('.talks li', { hasText: 'Walks' }).getByRole('link').click();
	await bubble(his, 'who comes?').waitFor();
	await state(hers, 'who comes?', 'Read');

	await hers.locator('.talk-head').getByRole('link', { name: 'Details' }).click();
	await hers.locator('.members li', { hasText: bob.username }).locator('summary').click();
	await hers.locator('.members li', { hasText: bob.username }).getByRole('button', { name: 'Make admin' }).click();
	await bubble(his, 'made you an admin').waitFor();
	await hers.getByRole('button', { name: 'Make a link' }).click();
	const link = await hers.locator('.invite-link').textContent();

	// Somebody without an account follows the link, registers, and is where it leads.
	const third = await open('/', { expected: /40[14]/ });
	await third.goto(link);
	await third.getByRole('heading', { name: 'Log in' }).waitFor();
	await third.locator('main').getByRole('link', { name: 'No account yet?' }).click();
	const name = `cat_${process.pid.toString(36)}`;
	await third.getByLabel('User name').fill(name);
	await third.getByLabel('E-mail address').fill(`${name}@example.org`);
	await third.getByLabel('Password').fill(`a fine password ${name}`);
	await third.locator('main form').getByRole('button', { name: 'Register' }).click();
	await third.getByText('You are invited to this group: 2 members.').waitFor();
	await third.getByRole('button', { name: 'Join' }).click();
	await bubble(his, `${name} joined by an invitation`).waitFor();
	await bubble(third, 'You joined by an invitation').waitFor();
	assert.equal(await bubble(third, 'who comes?').count(), 0);
	await say(third, 'me too');
	await bubble(his, 'me too').locator('.by', { hasText: name }).waitFor();
	await hers.locator('.members li', { hasText: name }).waitFor();
	await hers.getByText('1 person joined by it').waitFor();
	await hers.getByRole('button', { name: 'Revoke' }).click();
	await hers.getByText('revoked').waitFor();

	await hers.getByRole('button', { name: 'Change', exact: true }).click();
	await hers.getByRole('dialog').getByLabel('Title').fill('Long walks');
	await hers.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
	for (const page of [hers, his, third]) await page.getByRole('heading', { name: 'Long walks' }).waitFor();
	await hers.locator('.members li', { hasText: name }).locator('summary').click();
	await hers.locator('.members li', { hasText: name }).getByRole('button', { name: 'Remove' }).click();
	await hers.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
	await third.getByText('you are not in it').waitFor();
	await his.locator('.talk-head summary').click();
	await his.locator('.talk-head').getByRole('button', { name: 'Leave' }).click();
	await his.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
	await his.getByText('No conversations yet.').waitFor();
	await hers.locator('.members li', { hasText: bob.username }).waitFor({ state: 'detached' });
});

test('friends: asked, accepted from the notification, online, ended', { skip }, async () => {
	const [ann, bob] = await Promise.all(['fr_ann', 'fr_bob'].map((name) => account(gateway, name)));
	const hers = await enter(ann, `#/@${bob.username}`);
	const profile = hers.locator('.profile');
	await profile.getByRole('button', { name: /^Add friend/ }).click();
	await profile.getByRole('button', { name: /^Requested/ }).click();
	await profile.getByRole('button', { name: /^Add friend/ }).click();
	await profile.getByRole('button', { name: /^Requested/ }).waitFor();
	const his = await enter(bob, '#/notifications');
	await his.locator('.note-row', { hasText: 'asked to be your friend' }).getByRole('button', { name: /^Accept/ }).click();
	await profile.getByRole('button', { name: /^Friends/ }).waitFor();
	await hers.goto(`${gateway.url}/#/friends`);
	await hers.locator('.people li', { hasText: bob.username }).getByText('· online').waitFor();
	await hers.locator('.people li', { hasText: bob.username }).getByRole('button', { name: /^Message/ }).click();
	await hers.getByRole('heading', { name: bob.username }).waitFor();
	await hers.goto(`${gateway.url}/#/notifications`);
	await hers.locator('.note-row', { hasText: 'is your friend now' }).getByRole('button', { name: /^Message/ }).waitFor();

	await his.goto(`${gateway.url}/#/friends`);
	await his.locator('.people li', { hasText: ann.username }).getByRole('button', { name: /^End/ }).click();
	await his.getByRole('dialog').getByRole('button', { name: 'End friendship' }).click();
	await his.getByText('You have no friends here yet.').waitFor();
	await as(ann, 'POST', '/friends/requests', { account_id: bob.id });
	await his.getByRole('heading', { name: 'Requests to you' }).waitFor();
	await his.getByRole('button', { name: /^Reject/ }).click();
	await his.getByRole('heading', { name: 'Requests to you' }).waitFor({ state: 'hidden' });
	await as(bob, 'POST', '/friends/requests', { account_id: ann.id });
	await his.getByRole('heading', { name: 'Requests of yours' }).waitFor();
	await his.getByRole('button', { name: /^Cancel/ }).click();
	await his.getByRole('heading', { name: 'Requests of yours' }).waitFor({ state: 'hidden' });
});

test('an encrypted conversation is listed, and says that it cannot be read here', { skip }, async () => {
	const [ann, bob] = await Promise.all(['enc_ann', 'enc_bob'].map((name) => account(gateway, name)));
	for (const user of [ann, bob]) await as(user, 'PUT', '/encryption/keys', published(identity()));
	const { id } = await as(ann, 'POST', '/conversations', { kind: 'direct', account_ids: [bob.id], encryption: 'e2ee' });
	const page = await enter(ann, '#/messages');
	await page.locator('.talks li', { hasText: 'end-to-end encrypted' }).getByRole('link').click();
	await page.getByText('with a client that holds keys').waitFor();
	assert.equal(await page.getByLabel('Message', { exact: true }).count(), 0);
	assert.match(page.url(), new RegExp(`#/messages/${id}$`));
});

test('messages that disappear go from the page', { skip }, async () => {
	const [ann, bob] = await Promise.all(['gone_ann', 'gone_bob'].map((name) => account(gateway, name)));
	const { conversation_id: id } = await write(ann, { recipient_id: bob.id }, 'stays');
	const page = await enter(ann, `#/messages/${id}/info`);
	await page.getByRole('button', { name: 'Change' }).click();
	await page.getByLabel('Messages disappear after').selectOption('An hour');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByText('Messages disappear after: an hour.').waitFor();
	await as(bob, 'PATCH', `/conversations/${id}`, { expire_after: 5 });
	await page.goto(`${gateway.url}/#/messages/${id}`);
	await Promise.all([bubble(page, 'goes').waitFor(), say(page, 'goes')]); // who looks later may be too late
	await bubble(page, 'goes').waitFor({ state: 'detached' });
	await bubble(page, 'stays').waitFor();
});

for (const colorScheme of ['light', 'dark']) {
	for (const [name, viewport] of [['narrow', { width: 320, height: 640 }], ['wide', { width: 1280, height: 800 }]]) {
		test(`nothing stands in the way of accessibility: ${colorScheme}, ${name}`, { skip: skip || (!axe && 'npm could not fetch axe-core') }, async () => {
			const [ann, bob, cat] = await Promise.all(['axe_ann', 'axe_bob', 'axe_cat'].map((prefix) => account(gateway, prefix)));
			const long = `${'verylongword'.repeat(20)} שלום עולם 🎉🎉 https://example.org/${'path/'.repeat(20)}`;
			const first = await write(bob, { recipient_id: ann.id }, long);
			const { conversation_id: direct } = await as(ann, 'POST', '/messages', { conversation_id: first.conversation_id, text: `answer ${long}`, reply_to_id: first.id });
			await as(bob, 'PUT', `/messages/${first.id}/reactions/${encodeURIComponent('👍')}`);
			const { id: group } = await as(ann, 'POST', '/conversations', { kind: 'group', account_ids: [bob.id, cat.id], title: 'x'.repeat(100), description: long, expire_after: 86400 });
			for (const who of [bob, cat, bob]) await write(who, { conversation_id: group }, long);
			await as(ann, 'PATCH', `/conversations/${group}/settings`, { pinned: true, muted: true });
			const { code } = await as(ann, 'POST', `/conversations/${group}/invites`, {});
			await as(bob, 'POST', '/friends/requests', { account_id: ann.id });
			await as(ann, 'POST', '/friends/requests', { account_id: cat.id });
			await as(ann, 'POST', `/users/${cat.id}/follow`, {});
			const page = await enter(ann, '#/messages', { colorScheme, viewport });
			const check = async (path, ready) => {
				await page.goto(`${gateway.url}/${path}`);
				await page.locator(ready).first().waitFor();
				await live(page);
				if (process.env.ROOST_SCREENSHOTS) await page.screenshot({ path: `${process.env.ROOST_SCREENSHOTS}/${colorScheme}-${name}-${path.replace(/\W+/g, '_').replace(/\d{6,}/, 'id')}-${ready.replace(/\W+/g, '_')}.png` });
				const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
				assert.deepEqual(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`), []);
				const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
				assert.ok(wide <= room, `${path} is ${wide} wide on a screen of ${room}`);
				const [logWide, logRoom] = await page.evaluate(() => { const log = document.querySelector('.log'); return log ? [log.scrollWidth, log.clientWidth] : [0, 0]; });
				assert.ok(logWide <= logRoom, `the log of ${path} is ${logWide} wide in ${logRoom}`);
			};
			await page.evaluate(axe);
			await check('#/messages', '.talks li + li');
			await check(`#/messages/${direct}`, '.message + .message');
			await page.locator('.message summary').first().click();
			await check(`#/messages/${direct}`, '.message .menu[open] .quick button');
			await page.locator('.message').first().getByRole('button', { name: 'Reply' }).click();
			await check(`#/messages/${direct}`, '.about:not([hidden])');
			await page.getByRole('button', { name: 'Attach' }).click();
			await page.getByLabel('Address').fill(`https://example.org/${'path/'.repeat(20)}`);
			await page.getByRole('button', { name: 'Add', exact: true }).click();
			await check(`#/messages/${direct}`, '.attach li');
			await page.locator('.message').first().locator('summary').click();
			await page.locator('.message').first().getByRole('button', { name: 'Forward' }).click();
			await check(`#/messages/${direct}`, 'dialog');
			await page.keyboard.press('Escape');
			await check('#/messages/search/has%3Alink', '.found li');
			await check(`#/messages/${group}`, '.message .text');
			await page.locator('.talk-head summary').click();
			await check(`#/messages/${group}`, '.talk-head .menu[open] button');
			await check(`#/messages/${group}/info`, '.invite-link');
			await page.getByRole('button', { name: 'Add people' }).click();
			await check(`#/messages/${group}/info`, '.pick');
			await check('#/messages/new', '.choices input');
			await check('#/friends', '.people li');
			const { id: list } = await as(ann, 'POST', '/lists', { title: 'verylongword'.repeat(8) });
			await as(ann, 'POST', `/lists/${list}/members`, { account_id: cat.id });
			await check('#/lists', '.rows li');
			await check(`#/lists/${list}`, 'details .people li, details summary');
			await check(`#/invite/${code}`, '.notice button');
			await check(`#/@${bob.username}`, '.profile .friend');
			await check('#/notifications', '.note-row');
		});
	}
}

test('by keyboard alone', { skip }, async () => {
	const [ann, bob] = await Promise.all(['key_ann', 'key_bob'].map((name) => account(gateway, name)));
	const { conversation_id: id } = await write(bob, { recipient_id: ann.id }, 'press keys');
	const page = await enter(ann, `#/messages/${id}`);
	await bubble(page, 'press keys').locator('summary').focus();
	await page.keyboard.press('Enter');
	await page.locator('.message .menu[open] .quick button').first().waitFor();
	await page.keyboard.press('Escape');
	await page.locator('.message .menu[open]').waitFor({ state: 'detached' });
	assert.equal(await page.evaluate(() => document.activeElement.tagName), 'SUMMARY');
	await page.keyboard.press('Tab');
	await page.keyboard.type('typed');
	await page.keyboard.press('Enter'); // a line of its own, as in posts
	await page.keyboard.type('here');
	await page.keyboard.press('Control+Enter');
	await state(page, 'typed', 'Sent');
	assert.equal(await bubble(page, 'typed').locator('.text').textContent(), 'typed\nhere');
	await until(() => page.evaluate(() => document.activeElement.id === 'message-text'), 'the focus in the field');
	assert.equal(await page.locator('[role=log]').getAttribute('aria-label'), 'Messages');
	await as(bob, 'PATCH', `/messages/${(await as(bob, 'GET', `/conversations/${id}/messages`)).items.at(-1).id}`, { text: 'press other keys' });
	await bubble(page, 'press other keys').getByText('edited').waitFor();
});
