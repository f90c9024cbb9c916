// Blocks, mutes, muted words and lists over HTTP: everything that one of two accounts may try when one has blocked the
// other has the right status, whoever made the block, and nothing of the other comes to it by any way.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway } from './lib.mjs';

let gateway;
let ada; // blocks bob
let bob;
let cat; // has to do with both
let posts; // name -> post by ada or bob
let lists; // name -> list of ada or bob
const as = (user, method, path, body) => call(gateway, method, path, { token: user?.token, body });
const ok = async (user, method, path, body, status = [200, 201, 204]) => {
	const answer = await as(user, method, path, body);
	assert.ok([status].flat().includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
};

before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ada, bob, cat] = await Promise.all(['blk_ada', 'blk_bob', 'blk_cat'].map((name) => account(gateway, name)));
	for (const [one, two] of [[ada, bob], [bob, ada], [cat, ada], [cat, bob], [ada, cat], [bob, cat]]) await ok(one, 'POST', `/users/${two.id}/follow`);
	posts = {
		ada: await ok(ada, 'POST', '/tweets', { text: `ADAWORD #blktag @${cat.username}` }),
		bob: await ok(bob, 'POST', '/tweets', { text: `BOBWORD #blktag @${cat.username}` }),
		cat: await ok(cat, 'POST', '/tweets', { text: 'CATWORD #blktag' }),
	};
	posts.adaReply = await ok(ada, 'POST', '/tweets', { text: 'ADAWORD in answer', reply_to_id: posts.cat.id });
	posts.bobReply = await ok(bob, 'POST', '/tweets', { text: 'BOBWORD in answer', reply_to_id: posts.cat.id });
	posts.adaQuote = await ok(ada, 'POST', '/tweets', { text: 'ADAWORD on it', quote_of_id: posts.bob.id });
	for (const [user, post] of [[ada, posts.bob], [bob, posts.ada], [ada, posts.cat], [bob, posts.cat]]) {
		await ok(user, 'POST', `/tweets/${post.id}/like`);
		await ok(user, 'POST', `/tweets/${post.id}/retweet`);
	}
	lists = Object.fromEntries(await Promise.all(Object.entries({ ada, bob, cat }).map(async ([name, user]) => [name, await ok(user, 'POST', '/lists', { title: `of ${name}` })])));
	await ok(ada, 'POST', `/lists/${lists.ada.id}/members`, { account_id: bob.id });
	await ok(bob, 'POST', `/lists/${lists.bob.id}/members`, { account_id: ada.id });
	for (const user of [ada, bob]) await ok(cat, 'POST', `/lists/${lists.cat.id}/members`, { account_id: `@${user.username}` });
	sql('SELECT roost.worker_sync()');
});
after(() => gateway.stop());

const told = async (user) => (await ok(user, 'GET', '/notifications?limit=100')).items.flatMap((item) => item.accounts.map((each) => each.username));

