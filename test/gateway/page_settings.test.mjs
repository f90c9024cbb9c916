// The settings on the page at /: profile, address and password, sessions, notifications, privacy, a copy of everything,
// deleting the account, and a forgotten password.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { axe, close, enter, launch, live, open, skip, submit } from './browser.mjs';
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
const login = (who, device) => call(gateway, 'POST', '/auth/login', { body: { identifier: who.username, password: who.password, device } }).then(({ json }) => json);
const go = (page, room) => page.goto(`${gateway.url}/#/settings/${room}`);
const save = (page) => page.locator('main form').getByRole('button', { name: 'Save' }).click();
const focused = (page, locator, what) => until(() => page.locator(locator).evaluate((node) => node === document.activeElement).catch(() => false), what);

// The code in the newest mail to an address.
const codeTo = (address, template) => until(() => sql(`SELECT substring(payload->>'text' FROM 'token=([A-Za-z0-9._-]+)') FROM roost_data.job
	WHERE queue = 'mail' AND payload->>'to' = '${address}' AND payload->>'template' = '${template}' ORDER BY id DESC LIMIT 1`), `a mail to ${address}`);

test('the rooms: by links, by address, back, and after a reload', { skip }, async () => {
	const ann = await account(gateway, 'room_ann');
	const page = await enter(ann, '#/home');
	await page.getByRole('link', { name: 'Settings' }).click();
	await page.getByRole('heading', { name: 'Settings' }).waitFor();
	const links = page.locator('main nav a');
	assert.equal(await links.count(), 7);
	await links.filter({ hasText: 'Sessions' }).click();
	await page.getByRole('heading', { name: 'Sessions' }).waitFor();
	await page.locator('.tabs a[aria-current]', { hasText: 'Sessions' }).waitFor();
	await page.locator('.gear[aria-current]').waitFor();
	await page.locator('.tabs').getByRole('link', { name: 'Safety' }).click();
	await page.getByRole('heading', { name: 'Safety' }).waitFor();
	await page.locator('.gear[aria-current]').waitFor();
	await page.goBack();
	await page.getByRole('heading', { name: 'Sessions' }).waitFor();
	await page.reload();
	await page.getByRole('heading', { name: 'Sessions' }).waitFor();
	await page.locator('[data-session]').first().waitFor();
	await go(page, 'nonsense');
	await page.getByRole('heading', { name: 'Not found' }).waitFor();
	const stranger = await open('/#/settings/profile');
	await stranger.getByRole('heading', { name: 'Log in' }).waitFor();
});

