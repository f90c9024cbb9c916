// The page at /, while things happen: two people who see what the other does, and connections that come and go.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { close, launch, live, open, register, skip } from './browser.mjs';
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

const post = (where, who, text, more = {}) => call(where, 'POST', '/tweets', { token: who.token, body: { text, ...more } }).then(({ json }) => json);

// A page of somebody new who follows the given accounts, at the top of the home timeline.
async function follower(prefix, ...followed) {
	const page = await open('/');
	const username = await register(page, prefix);
	for (const name of followed) {
		await page.goto(`${gateway.url}/#/@${name}`);
		await page.locator('.profile').getByRole('button', { name: /^Follow/ }).click();
		await page.locator('.profile').getByRole('button', { name: /^Following/ }).waitFor();
	}
	await page.goto(`${gateway.url}/#/home`);
	await page.getByRole('heading', { name: 'Home' }).waitFor();
	await live(page);
	return { page, username };
}

const write = async (page, text) => {
	await page.getByLabel('New post').fill(text);
	await page.getByRole('button', { name: 'Post', exact: true }).click();
	await page.locator('.post', { hasText: text }).waitFor();
};

test('two people: a post, a like, a reply that is being typed, a deletion', { skip }, async () => {
	const ann = await follower('ann');
	const bob = await follower('bob', ann.username);
	ann.page.on('dialog', (dialog) => dialog.accept());

	await write(ann.page, 'hello from ann');
	const hers = ann.page.locator('.post', { hasText: 'hello from ann' });
	const his = bob.page.locator('.post', { hasText: 'hello from ann' });
	await his.waitFor();
	assert.equal(await ann.page.locator('.post').count(), 1);

	await his.getByRole('button', { name: 'Like' }).click();
	await hers.getByRole('button', { name: 'Like, 1 like', pressed: false }).waitFor();
	await ann.page.locator('.badge', { hasText: /^2/ }).waitFor(); // followed, liked
	await until(async () => /^\(2\) /.test(await ann.page.title()), 'the number in the title', undefined, () => ann.page.title());

	await hers.locator('.when a').click();
	await ann.page.locator('.thread .focus').waitFor();
	await his.getByRole('button', { name: 'Reply' }).click();
	// (until her page listens to the post, which takes it a moment; what is typed is told once in a while)
	await until(async () => {
		await bob.page.getByLabel(/^Your reply to/).press('x');
		return ann.page.getByText(`${bob.username} is replying…`).isVisible();
	}, 'that he is replying');
	await bob.page.getByLabel(/^Your reply to/).fill('well said');
	await bob.page.locator('.post > .compose').getByRole('button', { name: 'Reply' }).click();
	await ann.page.locator('.thread .post', { hasText: 'well said' }).waitFor();
	await ann.page.getByText(`${bob.username} is replying…`).waitFor({ state: 'detached' });
	await his.getByRole('button', { name: 'Reply, 1 reply' }).waitFor();
	await ann.page.locator('.focus').getByRole('button', { name: 'Reply, 1 reply' }).waitFor();

	await ann.page.locator('nav').getByRole('link', { name: /Notifications/ }).click();
	await ann.page.locator('.note-row.unread', { hasText: `${bob.username} replied to you` }).waitFor();
	await ann.page.locator('.note-row.unread', { hasText: `${bob.username} liked your post` }).waitFor();
	await ann.page.getByRole('button', { name: 'Mark all as read' }).click();
	await ann.page.locator('.badge').waitFor({ state: 'detached' });
	await ann.page.locator('.note-row:not(.unread)').first().waitFor();

	await ann.page.goto(`${gateway.url}/#/@${ann.username}`);
	await hers.getByRole('button', { name: 'Delete' }).click();
	await hers.waitFor({ state: 'detached' });
	await his.waitFor({ state: 'detached' });
});

test('several who do the same are one notification', { skip }, async () => {
	const ann = await follower('group');
	await write(ann.page, 'like me');
	const id = await ann.page.locator('.post').getAttribute('data-post');
	await ann.page.goto(`${gateway.url}/#/notifications`);
	const fans = [];
	for (let i = 0; i < 4; i++) fans.push(await account(gateway, 'fan'));
	for (const fan of fans) await call(gateway, 'POST', `/tweets/${id}/like`, { token: fan.token });
	await ann.page.locator('.note-row', { hasText: /fan_\w+ and 3 others liked your post/ }).waitFor();
	await ann.page.locator('.badge', { hasText: /^4/ }).waitFor();
});

