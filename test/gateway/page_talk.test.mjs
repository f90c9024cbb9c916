// What one does with messages on the page at / besides writing them: finding, attaching, forwarding, exporting; and that
// nothing jumps or is lost while events come in.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { close, enter, launch, skip } from './browser.mjs';
import { account, call, liftLimits, startGateway, until } from './lib.mjs';

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
const write = (who, to, text) => as(who, 'POST', '/messages', { ...to, text });
const two = (prefix) => Promise.all(['ann', 'bob'].map((name) => account(gateway, `${prefix}_${name}`)));
const field = (page) => page.getByLabel('Message', { exact: true });
const bubble = (page, text) => page.locator('.message', { hasText: text });
const state = (page, text, words) => bubble(page, text).locator('.state-of', { hasText: words }).waitFor();
const menu = async (page, text, name) => {
	await bubble(page, text).locator('summary').click();
	await bubble(page, text).getByRole('button', { name, exact: true }).click();
};
const atEnd = (page) => page.locator('.log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2);
// Where a message stands in the log, in pixels.
const place = (page, text) => bubble(page, text).evaluate((row) => row.getBoundingClientRect().top - row.parentElement.getBoundingClientRect().top);

test('messages are found in all conversations and in one, and shown where they were written', { skip }, async () => {
	const [ann, bob] = await two('find');
	const { conversation_id: id } = await write(bob, { recipient_id: ann.id }, 'the heron stood still');
	for (let i = 1; i <= 150; i++) await write(i % 2 ? ann : bob, { conversation_id: id }, `line ${i}.`);
	const { id: group } = await as(ann, 'POST', '/conversations', { kind: 'group', account_ids: [bob.id], title: 'Marsh' });
	await write(bob, { conversation_id: group }, 'a heron again');
	const page = await enter(ann, '#/messages', { expected: /422/ });
	await page.getByRole('link', { name: 'Search', exact: true }).click();
	await page.getByLabel('Search messages').fill('heron');
	await page.keyboard.press('Enter');
	await page.locator('.found li', { hasText: 'the heron stood still' }).waitFor();
	assert.deepEqual(await page.locator('.found .last').allTextContents(), ['a heron again', 'the heron stood still']);
	await page.locator('.found li', { hasText: 'a heron again' }).getByText('Marsh').waitFor();
	await page.locator('.found li', { hasText: 'the heron stood still' }).getByRole('link').click();
	await page.locator('.message.sought', { hasText: 'the heron stood still' }).waitFor();
	assert.equal(await bubble(page, 'the heron stood still').evaluate((row) => row === document.activeElement), true);
	assert.ok(await place(page, 'the heron stood still') >= 0);
	await bubble(page, 'line 150.').waitFor(); // and nothing between is missing
	assert.equal(await page.locator('.message').count(), 151);
	assert.equal(await page.evaluate(() => scrollY), 0);

	await page.locator('.talk-head summary').click();
	await page.locator('.talk-head').getByRole('button', { name: 'Search' }).click();
	await page.getByLabel('Search messages').fill('again');
	await page.keyboard.press('Enter');
	await page.getByText('No message is like that.').waitFor();
	await page.getByLabel('Search messages').fill('since:yesterday');
	await page.keyboard.press('Enter');
	await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
	await page.goto(`${gateway.url}/#/messages/${id}/at/1`);
	await page.getByText('That message is not there any more.').waitFor();
});

test('media are attached by their addresses, and a quoted message is led to', { skip }, async () => {
	const [ann, bob] = await two('media');
	const first = await write(bob, { recipient_id: ann.id }, 'send me the film');
	const page = await enter(ann, `#/messages/${first.conversation_id}`);
	await menu(page, 'send me the film', 'Reply');
	await page.getByRole('button', { name: 'Attach' }).click();
	await page.getByLabel('Address').fill('javascript:alert(1)');
	await page.keyboard.press('Enter');
	await page.getByText('This is no http or https address.').waitFor();
	await page.getByLabel('Address').fill('https://example.org/film.webm');
	await page.getByLabel('Description').fill('The <b>film</b>');
	await page.keyboard.press('Enter');
	await page.locator('.attach li', { hasText: 'video: The <b>film</b>' }).waitFor();
	await page.getByLabel('Address').fill('https://example.org/second.png'); // is taken along without "Add"
	await page.getByRole('button', { name: 'Send' }).click();
	await state(page, 'send me the film', 'Sent');
	const { items: [{ text, media, reply_to: quoted }] } = await as(bob, 'GET', `/conversations/${first.conversation_id}/messages`);
	assert.equal(text, null);
	assert.deepEqual(media.map(({ url, type, description }) => [url, type, description]), [['https://example.org/film.webm', 'video', 'The <b>film</b>'], ['https://example.org/second.png', 'image', undefined]]);
	assert.equal(quoted.id, first.id);
	const links = page.locator('.message .media a');
	assert.deepEqual(await links.evaluateAll((all) => all.map(({ href, rel }) => [href, rel])), media.map(({ url }) => [url, 'noopener noreferrer nofollow ugc']));
	await page.locator('.message .quote button').click();
	await page.locator(`.message.sought[data-message="${first.id}"]`).waitFor();

	// A post takes them, too.
	await page.goto(`${gateway.url}/#/home`);
	await page.getByRole('button', { name: 'Attach' }).click();
	await page.getByLabel('Address').fill('https://example.org/bird.ogg');
	await page.getByRole('button', { name: 'Post', exact: true }).click();
	await page.locator('.post .media a', { hasText: 'audio: https://example.org/bird.ogg' }).waitFor();
});

test('what one has begun to write is there again', { skip }, async () => {
	const [ann, bob] = await two('draft');
	const { id, conversation_id: talk } = await write(bob, { recipient_id: ann.id }, 'what do you think?');
	const page = await enter(ann, '#/home', { expected: /422/ });
	await page.getByLabel('New post').fill('half a post');
	await page.goto(`${gateway.url}/#/messages/${talk}`);
	await menu(page, 'what do you think?', 'Reply');
	await field(page).fill('half a message');
	await write(bob, { conversation_id: talk }, 'are you there?');
	await bubble(page, 'are you there?').waitFor();
	assert.equal(await field(page).inputValue(), 'half a message');
	await page.goto(`${gateway.url}/#/home`);
	assert.equal(await page.getByLabel('New post').inputValue(), 'half a post');
	await page.goto(`${gateway.url}/#/messages/${talk}`);
	await bubble(page, 'what do you think?').waitFor();
	assert.equal(await field(page).inputValue(), 'half a message');
	await page.getByText('Answering').waitFor();
	await page.goto(`${gateway.url}/#/home`);
	// What was refused goes back into the field.
	await page.goto(`${gateway.url}/#/messages/${talk}`);
	await page.route('**/api/v1/messages', (route) => route.fulfill({ status: 422, contentType: 'application/problem+json', body: JSON.stringify({ status: 422, code: 'invalid', detail: 'no', field: 'text' }) }), { times: 1 });
	await page.getByRole('button', { name: 'Send' }).click();
	await bubble(page, 'half a message').getByRole('button', { name: 'Change' }).click();
	await bubble(page, 'half a message').waitFor({ state: 'detached' });
	assert.equal(await field(page).inputValue(), 'half a message');
	await page.keyboard.press('Control+Enter');
	await state(page, 'half a message', 'Sent');
	await page.goto(`${gateway.url}/#/public`);
	await page.goto(`${gateway.url}/#/messages/${talk}`);
	await bubble(page, 'half a message').locator('.quote', { hasText: 'what do you think?' }).waitFor();
	assert.equal(await field(page).inputValue(), '');
	assert.equal((await as(bob, 'GET', `/conversations/${talk}/messages`)).items[0].reply_to.id, id);
});

test('a message is forwarded, to a conversation or to somebody, once', { skip }, async () => {
	const [ann, bob] = await two('fwd');
	const cat = await account(gateway, 'fwd_cat');
	const { conversation_id: talk } = await write(bob, { recipient_id: ann.id }, 'pass this on');
	const { id: group } = await as(ann, 'POST', '/conversations', { kind: 'group', account_ids: [cat.id], title: 'Relay' });
	const { id: secret } = await as(ann, 'POST', '/conversations', { kind: 'group', account_ids: [cat.id], title: 'Sealed', encryption: 'e2ee' });
	const page = await enter(ann, `#/messages/${talk}`, { expected: /404|Failed to load/ });
	await menu(page, 'pass this on', 'Forward');
	const dialog = page.getByRole('dialog');
	assert.equal(await dialog.locator(`option[value="${secret}"]`).count(), 0);
	await dialog.getByLabel('To').selectOption('Relay');
	// The answer is lost: to try again forwards it once.
	await page.route('**/forward', async (route) => {
		await route.fetch();
		await route.abort();
	}, { times: 1 });
	await dialog.getByRole('button', { name: 'Forward' }).click();
	await dialog.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
	await dialog.getByRole('button', { name: 'Forward' }).click();
	await page.getByText('Forwarded to Relay.').waitFor();
	const { items } = await as(cat, 'GET', `/conversations/${group}/messages`);
	assert.deepEqual(items.filter(({ action }) => !action).map(({ text, forwarded }) => [text, forwarded]), [['pass this on', true]]);

	await menu(page, 'pass this on', 'Forward');
	await dialog.getByLabel('To').selectOption('Somebody else…');
	await dialog.getByLabel('User name').fill('nobody_at_all');
	await dialog.getByRole('button', { name: 'Forward' }).click();
	await dialog.locator('[id$=recipient_id-note].problem').waitFor();
	await dialog.getByLabel('User name').fill(`@${cat.username}`);
	await dialog.getByRole('button', { name: 'Forward' }).click();
	await dialog.waitFor({ state: 'detached' });
	assert.ok((await as(cat, 'GET', '/conversations')).items.some(({ kind, last_message: last }) => kind === 'direct' && last.text === 'pass this on'));
});

test('a conversation is saved as a file', { skip }, async () => {
	const [ann, bob] = await two('save');
	let id;
	for (let i = 1; i <= 110; i++) ({ conversation_id: id } = await write(i % 2 ? ann : bob, { recipient_id: i % 2 ? bob.id : ann.id }, `line ${i}`));
	const page = await enter(ann, `#/messages/${id}`);
	await page.locator('.talk-head summary').click();
	await page.locator('.talk-head').getByRole('button', { name: 'Export' }).click();
	const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as a file' }).click()]);
	assert.equal(file.suggestedFilename(), `conversation-${id}.json`);
	const { conversation, messages } = JSON.parse(await readFile(await file.path(), 'utf8'));
	assert.equal(conversation.id, id);
	assert.deepEqual(messages.map(({ text }) => text), Array.from({ length: 110 }, (_, i) => `line ${i + 1}`));
});

test('nothing jumps while things happen, and the new begins where a line says so', { skip }, async () => {
	const [ann, bob] = await two('jump');
	let last;
	for (let i = 1; i <= 30; i++) last = await write(i % 2 ? ann : bob, { recipient_id: i % 2 ? bob.id : ann.id }, `line ${i}.`);
	const id = last.conversation_id;
	await as(ann, 'POST', `/conversations/${id}/read`, {});
	const page = await enter(ann, `#/messages/${id}`);
	await bubble(page, 'line 30.').waitFor();
	await until(() => atEnd(page), 'the end of the log');
	// At the end: what makes the last message higher, or the field, keeps the end in sight.
	await as(bob, 'PUT', `/messages/${last.id}/reactions/${encodeURIComponent('👍')}`);
	await bubble(page, 'line 30.').getByRole('button', { name: '👍 1' }).waitFor();
	assert.equal(await atEnd(page), true);
	await field(page).fill('one\ntwo\nthree\nfour');
	await until(() => atEnd(page), 'the end under a higher field');
	await as(bob, 'PATCH', `/messages/${last.id}`, { text: 'line 30. '.repeat(80) });
	await bubble(page, 'line 30.').getByText('edited').waitFor();
	assert.equal(await atEnd(page), true);
	// Elsewhere: what one reads stays where it is, though what is above gets higher or goes.
	const { items } = await as(bob, 'GET', `/conversations/${id}/messages?limit=40`);
	const [second, fourth] = ['line 2.', 'line 4.'].map((text) => items.find((message) => message.text === text));
	await page.locator('.log').evaluate((log) => { log.scrollTop = log.scrollHeight / 2; });
	const middle = await page.locator('.message').evaluateAll((rows) => rows.find((row) => row.getBoundingClientRect().top > row.parentElement.getBoundingClientRect().top).textContent.match(/line \d+\./)[0]);
	const was = await place(page, middle);
	await as(bob, 'PATCH', `/messages/${second.id}`, { text: 'line 2. '.repeat(100) });
	await bubble(page, 'line 2.').getByText('edited').waitFor();
	assert.ok(Math.abs(await place(page, middle) - was) < 2);
	await as(ann, 'DELETE', `/messages/${fourth.id}?for=me`);
	await bubble(page, 'line 4.').waitFor({ state: 'detached' });
	assert.ok(Math.abs(await place(page, middle) - was) < 2);
	await field(page).fill('');

	await page.goto(`${gateway.url}/#/public`);
	for (let i = 31; i <= 60; i++) await write(bob, { conversation_id: id }, `line ${i}.`);
	await page.goto(`${gateway.url}/#/messages/${id}`);
	await bubble(page, 'line 60.').waitFor();
	await bubble(page, 'line 31.').locator('.fresh', { hasText: 'New messages' }).waitFor();
	await until(async () => Math.abs(await place(page, 'line 31.')) < 60, 'the line at the top');
	await page.getByRole('button', { name: 'New messages below' }).click();
	await until(() => atEnd(page), 'the end of the log');
	await page.locator('nav .badge').waitFor({ state: 'detached' }); // the last one was on the screen
});

test('who has a message of a group, and who reacted', { skip }, async () => {
	const [ann, bob] = await two('rcpt');
	const cat = await account(gateway, 'rcpt_cat');
	const { id } = await as(ann, 'POST', '/conversations', { kind: 'group', account_ids: [bob.id, cat.id], title: 'Owls' });
	const message = await write(ann, { conversation_id: id }, 'who is awake?');
	await as(bob, 'POST', `/messages/${message.id}/read`, {});
	const page = await enter(ann, `#/messages/${id}`);
	await state(page, 'who is awake?', 'Read by 1');
	await menu(page, 'who is awake?', 'Who has it');
	const dialog = page.getByRole('dialog');
	await dialog.getByText('Read (1)').waitFor();
	await dialog.getByText('Not delivered yet (1)').waitFor();
	assert.deepEqual(await dialog.locator('.receipts bdi').allTextContents(), [bob.username, cat.username]);
	await dialog.getByRole('button', { name: 'Close' }).click();
	await dialog.waitFor({ state: 'detached' });
	for (const reaction of ['👍', '🙏']) await as(cat, 'PUT', `/messages/${message.id}/reactions/${encodeURIComponent(reaction)}`);
	await bubble(page, 'who is awake?').getByRole('button', { name: '🙏 1' }).waitFor();
	await menu(page, 'who is awake?', 'Who reacted');
	await dialog.getByText('👍 🙏').waitFor();
	assert.deepEqual(await dialog.locator('.receipts bdi').allTextContents(), [cat.username, '👍 🙏']);
});
