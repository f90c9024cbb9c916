// Search over HTTP: what strangers and accounts find, pages, settings, refusals, limits.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway } from './lib.mjs';

let gateway;
const word = `word${Date.now().toString(36)}`;
const get = (query, token) => call(gateway, 'GET', `/search?${new URLSearchParams(query)}`, { token });
const post = (who, text, more = {}) => call(gateway, 'POST', '/tweets', { token: who.token, body: { text, ...more } }).then(({ json }) => json);
const indexed = () => assert.equal(sql("SELECT roost.search_sync('1 minute')").trim(), 't');
const texts = ({ status, json }) => { assert.equal(status, 200); return json.posts.map((p) => p.text); };

before(async () => {
	liftLimits();
	gateway = await startGateway();
});
after(() => gateway?.stop());

test('posts are found by strangers, edits and deletions count, pages go on', async () => {
	const ada = await account(gateway, 'ada');
	const ids = [];
	for (let i = 0; i < 5; i++) ids.push((await post(ada, `${word} number ${i}`)).id);
	await post(ada, `${word} hidden`, { visibility: 'followers' });
	indexed();
	assert.deepEqual(texts(await get({ q: word })), [4, 3, 2, 1, 0].map((i) => `${word} number ${i}`));
	assert.equal(texts(await get({ q: word }, ada.token)).length, 6);
	const seen = [];
	for (let before; before !== null;) {
		const { json } = await get({ q: word, type: 'posts', limit: '2', ...before && { before } });
		seen.push(...json.posts.map((p) => p.id));
		before = json.next;
	}
	assert.deepEqual(seen, ids.reverse());
	assert.deepEqual((await get({ q: word, type: 'posts', order: 'top' })).json.posts.length, 5);

	await call(gateway, 'PATCH', `/tweets/${ids[0]}`, { token: ada.token, body: { text: 'something else' } });
	await call(gateway, 'DELETE', `/tweets/${ids[1]}`, { token: ada.token });
	assert.deepEqual(texts(await get({ q: word })), [2, 1, 0].map((i) => `${word} number ${i}`)); // before the index knows
	indexed();
	assert.deepEqual(texts(await get({ q: `"something else" from:${ada.username}` })), ['something else']);
});

test('who does not want to be found is not, and a block hides both ways', async () => {
	const [shy, loud, reader] = [await account(gateway, 'shy'), await account(gateway, 'loud'), await account(gateway, 'reader')];
	await post(shy, `${word}shy`);
	await post(loud, `${word}loud #${word}tag`);
	indexed();
	assert.equal(texts(await get({ q: `${word}shy` })).length, 1);
	const { json } = await call(gateway, 'PUT', '/me/search-settings', { token: shy.token, body: { posts_indexed: false } });
	assert.deepEqual(json, { posts_indexed: false, by_email: false });
	assert.deepEqual((await call(gateway, 'GET', '/me/search-settings', { token: shy.token })).json, json);
	assert.deepEqual(texts(await get({ q: `${word}shy` })), []);
	assert.equal(texts(await get({ q: `${word}shy` }, shy.token)).length, 1);

	const { json: found } = await get({ q: `#${word}tag`, type: 'hashtags' });
	assert.deepEqual(found, { posts: null, accounts: null, hashtags: [{ hashtag: `${word}tag`, posts: 1 }], next: null, partial: false });
	assert.equal((await get({ q: loud.username, type: 'accounts' }, reader.token)).json.accounts[0].username, loud.username);
	assert.ok((await call(gateway, 'POST', `/users/${reader.id}/block`, { token: loud.token })).status < 300);
	assert.deepEqual(texts(await get({ q: `${word}loud` }, reader.token)), []);
	assert.ok(!(await get({ q: loud.username, type: 'accounts' }, reader.token)).json.accounts.some((a) => a.id === loud.id));
	assert.ok(!(await get({ q: reader.username, type: 'accounts' }, loud.token)).json.accounts.some((a) => a.id === reader.id));
	assert.deepEqual((await get({ q: `${word}tag`, type: 'hashtags' }, reader.token)).json.hashtags, []);
});

test('what cannot be asked is refused by field, and nothing else', async () => {
	for (const [query, field] of [[{ q: 'since:never' }, 'q'], [{ q: 'x'.repeat(501) }, 'q'], [{}, 'q'], [{ q: 'a', type: 'x' }, 'type'], [{ q: 'a', limit: '0' }, 'limit'],
		[{ q: 'a', before: '1' }, 'before'], [{ q: 'a', type: 'posts', order: 'top', before: '1' }, 'before'], [{ q: 'a', what: '1' }, 'what']]) {
		const { status, json } = await get(query);
		assert.equal(status, 422, JSON.stringify(query));
		assert.equal(json.field, field, JSON.stringify(query));
	}
	for (const q of ['', ' ', '"', '-', '((', "'; DROP TABLE x; --", '\\', '%', ':*', '!!', 'a & b | c <-> d', '\u202e', '😀', '*'.repeat(400), '"a"'.repeat(30), 'ﷺ'.repeat(100), 'OR '.repeat(100)])
		assert.equal((await get({ q })).status, 200, q);
});