// Every GET with every id in every place.
async function everything(viewer) {
	const paths = Object.entries((await call(gateway, 'GET', '/openapi.json')).json.paths).filter(([path, item]) => item.get && !/\/test\/|\/stream$|\/admin\//.test(path)).map(([path]) => path);
	const found = [];
	for (const path of paths) {
		const fill = path.includes('{post_id}') ? Object.values(posts).map((post) => path.replace('{post_id}', post.id))
			: path.includes('{account_id}') ? [ada, bob, cat].map((user) => path.replace('{account_id}', user.id))
				: path.includes('{list_id}') ? Object.values(lists).map((list) => path.replace('{list_id}', list.id))
					: [path.replace('{username}', ada.username).replace('{hashtag}', 'blktag')];
		for (const each of fill) found.push([each, await as(viewer, 'GET', each)]);
	}
	assert.ok(found.length > 60);
	return found;
}

test('before the block each sees and is told of the other', async () => {
	assert.ok((await told(ada)).includes(bob.username) && (await told(bob)).includes(ada.username));
	assert.equal((await ok(ada, 'GET', `/lists/${lists.ada.id}/tweets`)).items[0].author.username, bob.username);
	assert.ok((await everything(bob)).some(([, answer]) => answer.text.includes('ADAWORD')));
	assert.ok((await everything(ada)).some(([, answer]) => answer.text.includes('BOBWORD')));
});

test('a block is answered with the relationship, and ends what there was', async () => {
	const expected = { account_id: bob.id, following: false, followed_by: false, requested: false, requested_by: false, blocking: true, blocked_by: false, muting: false,
		friend: false, friend_requested: false, friend_requested_by: false };
	for (let i = 0; i < 2; i++) assert.deepEqual(await ok(ada, 'POST', `/users/@${bob.username}/block`), expected);
	assert.deepEqual(await ok(ada, 'GET', `/users/${bob.id}/relationship`), expected);
	assert.deepEqual(await ok(bob, 'GET', `/users/${ada.id}/relationship`), { ...expected, account_id: ada.id, blocking: false, blocked_by: true });
	assert.deepEqual((await ok(ada, 'GET', '/blocks')).items.map((item) => [item.id, item.relationship.blocking]), [[bob.id, true]]);
	assert.deepEqual((await ok(bob, 'GET', '/blocks')).items, []);
	for (const [user, list] of [[ada, lists.ada], [bob, lists.bob]]) assert.equal((await ok(user, 'GET', `/lists/${list.id}`)).member_count, 0);
	assert.equal((await ok(cat, 'GET', `/lists/${lists.cat.id}`)).member_count, 2);
	for (const user of [ada, bob]) {
		const profile = await ok(cat, 'GET', `/users/${user.id}`);
		assert.deepEqual([profile.follower_count, profile.following_count], [1, 1]);
	}
});

test('neither can do anything to the other, and both are told the same', async () => {
	for (const [actor, other, post, list] of [[bob, ada, posts.ada, lists.bob], [ada, bob, posts.bob, lists.ada]]) {
		const tried = [
			[403, 'POST', `/users/${other.id}/follow`],
			[403, 'POST', `/follow-requests/${other.id}/accept`],
			[404, 'POST', `/follow-requests/${other.id}/reject`],
			[403, 'POST', `/lists/${list.id}/members`, { account_id: other.id }],
			[403, 'GET', `/users/${other.id}/followers`],
			[403, 'GET', `/users/${other.id}/following`],
			[403, 'GET', `/users/${other.id}/tweets`],
			[200, 'GET', `/users/${other.id}`],
			[200, 'GET', `/users/@${other.username}/relationship`],
			[404, 'GET', `/tweets/${post.id}`],
			[404, 'GET', `/tweets/${post.id}/context`],
			[404, 'GET', `/tweets/${post.id}/likes`],
			[404, 'GET', `/tweets/${post.id}/retweets`],
			[404, 'GET', `/tweets/${post.id}/replies`],
			[404, 'GET', `/tweets/${post.id}/quotes`],
			[404, 'GET', `/tweets/${post.id}/history`],
			[404, 'POST', `/tweets/${post.id}/like`],
			[404, 'POST', `/tweets/${post.id}/retweet`],
			[404, 'POST', `/tweets/${post.id}/bookmark`],
			[404, 'POST', `/tweets/${post.id}/mute`],
			[404, 'POST', '/tweets', { text: 'answer', reply_to_id: post.id }],
			[404, 'POST', '/tweets', { text: 'quote', quote_of_id: post.id }],
			[404, 'GET', `/resolve?url=${encodeURIComponent(post.url)}`],
			[200, 'DELETE', `/users/${other.id}/follow`],
			[200, 'POST', `/users/${other.id}/mute`],
			[200, 'POST', `/users/${other.id}/unmute`],
			[200, 'DELETE', `/lists/${list.id}/members/${other.id}`],
		];
		for (const [status, method, path, body] of tried) {
			const answer = await as(actor, method, path, body);
			assert.equal(answer.status, status, `${actor.username} ${method} ${path}: ${answer.text}`);
			if (status === 403) assert.match(answer.json.detail, /One of the two accounts has blocked the other/, path);
		}
	}
});

test('a mention of the other is text, and nobody is told', async () => {
	const before = [await told(ada), await ok(ada, 'GET', '/notifications/unread')];
	await ok(bob, 'POST', '/tweets', { text: `BOBWORD @${ada.username}` });
	sql('SELECT roost.worker_sync()');
	assert.deepEqual([await told(ada), (await ok(ada, 'GET', '/notifications/unread')).count], [before[0], before[1].count]);
});

test('nothing of the other comes by any way; others see both', async () => {
	for (const [viewer, word, name, other] of [[bob, 'ADAWORD', 'ada', ada], [ada, 'BOBWORD', 'bob', bob]]) {
		assert.ok(!(await told(viewer)).includes(other.username));
		for (const [path, answer] of await everything(viewer)) {
			assert.ok(answer.status < 500, `${path}: ${answer.text}`);
			assert.doesNotMatch(answer.text, new RegExp(word), path);
			// what one has made oneself of it stays, but says nothing of it
			for (const [key, post] of Object.entries(posts)) {
				if (key.startsWith(name) && !path.includes(post.id) && path !== '/users/me/export') assert.doesNotMatch(answer.text.replaceAll(`"quote_of_id":"${post.id}"`, ''), new RegExp(`"${post.id}"`), `${path} names ${key}`);
			}
		}
		for (const list of ['followers', 'following']) {
			assert.ok(!(await ok(viewer, 'GET', `/users/${cat.id}/${list}`)).items.some((item) => item.id === other.id), list);
		}
	}
	const all = (await everything(cat)).map(([, answer]) => answer.text).join('');
	assert.ok(all.includes('ADAWORD') && all.includes('BOBWORD'));
	const names = (await ok(cat, 'GET', `/lists/${lists.cat.id}/tweets?replies=all`)).items.map((item) => item.author.username);
	assert.ok(names.includes(ada.username) && names.includes(bob.username));
});

test('unblocking brings posts back, but no follow', async () => {
	const relationship = await ok(ada, 'DELETE', `/users/${bob.id}/block`);
	assert.deepEqual([relationship.blocking, relationship.following, relationship.followed_by], [false, false, false]);
	await ok(ada, 'POST', `/users/${bob.id}/unblock`);
	await ok(bob, 'GET', `/tweets/${posts.ada.id}`, undefined, 200);
	assert.ok((await told(ada)).includes(bob.username));
	assert.equal((await ok(bob, 'POST', `/users/${ada.id}/follow`)).following, true);
});

test('mutes: durations, lists, and what is shown', async () => {
	for (const duration of [0, -1, 315360001, 1.5, 'x', 1e30]) assert.equal((await as(cat, 'POST', `/users/${bob.id}/mute`, { duration })).status, 422, String(duration));
	assert.equal((await ok(cat, 'POST', `/users/${bob.id}/mute`, { duration: 3600, notifications: false })).muting, true);
	const [item] = (await ok(cat, 'GET', '/mutes')).items;
	assert.deepEqual([item.account.id, item.notifications, Math.abs(Date.parse(item.expires_at) - Date.now() - 3600000) < 600000], [bob.id, false, true]);
	assert.ok(!(await ok(cat, 'GET', '/tweets/home')).items.some((post) => post.author.id === bob.id));
	assert.ok(!(await ok(cat, 'GET', `/lists/${lists.cat.id}/tweets?replies=all`)).items.some((post) => post.author.id === bob.id));
	assert.ok((await ok(cat, 'GET', `/users/${bob.id}/tweets`)).items.length > 0);
	assert.ok((await told(cat)).includes(bob.username));
	await ok(cat, 'POST', `/users/${bob.id}/mute`);
	assert.ok(!(await told(cat)).includes(bob.username));
	assert.equal((await ok(cat, 'DELETE', `/users/${bob.id}/mute`)).muting, false);
	assert.deepEqual((await ok(cat, 'GET', '/mutes')).items, []);
	assert.equal((await as(cat, 'POST', `/users/${cat.id}/mute`)).status, 422);
	assert.equal((await as(cat, 'POST', `/users/${cat.id}/block`)).status, 422);
});

test('muted words: made, changed, deleted, and nobody else\'s', async () => {
	const word = await ok(cat, 'POST', '/muted-words', { phrase: ' adaWORD ' }, 201);
	assert.deepEqual([word.phrase, word.whole_word, word.expires_at], ['adaWORD', true, null]);
	assert.equal((await as(cat, 'POST', '/muted-words', { phrase: 'ADAWORD' })).status, 409);
	for (const phrase of ['', ' ', '#', 'x'.repeat(101), null, 5]) assert.ok([400, 422].includes((await as(cat, 'POST', '/muted-words', { phrase })).status), String(phrase));
	assert.ok(!(await ok(cat, 'GET', '/tweets/home')).items.some((post) => (post.retweet_of ?? post).text.includes('ADAWORD')));
	assert.equal((await as(bob, 'PATCH', `/muted-words/${word.id}`, { phrase: 'mine' })).status, 404);
	assert.equal((await as(bob, 'DELETE', `/muted-words/${word.id}`)).status, 404);
	assert.equal((await ok(cat, 'PATCH', `/muted-words/${word.id}`, { phrase: '#blktag', whole_word: false, duration: 60 })).phrase, '#blktag');
	assert.ok((await ok(cat, 'GET', '/tweets/home')).items.every((post) => !(post.retweet_of ?? post).text.includes('#blktag') || (post.retweet_of ?? post).author.id === cat.id));
	assert.deepEqual((await ok(cat, 'GET', '/muted-words')).items.map((item) => item.phrase), ['#blktag']);
	await ok(cat, 'DELETE', `/muted-words/${word.id}`, undefined, 204);
	assert.ok((await ok(cat, 'GET', '/tweets/home')).items.some((post) => (post.retweet_of ?? post).text.includes('ADAWORD #blktag')));
});

test('lists: nobody else\'s, and their pages', async () => {
	for (const [method, path, body] of [['GET', ''], ['PATCH', '', { title: 'x' }], ['DELETE', ''], ['GET', '/members'], ['POST', '/members', { account_id: ada.id }], ['DELETE', `/members/${ada.id}`], ['GET', '/tweets']]) {
		assert.equal((await as(bob, method, `/lists/${lists.cat.id}${path}`, body)).status, 404, `${method} ${path}`);
		assert.equal((await as(null, method, `/lists/${lists.cat.id}${path}`, body)).status, 401, `${method} ${path}`);
	}
	for (const title of ['', ' ', 'a\nb', 'x'.repeat(101), null]) assert.ok([400, 422].includes((await as(cat, 'POST', '/lists', { title })).status), String(title));
	assert.deepEqual((await ok(cat, 'GET', `/users/${ada.id}/lists`)).items.map((item) => item.title), ['of cat']);
	assert.deepEqual((await ok(bob, 'GET', `/users/${ada.id}/lists`)).items, []);
	const all = (await ok(cat, 'GET', `/lists/${lists.cat.id}/tweets?replies=all&limit=100`)).items.map((item) => item.id);
	const paged = [];
	let next = '';
	do {
		const page = await ok(cat, 'GET', `/lists/${lists.cat.id}/tweets?replies=all&limit=2${next}`);
		paged.push(...page.items.map((item) => item.id));
		next = page.next && `&before=${page.next}`;
	} while (next);
	// a page shows a post once; several pages may show what was retweeted by several again
	assert.ok(all.length >= 4 && all.every((id) => paged.includes(id)) && new Set(paged).size === paged.length);
	const fresh = await ok(bob, 'POST', '/tweets', { text: 'newest of all' });
	const newest = await ok(cat, 'GET', `/lists/${lists.cat.id}/tweets?after=${all[0]}`);
	assert.deepEqual(newest.items.map((item) => item.id), [fresh.id]);
	assert.equal((await ok(cat, 'PATCH', `/lists/${lists.cat.id}`, { title: 'Renamed' })).title, 'Renamed');
	assert.equal((await ok(cat, 'DELETE', `/lists/${lists.cat.id}/members/${bob.id}`)).member_count, 1);
	assert.ok((await ok(cat, 'GET', `/lists/${lists.cat.id}/tweets`)).items.every((item) => item.author.id === ada.id));
	await ok(cat, 'DELETE', `/lists/${lists.cat.id}`, undefined, 204);
	assert.deepEqual((await ok(cat, 'GET', '/lists')).items, []);
});