test('the profile: what is wrong stands at its field, what was typed stays, and what is saved is shown at once', { skip }, async () => {
	const [ann, taken] = await Promise.all([account(gateway, 'prof_ann'), account(gateway, 'prof_taken')]);
	const page = await enter(ann, '#/home', { expected: /409|422/ });
	const asked = [];
	page.on('request', (request) => { if (request.url().includes('/api/v1/')) asked.push(`${request.method()} ${new URL(request.url()).pathname.slice(7)}`); });
	await page.goto(`${gateway.url}/#/@${ann.username}`);
	await page.getByRole('link', { name: 'Edit profile' }).waitFor();
	await until(async () => await page.locator('.loading:visible').count() === 0, 'the posts');
	asked.length = 0;
	await page.getByRole('link', { name: 'Edit profile' }).click();
	const name = page.getByLabel('Name', { exact: true });
	await name.waitFor();
	await name.fill('Ann of the moss');
	assert.deepEqual(asked.filter((one) => one !== 'GET /presence'), ['GET /users/me']); // (who is there is asked about by what is on the page)
	await page.getByLabel('About you').fill('x'.repeat(501));
	await page.locator('.over', { hasText: '-1 left' }).waitFor();
	await save(page);
	await page.locator('#profile-bio[aria-invalid]').waitFor();
	await focused(page, '#profile-bio', 'the focus on what is wrong');
	await page.getByLabel('About you').fill('Grows moss.\nSails.');
	await page.getByLabel('User name').fill(taken.username);
	await save(page);
	await page.locator('#profile-username-note.problem', { hasText: 'The user name is taken.' }).waitFor();
	assert.equal(await page.locator('#profile-bio').getAttribute('aria-invalid'), null);
	await page.getByLabel('User name').fill(`${ann.username}2`.slice(-20));
	await page.getByLabel('Address of your picture').fill('ftp://example.org/a.png');
	await save(page);
	await page.locator('#profile-avatar_url[aria-invalid]').waitFor();
	await page.getByLabel('Address of your picture').fill('example.org/a.png');
	await page.getByLabel('Day of birth').fill('1990-02-03');
	await page.getByLabel('Language').selectOption('de');

	// Elsewhere, and back: nothing of it is lost, though nothing was saved.
	await page.locator('.tabs').getByRole('link', { name: 'Data' }).click();
	await page.getByRole('heading', { name: 'Your data' }).waitFor();
	await page.goBack();
	await until(async () => await name.inputValue().catch(() => '') === 'Ann of the moss', 'the draft');
	await page.getByText('Not saved yet').waitFor();
	assert.equal((await as(ann, 'GET', '/users/me')).display_name, '');
	await save(page);
	await page.getByText('Your profile is saved.').waitFor();
	await page.getByText('Not saved yet').waitFor({ state: 'hidden' });
	const me = await as(ann, 'GET', '/users/me');
	assert.deepEqual([me.display_name, me.username, me.bio, me.avatar_url, me.birth_date, me.language],
		['Ann of the moss', `${ann.username}2`.slice(-20), 'Grows moss.\nSails.', 'https://example.org/a.png', '1990-02-03', 'de']);
	assert.equal(await page.getByLabel('Address of your picture').inputValue(), 'https://example.org/a.png');
	await page.locator('#who').getByRole('link', { name: 'Ann of the moss' }).waitFor();
	await page.getByRole('link', { name: 'See your profile' }).click();
	await page.getByRole('heading', { name: 'Ann of the moss' }).waitFor();
	assert.equal(await page.getByRole('link', { name: 'Picture', exact: true }).getAttribute('href'), 'https://example.org/a.png');

	// Emptied fields are emptied, and only what was changed is sent.
	await page.getByRole('link', { name: 'Edit profile' }).click();
	await page.getByLabel('Address of your picture').fill('');
	await page.getByLabel('Day of birth').fill('');
	const [request] = await Promise.all([page.waitForRequest((one) => one.method() === 'PATCH'), save(page)]);
	assert.deepEqual(request.postDataJSON(), { avatar_url: '', birth_date: null });
	await page.getByText('Your profile is saved.').waitFor();
	await page.reload();
	await until(async () => await name.inputValue().catch(() => '') === 'Ann of the moss', 'the name after a reload');
	assert.deepEqual([await page.getByLabel('Address of your picture').inputValue(), await page.getByLabel('Day of birth').inputValue()], ['', '']);
});

test('two pages of one account: what one saves the other shows, and leaves what is being typed there', { skip }, async () => {
	const ann = await account(gateway, 'both_ann');
	const [one, two] = await Promise.all([enter(ann, '#/settings/profile'), enter(ann, '#/settings/profile')]);
	await two.getByLabel('About you').fill('half a sent');
	await one.getByLabel('Name', { exact: true }).fill('Ann the First');
	await save(one);
	await one.getByText('Your profile is saved.').waitFor();
	await until(async () => await two.getByLabel('Name', { exact: true }).inputValue() === 'Ann the First', 'the name on the other page');
	assert.equal(await two.getByLabel('About you').inputValue(), 'half a sent');
	await two.locator('#who').getByRole('link', { name: 'Ann the First' }).waitFor();
	await save(two);
	await two.getByText('Your profile is saved.').waitFor();
	const me = await as(ann, 'GET', '/users/me');
	assert.deepEqual([me.display_name, me.bio], ['Ann the First', 'half a sent']);
});