test('who is there has a dot, for those that are followed back', { skip }, async () => {
	const ann = await follower('dot');
	const bob = await follower('see', ann.username);
	await write(ann.page, 'here I am');
	const face = bob.page.locator('.post', { hasText: 'here I am' }).locator('.avatar');
	await face.waitFor();
	await ann.page.goto(`${gateway.url}/#/@${bob.username}`);
	await ann.page.locator('.profile').getByRole('button', { name: /^Follow/ }).click();
	await ann.page.locator('.profile').getByRole('button', { name: /^Following/ }).waitFor();
	await bob.page.reload(); // a page asks who is there, and then hears who comes and goes
	await face.and(bob.page.locator('.online')).waitFor();
	await ann.page.context().close();
	await face.and(bob.page.locator(':not(.online)')).waitFor({ timeout: 120000 }); // after the time of grace
});

test('posts that arrive while one reads wait behind a button', { skip }, async () => {
	const author = await account(gateway, 'many');
	for (let i = 0; i < 12; i++) await post(gateway, author, `old ${i}`);
	const { page } = await follower('reading', author.username);
	await page.locator('.post', { hasText: 'old 0' }).waitFor();
	await page.evaluate(() => scrollTo({ top: 500 }));
	await page.waitForFunction(() => scrollY > 100);
	for (let i = 0; i < 3; i++) await post(gateway, author, `new ${i}`);
	const bar = page.getByRole('button', { name: '3 new posts' });
	await bar.waitFor();
	assert.equal(await page.locator('.post', { hasText: 'new ' }).count(), 0);
	await until(async () => await page.locator('#say').textContent() === '3 new posts', 'the word about them', undefined, () => page.locator('#say').textContent());
	await bar.click();
	await page.locator('.post', { hasText: 'new 2' }).waitFor();
	assert.deepEqual((await page.locator('.post .text').allTextContents()).slice(0, 4), ['new 2', 'new 1', 'new 0', 'old 11']);
	await bar.waitFor({ state: 'hidden' });
});

test('the gateway stops and starts: what was missed is shown, once', { skip }, async (t) => {
	const port = await freePort();
	const other = await startGateway(); // stays, as the way in meanwhile
	let own = await startGateway({ port });
	t.after(async () => { for (const one of [own, other]) if (!one.ended) await one.stop(); });
	const author = await account(other, 'restart');
	const page = await open('/', { expected: /./, at: own.url });
	await live(page);
	await own.stop();
	await page.locator('#state[data-state=reconnecting]').waitFor();
	await post(other, author, 'said while it was gone');
	own = await startGateway({ port });
	await page.locator('.post', { hasText: 'said while it was gone' }).waitFor({ timeout: 120000 }).catch(async (error) => {
		throw new Error(`${error.message} ${await page.locator('#state').textContent()} ${await page.locator('.bar').textContent()}`);
	});
	await live(page);
	await post(other, author, 'said after that');
	await page.locator('.post', { hasText: 'said after that' }).waitFor();
	assert.equal(await page.locator('.post', { hasText: 'said while it was gone' }).count(), 1);
	assert.match(await page.locator('#state').getAttribute('title'), /WebSocket/);
	await page.context().close();
});

for (const [how, words] of [['sse', /server-sent events/], ['poll', /polling/]]) {
	test(`without WebSocket it is live all the same: ${how}`, { skip }, async () => {
		const author = await account(gateway, how);
		const page = await open('about:blank', { init: () => { delete window.WebSocket; }, expected: /404/ });
		if (how === 'poll') await page.route('**/events/stream*', (route) => route.fulfill({ status: 404, json: {} }));
		await page.goto(gateway.url);
		await live(page);
		assert.match(await page.locator('#state').getAttribute('title'), words);
		await post(gateway, author, `heard by ${how}`);
		await page.locator('.post', { hasText: `heard by ${how}` }).waitFor();
	});
}

test('a session that is revoked ends on the page at once', { skip }, async () => {
	const someone = await account(gateway, 'revoked');
	const page = await open('/#/login', { expected: /401|HTTP Authentication failed/ });
	await page.getByLabel(/User name or/).fill(someone.username);
	await page.getByLabel('Password').fill(someone.password);
	await page.locator('main form').getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('heading', { name: 'Home' }).waitFor();
	await live(page);
	await call(gateway, 'POST', '/auth/logout-all', { token: someone.token });
	await page.getByText('You have been logged out.').waitFor();
	await page.locator('#who').getByRole('link', { name: 'Log in' }).waitFor();
	await page.getByRole('heading', { name: 'Log in' }).waitFor(); // what home asks of a stranger
	await page.locator('nav').getByRole('link', { name: 'Public' }).click();
	await page.locator('.post').first().waitFor();
});
