// What keeps one safe on the page at /, and what one reads besides the timelines: lists, who asks to follow one, what one
// shows of oneself, searching, and appealing while one is suspended.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { close, enter, launch, open, skip, submit } from './browser.mjs';
import { account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

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

const as = async (who, method, path, body) => {
	const { status, json, text } = await call(gateway, method, path, { token: who.token, body });
	assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
	return json;
};
const many = (...names) => Promise.all(names.map((name) => account(gateway, name)));

test('lists: made, filled from a profile and by name, read as they fill, renamed, deleted', { skip }, async () => {
	const [ann, bird, stone] = await many('list_ann', 'list_bird', 'list_stone');
	await as(bird, 'POST', '/tweets', { text: 'from the reeds' });
	const page = await enter(ann, `#/@${bird.username}`, { expected: /404|422/ });
	await page.locator('.profile summary').click();
	await page.locator('.profile').getByRole('button', { name: 'Lists…' }).click();
	await page.getByLabel('On a new list').fill('Birds <b>all</b>');
	await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
	await page.getByRole('dialog').waitFor({ state: 'detached' });
	await page.locator('nav').getByRole('link', { name: 'Lists' }).click();
	await page.locator('.rows li', { hasText: '1 member' }).getByRole('link', { name: 'Birds <b>all</b>' }).click();
	await page.getByRole('heading', { name: 'Birds <b>all</b>' }).waitFor();
	await page.locator('.post', { hasText: 'from the reeds' }).waitFor();
	await as(bird, 'POST', '/tweets', { text: 'and now from the air' });
	await page.getByText('and now from the air').waitFor();
	await page.locator('details.notice > summary').click();
	await page.getByLabel('Add by user name').fill('nobody_at_all');
	await page.getByRole('button', { name: 'Add', exact: true }).click();
	await page.locator('#member-account_id-note.problem').waitFor();
	await page.getByLabel('Add by user name').fill(stone.username);
	await page.getByRole('button', { name: 'Add', exact: true }).click();
	await page.getByText('2 members').waitFor();
	await page.getByRole('button', { name: `Take off @${bird.username}` }).click();
	await page.getByText('1 member', { exact: true }).waitFor();
	await page.locator('.post', { hasText: 'from the reeds' }).waitFor({ state: 'detached' });
	await page.getByRole('button', { name: 'Rename' }).click();
	await page.getByRole('dialog').getByLabel('Title').fill('Stones');
	await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
	await page.getByRole('heading', { name: 'Stones' }).waitFor();
	const { items: [{ id }] } = await as(ann, 'GET', '/lists');
	const other = await enter(bird, `#/lists/${id}`, { expected: /404/ });
	await other.getByText('There is no such list.').waitFor();
	await page.goto(`${gateway.url}/#/@${stone.username}`);
	await page.locator('.profile summary').click();
	await page.locator('.profile').getByRole('button', { name: 'Lists…' }).click();
	await page.getByRole('dialog').getByLabel('Stones').uncheck();
	await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
	await page.getByRole('dialog').waitFor({ state: 'detached' });
	assert.equal((await as(ann, 'GET', `/lists/${id}`)).member_count, 0);
	await page.goto(`${gateway.url}/#/lists/${id}`);
	await page.getByRole('button', { name: 'Delete the list' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByText('You have no lists yet.').waitFor();
});

test('who asks to follow a private account is answered, also when the notification was read', { skip }, async () => {
	const [ann, fan, other] = await many('ask_ann', 'ask_fan', 'ask_other');
	const page = await enter(ann, '#/settings/privacy');
	await page.getByLabel(/^Private account/).check();
	await page.getByLabel('Who may begin to write to you').selectOption('Friends');
	await page.getByLabel('Who sees that you are online').selectOption('Nobody');
	await page.getByLabel('Tell others what you have read').uncheck();
	await page.getByLabel('Your posts can be found').uncheck();
	await page.locator('form', { has: page.getByLabel(/^Private account/) }).getByRole('button', { name: 'Save' }).click();
	await page.getByText('Your settings are saved.').waitFor();
	const me = await as(ann, 'GET', '/users/me');
	assert.deepEqual([me.is_private, me.message_policy], [true, 'friends']);
	assert.equal((await as(ann, 'GET', '/presence/settings')).presence, 'nobody');
	assert.equal((await as(ann, 'GET', '/messages/settings')).read_receipts, false);
	assert.deepEqual(await as(ann, 'GET', '/me/search-settings'), { posts_indexed: false, by_email: false });
	await page.reload();
	await page.getByLabel('Who sees that you are online').waitFor();
	assert.equal(await page.getByLabel('Who sees that you are online').inputValue(), 'nobody');
	assert.equal(await page.getByLabel(/^Private account/).isChecked(), true);

	await as(fan, 'POST', `/users/${ann.id}/follow`, {});
	await page.goto(`${gateway.url}/#/notifications`);
	await page.locator('.note-row', { hasText: 'asked to follow you' }).waitFor();
	await page.getByRole('button', { name: 'Mark all as read' }).click();
	await page.locator('.note-row', { hasText: 'asked to follow you' }).getByRole('link', { name: 'Friends and requests' }).click();
	const asks = page.locator('section', { has: page.getByRole('heading', { name: 'Who asks to follow you' }) });
	await asks.getByRole('button', { name: `Accept @${fan.username}` }).click();
	await asks.waitFor({ state: 'hidden' });
	assert.equal((await as(fan, 'GET', `/users/${ann.id}/relationship`)).following, true);
	await as(other, 'POST', `/users/${ann.id}/follow`, {});
	await asks.getByRole('button', { name: `Reject @${other.username}` }).click();
	await asks.waitFor({ state: 'hidden' });
	assert.equal((await as(other, 'GET', `/users/${ann.id}/relationship`)).requested, false);
});

test('what one page has read of the notifications is not new on another', { skip }, async () => {
	const [ann, fan] = await many('seen_ann', 'seen_fan');
	await as(fan, 'POST', `/users/${ann.id}/follow`, {});
	const [one, two] = await Promise.all([enter(ann, '#/public'), enter(ann, '#/public')]);
	for (const page of [one, two]) await page.locator('nav').getByRole('link', { name: 'Notifications 1 new' }).waitFor();
	await one.goto(`${gateway.url}/#/notifications`);
	await two.goto(`${gateway.url}/#/notifications`);
	await two.locator('.note-row.unread').waitFor();
	await one.getByRole('button', { name: 'Mark all as read' }).click();
	for (const page of [one, two]) await page.locator('nav .badge').waitFor({ state: 'detached' });
	await two.locator('.note-row.unread').waitFor({ state: 'detached' });
});

test('searching: its operators, its order, accounts page by page', { skip }, async () => {
	const [ann, bob] = await many('look_ann', 'look_bob');
	const word = `heron${process.pid}`;
	const liked = await as(bob, 'POST', '/tweets', { text: `${word} one` });
	await as(bob, 'POST', '/tweets', { text: `${word} two` });
	await as(ann, 'POST', '/tweets', { text: `${word} of mine` });
	for (let i = 0; i < 6; i++) await account(gateway, `look_${i}`);
	for (const who of [ann, bob]) await as(who, 'POST', `/tweets/${liked.id}/like`, {});
	sql("SELECT roost.search_sync('1 minute')");
	const page = await enter(ann, `#/search/${encodeURIComponent(`${word} from:${bob.username} -two`)}`, { expected: /422/ });
	await page.locator('.post').first().waitFor();
	assert.deepEqual(await page.locator('.post .text').allTextContents(), [`${word} one`]);
	await page.getByText('What one can type').click();
	await page.getByText('by an account; to it').waitFor();
	await page.goto(`${gateway.url}/#/search/${word}`);
	await page.locator('.post', { hasText: 'of mine' }).waitFor();
	await page.getByLabel('Order').selectOption('What many liked first');
	await until(async () => (await page.locator('.post .text').allTextContents())[0] === `${word} one`, 'the other order');
	await page.getByRole('searchbox', { name: 'Search' }).fill('since:yesterday');
	await page.keyboard.press('Enter');
	await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
	await page.goto(`${gateway.url}/#/search/look`);
	await page.getByRole('button', { name: 'Show more accounts' }).click();
	await until(async () => await page.locator('main .people li').count() > 5, 'more accounts');
});

test('muting leaves notifications, if one wants them', { skip }, async () => {
	const [ann, bob] = await many('mute_ann', 'mute_bob');
	const page = await enter(ann, `#/@${bob.username}`);
	await page.locator('.profile summary').click();
	await page.locator('.profile').getByRole('button', { name: /^Mute/ }).click();
	await page.getByLabel('How long').selectOption('A day');
	await page.getByLabel('No notifications of it').uncheck();
	await page.getByRole('dialog').getByRole('button', { name: 'Mute' }).click();
	await page.locator('.profile').getByText('· muted').waitFor();
	const { items: [one] } = await as(ann, 'GET', '/mutes');
	assert.equal(one.notifications, false);
	assert.ok(Math.abs(Date.parse(one.expires_at) - Date.now() - 86_400_000) < 7_200_000);
});

test('who is suspended cannot log in, and appeals', { skip }, async () => {
	const [someone, admin] = await many('susp_one', 'susp_admin');
	sql(`SELECT roost.role_grant('@${admin.username}', 'admin')`);
	await as(admin, 'POST', `/admin/accounts/${someone.id}/ban`, { reason: 'too loud' });
	const page = await open('/#/login', { expected: /40[13]/ });
	await page.getByLabel(/User name or/).fill(someone.username);
	await page.getByLabel('Password').fill(someone.password);
	await submit(page, 'Log in');
	await page.getByRole('alert').filter({ hasText: 'suspended' }).waitFor();
	await page.getByRole('link', { name: 'Suspended?' }).click();
	await page.getByLabel(/User name or/).fill(someone.username);
	await page.getByLabel('Password').fill('not the password');
	await page.getByLabel('Why the decision is wrong').fill('I whisper.');
	await submit(page, 'Send');
	await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
	await page.getByLabel('Password').fill(someone.password);
	await submit(page, 'Send');
	await page.getByText('Your appeal has been sent.').waitFor();
	assert.ok((await as(admin, 'GET', '/admin/appeals')).items.some(({ account: { id }, text }) => id === someone.id && text === 'I whisper.'));
});