test('a new address: the password, the mail, its code', { skip }, async () => {
	const ann = await account(gateway, 'mail_ann');
	const fresh = `${ann.username}.new@example.org`;
	const page = await enter(ann, '#/settings/account', { expected: /403|422/ });
	await page.getByText('· not confirmed yet').waitFor();
	await page.getByRole('button', { name: 'Send the mail again' }).click();
	await page.getByText(`A mail is on its way to ${ann.email}.`).waitFor();
	await page.getByText('Change the address').first().click();
	await page.getByLabel('New address').fill(fresh);
	await page.getByLabel('Your password').fill('not the password');
	await page.getByRole('button', { name: 'Change the address' }).click();
	await page.locator('#email-password-note.problem', { hasText: 'The password is wrong.' }).waitFor();
	await focused(page, '#email-password', 'the focus on the password');
	await page.getByLabel('Your password').fill(ann.password);
	await page.getByRole('button', { name: 'Change the address' }).click();
	await page.getByText(`A mail is on its way to ${fresh}.`).waitFor();
	await focused(page, '#code-token', 'the focus on the code');
	await page.getByLabel('Code from the mail').fill('not-a-code-of-anybody');
	await page.getByRole('button', { name: 'Confirm' }).click();
	await page.locator('#code-token-note.problem').waitFor();
	const code = await codeTo(fresh, 'verify_email');
	await page.getByLabel('Code from the mail').fill(`https://example.org/verify-email?token=${code}`);
	await page.getByRole('button', { name: 'Confirm' }).click();
	await page.getByText(fresh, { exact: true }).waitFor();
	await page.getByText('· confirmed').waitFor();
	assert.equal((await as(ann, 'GET', '/users/me')).email, fresh);
	assert.doesNotMatch(await page.evaluate(() => `${location.href} ${JSON.stringify(localStorage)} ${JSON.stringify(sessionStorage)}`), new RegExp(`${code}|password`));
});

test('a new password: what is wrong with it, and that other sessions end', { skip }, async () => {
	const ann = await account(gateway, 'word_ann');
	const page = await enter(ann, '#/settings/account', { expected: /403|422/ });
	const other = await enter(ann, '#/home', { expected: /401|HTTP Authentication failed/ });
	const change = () => page.getByRole('button', { name: 'Change the password' }).click();
	await page.getByLabel('Present password').fill('not the password');
	await page.getByLabel('New password').fill('moss grows on the north side');
	await change();
	await page.locator('#password-current_password-note.problem', { hasText: 'The password is wrong.' }).waitFor();
	await page.getByLabel('Present password').fill(ann.password);
	await page.getByLabel('New password').fill('short');
	await change();
	await page.locator('#password-new_password[aria-invalid]').waitFor();
	await page.getByLabel('New password').fill('moss grows on the north side');
	await page.getByLabel('Show what I type').check();
	assert.equal(await page.getByLabel('New password').getAttribute('type'), 'text');

	// Passwords are not among what is kept when one leaves.
	await page.locator('.tabs').getByRole('link', { name: 'Data' }).click();
	await page.goBack();
	await page.getByLabel('New password').waitFor();
	assert.deepEqual([await page.getByLabel('Present password').inputValue(), await page.getByLabel('New password').inputValue()], ['', '']);
	await page.getByLabel('Present password').fill(ann.password);
	await page.getByLabel('New password').fill('moss grows on the north side');
	await change();
	await page.getByText('Your password is changed.').waitFor();
	assert.equal(await page.getByLabel('New password').inputValue(), '');
	await other.locator('#who').getByRole('link', { name: 'Log in' }).waitFor();
	assert.equal((await call(gateway, 'POST', '/auth/login', { body: { identifier: ann.username, password: 'moss grows on the north side' } })).status, 200);
});

test('sessions: which is this one, ending one, ending all others, forgetting a device', { skip }, async () => {
	const ann = await account(gateway, 'sess_ann');
	await login(ann, 'An old laptop');
	const phone = await login(ann, { id: 'phone', name: 'A telephone', platform: 'android' });
	const other = await enter(ann, '#/home', { expected: /401|HTTP Authentication failed/ });
	const page = await enter(ann, '#/settings/sessions', { expected: /401|404/ });
	const rows = page.locator('[data-session]');
	await until(async () => await rows.count() === 5, 'five sessions', undefined, () => rows.allTextContents());
	assert.equal(await rows.filter({ hasText: 'This session' }).count(), 1);
	await page.getByRole('button', { name: /^Log out An old laptop/ }).focus();
	await page.keyboard.press('Enter');
	await until(async () => await rows.count() === 4, 'one session less');
	await until(() => page.evaluate(() => document.activeElement.closest('[data-session]') !== null), 'the focus on the next one');
	assert.equal(await rows.filter({ hasText: 'An old laptop' }).count(), 0);

	await page.getByText('The account was made').waitFor();

	// One that has ended meanwhile is no failure.
	await call(gateway, 'POST', '/auth/logout', { token: phone.access_token });
	await page.getByRole('button', { name: 'Log out everywhere else' }).click();
	await page.getByRole('dialog').getByText('3 other sessions will end').waitFor();
	await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
	await page.getByRole('button', { name: 'Log out everywhere else' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
	await until(async () => await rows.count() === 1, 'only this session');
	await page.getByRole('button', { name: 'Log out everywhere else' }).waitFor({ state: 'hidden' });
	await other.locator('#who').getByRole('link', { name: 'Log in' }).waitFor();
	assert.equal((await call(gateway, 'GET', '/users/me', { token: ann.token })).status, 401);

	const device = page.locator('[data-device]', { hasText: 'A telephone' });
	await device.getByRole('button', { name: 'Forget A telephone' }).click();
	await device.waitFor({ state: 'detached' });
	await page.locator('main').getByRole('button', { name: 'Log out here' }).click();
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
});

test('notifications: of whose acts one hears, and of which accounts not at all', { skip }, async () => {
	const [ann, loud] = await Promise.all([account(gateway, 'hear_ann'), account(gateway, 'hear_loud')]);
	const page = await enter(ann, '#/notifications', { expected: /404|503/ });
	await page.getByRole('link', { name: 'What you are notified of' }).click();
	await page.getByLabel('Likes of your posts').selectOption('Of nobody');
	await page.getByLabel('Replies to you').selectOption('Of accounts that you follow');
	const [request] = await Promise.all([page.waitForRequest((one) => one.method() === 'PUT'), save(page)]);
	assert.deepEqual(request.postDataJSON(), { reply: 'followed', like: 'nobody' });
	await page.getByText('Your settings are saved.').waitFor();
	const { like, reply, follow } = await as(ann, 'GET', '/notifications/preferences');
	assert.deepEqual([like, reply, follow], ['nobody', 'followed', 'everyone']);
	await page.getByLabel('User name').fill('nobody_at_all');
	await page.getByRole('button', { name: 'Add', exact: true }).click();
	await page.locator('#quiet-account_id-note.problem').waitFor();
	await page.getByLabel('User name').fill(`@${loud.username}`);
	await page.getByRole('button', { name: 'Add', exact: true }).click();
	await page.getByRole('button', { name: `Remove @${loud.username}` }).waitFor();
	await page.reload();
	await until(async () => await page.getByLabel('Likes of your posts').inputValue().catch(() => '') === 'nobody', 'what was chosen');
	await page.getByRole('button', { name: `Remove @${loud.username}` }).click();
	await page.getByText('There are none.').waitFor();
	assert.deepEqual((await as(ann, 'GET', '/notifications/muted')).items, []);
});

test('privacy: what one part refuses leaves what others have taken, and can be tried again', { skip }, async () => {
	const ann = await account(gateway, 'priv_ann');
	const page = await enter(ann, '#/settings/privacy', { expected: /503/ });
	await page.getByLabel(/^Private account/).check();
	await page.getByLabel('Who sees that you are online').selectOption('Nobody');
	await page.route('**/presence/settings', (route) => (route.request().method() === 'PUT' ? route.fulfill({ status: 503, json: { detail: 'not now', field: 'presence' } }) : route.continue()));
	await save(page);
	await page.locator('#privacy-presence-note.problem', { hasText: 'Not now.' }).waitFor();
	assert.equal((await as(ann, 'GET', '/users/me')).is_private, true);
	assert.equal((await as(ann, 'GET', '/presence/settings')).presence, 'followed');
	await page.unroute('**/presence/settings');
	const sent = [];
	page.on('request', (request) => { if (/PUT|PATCH/.test(request.method())) sent.push(request.postDataJSON()); });
	await save(page);
	await page.getByText('Your settings are saved.').waitFor();
	assert.deepEqual(sent, [{ presence: 'nobody' }]);
	assert.equal((await as(ann, 'GET', '/presence/settings')).presence, 'nobody');
});

test('a server that cannot be reached: nothing is shown that is not so', { skip }, async () => {
	const ann = await account(gateway, 'away_ann');
	const page = await enter(ann, '#/home', { expected: /Failed to load/ });
	await page.route('**/notifications/preferences', (route) => route.abort());
	await go(page, 'notifications');
	await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
	assert.equal(await page.getByLabel('Likes of your posts').count(), 0);
	await page.unroute('**/notifications/preferences');
	await page.getByLabel('Likes of your posts').waitFor(); // it is tried again by itself
	await page.getByRole('alert').waitFor({ state: 'detached' });
});

test('a copy of everything, and no more than is allowed', { skip }, async () => {
	const ann = await account(gateway, 'copy_ann');
	await as(ann, 'POST', '/tweets', { text: 'to be taken along' });
	const page = await enter(ann, '#/settings/data', { expected: /429/ });
	const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download a copy' }).click()]);
	assert.equal(download.suggestedFilename(), `${ann.username}.json`);
	const copy = JSON.parse(readFileSync(await download.path(), 'utf8'));
	assert.equal(copy.account.profile.username, ann.username);
	assert.match(JSON.stringify(copy.post), /to be taken along/);
	await page.getByText('It is saved among your downloads.').waitFor();
	await page.route('**/users/me/export', (route) => route.fulfill({ status: 429, headers: { 'retry-after': '43200' }, json: { detail: 'too many requests' } }));
	await page.getByRole('button', { name: 'Download a copy' }).click();
	await page.getByRole('alert').getByText('Try again in 12 hours.').waitFor();
	await page.getByText('It is saved among your downloads.').waitFor({ state: 'detached' });
});

test('deleting the account', { skip }, async () => {
	const ann = await account(gateway, 'gone_ann');
	const page = await enter(ann, '#/settings/data', { expected: /40[13]|HTTP Authentication failed/ });
	const dialog = page.getByRole('dialog');
	await page.getByRole('button', { name: 'Delete the account…' }).click();
	await dialog.getByLabel('Your password').fill('not the password');
	await dialog.getByRole('button', { name: 'Delete for good' }).click();
	await dialog.locator('.note.problem', { hasText: 'The password is wrong.' }).waitFor();
	await dialog.getByRole('button', { name: 'Cancel' }).click();
	await dialog.waitFor({ state: 'detached' });
	assert.equal((await call(gateway, 'GET', '/users/me', { token: ann.token })).status, 200);
	await page.getByRole('button', { name: 'Delete the account…' }).click();
	await dialog.getByLabel('Your password').fill(ann.password);
	await dialog.getByRole('button', { name: 'Delete for good' }).click();
	await page.getByText('Your account is deleted.').first().waitFor();
	await page.getByRole('heading', { name: 'Public' }).waitFor();
	await page.locator('#who').getByRole('link', { name: 'Log in' }).waitFor();
	await dialog.waitFor({ state: 'detached' });
	assert.equal((await call(gateway, 'GET', `/users/@${ann.username}`)).status, 404);
	await page.reload();
	await page.locator('#who').getByRole('link', { name: 'Log in' }).waitFor();
});

test('a forgotten password', { skip }, async () => {
	const ann = await account(gateway, 'forg_ann');
	const page = await open('/#/login', { expected: /422/ });
	await page.getByRole('link', { name: 'Forgot your password?' }).click();
	await page.getByLabel('E-mail address').fill(ann.email);
	await submit(page, 'Send me a mail');
	await page.getByText(`If ${ann.email} belongs to an account, a mail is on its way to it.`).waitFor();
	await page.getByLabel('Code from the mail').fill(await codeTo(ann.email, 'reset_password'));
	await page.getByLabel('New password').fill('short');
	await submit(page, 'Set the password');
	await page.locator('#reset-password[aria-invalid]').waitFor();
	await page.getByLabel('New password').fill('ferns unfold in the spring');
	await submit(page, 'Set the password');
	await page.getByText('Your password is set.').waitFor();
	await page.getByLabel(/User name or/).fill(ann.username);
	await page.getByLabel('Password').fill('ferns unfold in the spring');
	await submit(page, 'Log in');
	await page.getByRole('heading', { name: 'Home' }).waitFor();
});

for (const colorScheme of ['light', 'dark']) {
	for (const [name, viewport] of [['narrow', { width: 360, height: 740 }], ['wide', { width: 1280, height: 800 }]]) {
		test(`nothing stands in the way of accessibility: ${colorScheme}, ${name}`, { skip: skip || (!axe && 'npm could not fetch axe-core') }, async () => {
			const [ann, loud] = await Promise.all([account(gateway, 'wide_ann'), account(gateway, 'wide_loud')]);
			await as(ann, 'PATCH', '/users/me', { display_name: 'W'.repeat(50), bio: 'verylongword'.repeat(30), avatar_url: `https://example.org/${'path/'.repeat(100)}` });
			await as(loud, 'PATCH', '/users/me', { display_name: 'שלום עולם '.repeat(5) });
			await as(ann, 'PUT', `/notifications/muted/${loud.id}`);
			await login(ann, 'A device with a very long name that says all about where it stands and what it is for, and more');
			const page = await enter(ann, '#/home', { colorScheme, viewport, expected: /403|422/ });
			await page.evaluate(axe);
			const check = async (what) => {
				const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
				assert.deepEqual(violations.map(({ id, nodes }) => `${what} ${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`), []);
				const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
				assert.ok(wide <= room, `${what} is ${wide} wide on a screen of ${room}`);
			};
			for (const [room, ready] of [['', '.rooms a'], ['profile', '#profile-bio'], ['account', '#code-token'], ['sessions', '[data-session]'], ['notifications', '#notify-like'], ['privacy', '#privacy-presence'], ['data', 'button.danger']]) {
				await go(page, room);
				await page.locator(ready).first().waitFor();
				await until(async () => await page.locator('.loading:visible').count() === 0, 'what is loaded');
				await check(room);
			}
			await page.getByRole('button', { name: 'Delete the account…' }).click();
			await page.getByRole('dialog').getByLabel('Your password').fill('not the password');
			await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
			await page.getByRole('dialog').locator('.problem', { hasText: /\w/ }).waitFor();
			await check('a dialog with an error');
			await page.keyboard.press('Escape');
			await go(page, 'profile');
			await page.getByLabel('About you').fill('x'.repeat(510));
			await save(page);
			await page.locator('#profile-bio[aria-invalid]').waitFor();
			await check('a form with an error');
			await page.goto(`${gateway.url}/#/@${ann.username}`);
			await page.locator('.profile').waitFor();
			await check('the profile');
			await page.goto(`${gateway.url}/#/forgot`);
			await page.getByLabel('Code from the mail').waitFor();
			await check('forgot');
			await live(page);
		});
	}
}
