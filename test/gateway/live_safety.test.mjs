// Blocks, mutes, muted words, limits and states of posts in streams: what one WebSocket, one stream of server-sent events
// and polls one after the other show of each account, while it happens and to who comes back later.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { WebSocketClient, account, call, hold, liftLimits, sql, startGateway, until, waiting } from './lib.mjs';

const KEY = 7412;

let gateway;
let marker; // nobody has anything to do with it
const open = [];
before(async () => {
	liftLimits();
	await until(() => sql('SELECT roost.worker_sync() AND epoch IS NOT NULL FROM roost.feed_position()') === 't', 'the beginning of the log');
	gateway = await startGateway();
	marker = await account(gateway, 'ls_mark');
});
after(async () => {
	await leave();
	await gateway?.stop();
});

// Does something that must succeed.
async function done(user, method, path, body) {
	const answer = await call(gateway, method, path, { token: user.token, body });
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
}

const people = (...names) => Promise.all(names.map((name) => account(gateway, `ls_${name}`)));
const post = (user, text, more = {}) => done(user, 'POST', '/tweets', { text, ...more });
const state = (made, value) => sql(`UPDATE roost_data.post SET state = '${value}' WHERE id = ${made.id}`);
const bearer = (user) => (user ? { authorization: `Bearer ${user.token}` } : {});

// A WebSocket that keeps the events it gets.
async function socket(user, channels, cursor) {
	const client = await WebSocketClient.open(gateway, { headers: bearer(user) });
	const answer = await client.ask({ type: 'resume', channels, cursor });
	assert.equal(answer.type, 'resumed', JSON.stringify(answer));
	assert.equal(answer.recovered, true);
	const events = [];
	return {
		take() {
			for (const frame of client.frames.filter(({ payload }) => payload.includes('"type":"events"'))) {
				events.push(...JSON.parse(frame.payload).events);
				client.frames.splice(client.frames.indexOf(frame), 1);
			}
			return events;
		},
		close: () => client.destroy(),
	};
}

// The same over server-sent events.
async function stream(user, channels, cursor) {
	const request = http.get(`${gateway.url}/api/v1/events/stream?channels=${encodeURIComponent(channels)}`, { agent: false, headers: { ...bearer(user), 'last-event-id': cursor } });
	request.on('error', () => {});
	const [answer] = await once(request, 'response');
	assert.equal(answer.statusCode, 200);
	answer.setEncoding('utf8');
	let text = '';
	answer.on('data', (data) => { text += data; });
	answer.on('error', () => {});
	await until(() => text.includes('event: ready'), 'the beginning of the stream');
	return {
		take: () => text.split('\n').slice(0, -1).filter((line) => line.startsWith('data: {"id"')).map((line) => JSON.parse(line.slice(6))),
		close: () => request.destroy(),
	};
}

// The same by polls that wait.
async function polls(user, channels, cursor) {
	const ask = (query) => call(gateway, 'GET', `/events?${new URLSearchParams({ channels, ...query })}`, { token: user?.token });
	const events = [];
	let stopped = false;
	let at = cursor;
	const ended = (async () => {
		while (!stopped) {
			const answer = await ask({ after: at, wait: 60, limit: 1000 });
			assert.equal(answer.status, 200, answer.text);
			assert.equal(answer.json.recovered, true);
			events.push(...answer.json.events);
			at = answer.json.cursor;
		}
	})();
	return { take: () => events, close: () => { stopped = true; }, ended };
}

// Everything that one account hears, in three ways that must agree.
async function ears(user, channels, cursor) {
	const list = ['public', ...channels];
	if (!cursor) {
		sql('SELECT roost.worker_sync()');
		cursor = (await call(gateway, 'GET', '/events', { token: user?.token })).json.cursor;
	}
	const ways = [await socket(user, list, cursor), await stream(user, list, cursor), await polls(user, list, cursor)];
	const one = {
		user,
		cursor,
		// The names of the events that tell of any of the given posts or accounts.
		heard(...things) {
			const found = ways.map((way) => way.take().filter((event) => things.some(({ id }) => JSON.stringify(event.data).includes(`"${id}"`))));
			const [a, b, c] = found.map((events) => events.map(({ id, event, channels: where }) => [id, event, where]));
			assert.deepEqual(b, a);
			assert.deepEqual(c, a);
			return found[0];
		},
		names: (...things) => one.heard(...things).map(({ event }) => event),
		has: (mark) => ways.every((way) => way.take().some(({ data }) => data.post?.id === mark.id)),
		// What who comes with the same cursor gets now.
		again: () => ears(user, channels, one.cursor),
		ways,
	};
	open.push(one);
	return one;
}

// Resolves when everybody has got everything that was done before.
async function caughtUp(...all) {
	const mark = await post(marker, 'mark');
	await until(() => all.every((one) => one.has(mark)), 'what happened before');
}

// Ends all streams; polls end with an event.
async function leave() {
	const all = open.splice(0).flatMap(({ ways }) => ways);
	for (const way of all) way.close();
	await post(marker, 'end');
	await Promise.all(all.map((way) => way.ended));
}

test('a block ends what was told of the other at once, on all devices, and its end brings it back', async () => {
	const [ada, bob, cat] = await people('ada', 'bob', 'cat');
	for (const [one, two] of [[ada, bob], [bob, ada], [cat, ada], [cat, bob]]) await done(one, 'POST', `/users/${two.id}/follow`);
	const first = await post(cat, 'first');
	const channels = ['home', 'notifications', 'hashtag:lsblock', `user:${ada.id}`, `user:${bob.id}`, `user:${cat.id}`, `post:${first.id}`];
	const [adas, bobs, bobs2, cats] = [await ears(ada, channels), await ears(bob, channels), await ears(bob, channels), await ears(cat, channels)];
	const anybody = await ears(null, channels.slice(2));

	await done(bob, 'POST', `/users/${ada.id}/block`);
	const made = await post(ada, `from ada #lsblock @${bob.username}`);
	const own = await post(bob, `from bob #lsblock @${ada.username}`);
	const quote = await post(cat, 'on it', { quote_of_id: made.id });
	await caughtUp(adas, bobs, bobs2, cats, anybody);
	await done(ada, 'PATCH', `/tweets/${made.id}`, { text: 'from ada, better #lsblock' });
	await done(ada, 'POST', `/tweets/${first.id}/like`);
	await done(cat, 'POST', `/tweets/${made.id}/retweet`);
	await done(cat, 'POST', `/tweets/${made.id}/like`);
	await done(ada, 'PATCH', '/users/me', { bio: 'new' });
	await done(ada, 'DELETE', `/tweets/${first.id}/like`);
	const answer = await post(ada, 'answer', { reply_to_id: first.id });
	const gone = await post(ada, 'gone');
	await caughtUp(adas, bobs, bobs2, cats, anybody);
	await done(ada, 'DELETE', `/tweets/${gone.id}`);
	await caughtUp(adas, bobs, bobs2, cats, anybody);

	const retweet = cats.heard(made).find(({ event }) => event === 'tweet:retweeted').data.post;
	for (const device of [bobs, bobs2]) {
		assert.deepEqual(device.names(made, retweet, answer, gone), ['tweet:new'], 'only the quote names it');
		const [shown] = device.heard(quote);
		assert.equal(shown.data.post.quote_of_id, made.id);
		assert.equal(shown.data.post.quote_of, null);
		assert.deepEqual(device.names(ada).filter((name) => name !== 'tweet:new'), ['relationship:changed']);
		assert.deepEqual(device.names(own), ['tweet:new']);
	}
	// the one who is blocked hears nothing of it, nor of the other; and all goes on for others
	assert.deepEqual(adas.names(own), []);
	assert.deepEqual(adas.heard(bob).map(({ data }) => data.post?.id), [made.id], 'in her own text only');
	for (const name of ['tweet:new', 'tweet:updated', 'tweet:retweeted', 'tweet:liked', 'notification:new']) assert.ok(adas.names(made).includes(name), name);
	assert.deepEqual(cats.names(gone), ['tweet:new', 'tweet:deleted']);
	assert.deepEqual(cats.names(own), ['tweet:new']);
	assert.deepEqual(anybody.names(gone), ['tweet:new', 'tweet:deleted']);
	assert.ok(anybody.names(retweet).includes('tweet:retweeted'));
	assert.deepEqual(anybody.heard(ada).filter(({ event }) => /liked$/.test(event)).map(({ event }) => event), ['tweet:liked', 'tweet:unliked']);
	assert.deepEqual([cats, anybody].flatMap((one) => one.names(bob)).filter((name) => name === 'relationship:changed'), []);

	// who comes back gets what it may see now
	const later = await bobs.again();
	await caughtUp(later);
	assert.deepEqual(later.names(made, retweet, answer, gone), ['tweet:new']);
	await done(bob, 'DELETE', `/users/${ada.id}/block`);
	const after = await post(ada, 'once more #lsblock');
	await caughtUp(bobs, bobs2, later);
	for (const device of [bobs, bobs2, later]) assert.deepEqual(device.names(after), ['tweet:new']);
	const open2 = await bobs.again();
	await caughtUp(open2);
	assert.ok(open2.names(made).includes('tweet:updated') && open2.names(answer).includes('tweet:new'), 'the block is over, for the past too');
	await leave();
});

test('who has muted an account hears nothing of it until the mute ends', async () => {
	const [ada, bob, cat] = await people('ada', 'bob', 'cat');
	for (const [one, two] of [[bob, ada], [cat, ada], [bob, cat]]) await done(one, 'POST', `/users/${two.id}/follow`);
	const first = await post(bob, 'first');
	const channels = ['home', 'notifications', 'hashtag:lsmute', `user:${ada.id}`, `post:${first.id}`];
	const [bobs, cats] = [await ears(bob, channels), await ears(cat, channels)];
	await done(bob, 'POST', `/users/${ada.id}/mute`, { duration: 3600 });
	const made = await post(ada, `muted #lsmute @${bob.username}`);
	await done(cat, 'POST', `/tweets/${made.id}/retweet`);
	await done(ada, 'POST', `/tweets/${first.id}/like`);
	const answer = await post(ada, 'answer', { reply_to_id: first.id });
	await caughtUp(bobs, cats);
	assert.deepEqual(bobs.names(made, answer), []);
	assert.deepEqual(bobs.names(ada), ['relationship:changed']);
	assert.deepEqual(bobs.names(first), []);
	assert.ok(cats.names(made).includes('tweet:retweeted') && cats.names(answer).includes('tweet:new') && cats.names(first).includes('tweet:liked'));
	const during = await bobs.again();
	await caughtUp(during);
	assert.deepEqual(during.names(made, answer, first), []);

	// it ends by itself
	sql(`UPDATE roost_data.account_mute SET expires_at = now() - interval '1 second' WHERE account_id = ${bob.id}`);
	const later = await post(ada, 'heard again #lsmute');
	await caughtUp(bobs, during);
	assert.deepEqual(bobs.names(later), ['tweet:new']);
	assert.deepEqual(during.names(later), ['tweet:new']);
	await leave();
});

test('posts with a muted word are not told, whoever else is told of them', async () => {
	const [ada, bob, cat] = await people('ada', 'bob', 'cat');
	for (const one of [bob, cat]) await done(one, 'POST', `/users/${ada.id}/follow`);
	const channels = ['home', 'notifications', `user:${ada.id}`];
	const [bobs, only, cats] = [await ears(bob, channels), await ears(bob, []), await ears(cat, channels)];
	const before = await post(ada, 'a spoiler before');
	await caughtUp(bobs, only, cats);
	const word = await done(bob, 'POST', '/muted-words', { phrase: 'Spoiler' });
	const made = await post(ada, `the SPOILER is here @${bob.username}`);
	const other = await post(ada, 'spoilers are another word');
	const own = await post(bob, 'my own spoiler');
	await done(cat, 'POST', `/tweets/${made.id}/retweet`);
	await caughtUp(bobs, only, cats);
	await done(ada, 'PATCH', `/tweets/${other.id}`, { text: 'now a spoiler' });
	await caughtUp(bobs, only, cats);
	for (const one of [bobs, only]) {
		assert.deepEqual(one.names(before), ['tweet:new']);
		assert.deepEqual(one.names(made), []);
		assert.deepEqual(one.names(other), ['tweet:new']);
		assert.deepEqual(one.names(own), ['tweet:new']);
	}
	assert.deepEqual(cats.names(made), ['tweet:new', 'tweet:retweeted']);
	const later = await bobs.again();
	await caughtUp(later);
	assert.deepEqual(later.names(before, made, other), []);
	assert.deepEqual(later.names(own), ['tweet:new']);
	await done(bob, 'DELETE', `/muted-words/${word.id}`);
	const after = await post(ada, 'a spoiler afterwards');
	await caughtUp(bobs, only, later);
	for (const one of [bobs, only, later]) assert.deepEqual(one.names(after), ['tweet:new']);
	await leave();
});

test('a limited account is heard by its followers alone, and notices nothing', async () => {
	const [ada, bob, cat, dan] = await people('ada', 'bob', 'cat', 'dan');
	await done(bob, 'POST', `/users/${ada.id}/follow`);
	const first = await post(cat, 'first');
	const channels = ['home', 'notifications', 'hashtag:lslimit', `user:${ada.id}`, `post:${first.id}`];
	const [adas, bobs, cats] = [await ears(ada, channels), await ears(bob, channels), await ears(cat, channels)];
	const [listed, anybody] = [await ears(bob, ['hashtag:lslimit']), await ears(null, ['hashtag:lslimit', `user:${ada.id}`, `post:${first.id}`])];
	sql(`UPDATE roost_data.account SET limited_at = now() WHERE id = ${ada.id}`);
	const made = await post(ada, `limited #lslimit @${cat.username} @${bob.username}`);
	await done(ada, 'POST', `/tweets/${first.id}/like`);
	await done(ada, 'POST', `/users/${dan.id}/follow`);
	await done(ada, 'POST', `/users/${cat.id}/follow`);
	const answer = await post(ada, 'answer', { reply_to_id: first.id });
	await caughtUp(adas, bobs, cats, listed, anybody);
	assert.deepEqual(bobs.names(made), ['tweet:new', 'notification:new']);
	assert.deepEqual(bobs.names(answer), ['tweet:new']);
	assert.deepEqual(bobs.heard(made)[0].channels, ['home', `user:${ada.id}`], 'it is in no list');
	assert.deepEqual(adas.names(made), ['tweet:new']);
	for (const one of [cats, listed, anybody]) assert.deepEqual(one.names(made, answer).filter((name) => one !== listed || name !== 'tweet:new'), []);
	assert.deepEqual(cats.names(ada).filter((name) => name !== 'user:updated'), []);
	assert.deepEqual(anybody.names(ada).filter((name) => name !== 'user:updated'), []);
	assert.doesNotMatch(JSON.stringify(adas.heard(ada)), /limited_at|"state":"limited"/);
	const later = await cats.again();
	await caughtUp(later);
	assert.deepEqual(later.names(made, answer), []);
	sql(`UPDATE roost_data.account SET limited_at = NULL WHERE id = ${ada.id}`);
	const after = await post(ada, 'free #lslimit');
	await caughtUp(cats, anybody, listed);
	for (const one of [cats, anybody, listed]) assert.deepEqual(one.names(after), ['tweet:new']);
	await leave();
});

test('of a suspended account nothing is told', async () => {
	const [ada, bob] = await people('ada', 'bob');
	await done(bob, 'POST', `/users/${ada.id}/follow`);
	const made = await post(ada, 'before');
	const bobs = await ears(bob, ['home', 'notifications', `user:${ada.id}`, `post:${made.id}`]);
	sql(`UPDATE roost_data.account SET status = 'suspended' WHERE id = ${ada.id};
		UPDATE roost_data.post SET text = 'changed' WHERE id = ${made.id}`);
	await caughtUp(bobs);
	assert.deepEqual(bobs.names(made, ada), []);
	sql(`UPDATE roost_data.account SET status = 'active' WHERE id = ${ada.id}`);
	ada.token = (await done({}, 'POST', '/auth/login', { identifier: ada.username, password: ada.password })).access_token;
	const after = await post(ada, 'after');
	await caughtUp(bobs);
	assert.deepEqual(bobs.names(after), ['tweet:new']);
	await leave();
});

test('a post that is held is told when it is released, once; one that is hidden goes', async () => {
	const [ada, bob, cat] = await people('ada', 'bob', 'cat');
	await done(bob, 'POST', `/users/${ada.id}/follow`);
	const first = await post(cat, 'first');
	const channels = ['home', 'notifications', 'hashtag:lsheld', `user:${ada.id}`, `post:${first.id}`];
	const all = [await ears(ada, channels), await ears(bob, channels), await ears(cat, channels), await ears(null, ['hashtag:lsheld', `user:${ada.id}`, `post:${first.id}`])];
	const [adas, bobs, cats, anybody] = all;
	const held = { id: sql(`INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags, mention_ids, reply_to_id, reply_to_account_id, state)
		SELECT i, ${ada.id}, ${first.id}, now(), 'held', '{lsheld}', '{${bob.id}}', ${first.id}, ${cat.id}, 'held' FROM (SELECT roost_internal.id_next(${ada.id}) AS i) n RETURNING id`) };
	sql(`UPDATE roost_data.post SET text = 'still held' WHERE id = ${held.id}`);
	await caughtUp(...all);
	assert.deepEqual(adas.names(held), ['tweet:updated']);
	for (const one of [bobs, cats, anybody]) assert.deepEqual(one.names(held), []);
	state(held, 'visible');
	await caughtUp(...all);
	assert.deepEqual(adas.names(held), ['tweet:updated', 'tweet:updated', 'tweet:new']);
	assert.deepEqual(bobs.names(held).sort(), ['notification:new', 'tweet:new']);
	assert.deepEqual(cats.names(held).sort(), ['notification:new', 'tweet:new']);
	assert.deepEqual(anybody.names(held), ['tweet:new']);
	assert.deepEqual(anybody.heard(held)[0].channels, [`user:${ada.id}`, `post:${first.id}`, 'hashtag:lsheld']);
	for (const one of [bobs, cats, anybody]) {
		const later = await one.again();
		await caughtUp(later);
		assert.deepEqual(later.names(held).sort(), one.names(held).sort());
	}

	// hidden: for others it is gone, its author learns of the state
	const made = await post(ada, `made #lsheld @${bob.username}`);
	await caughtUp(...all);
	for (const value of ['held', 'removed']) {
		const seen = all.map((one) => one.names(made).length);
		state(made, 'visible');
		await caughtUp(...all);
		state(made, value);
		await caughtUp(...all);
		const last = adas.heard(made).at(-1);
		assert.deepEqual([last.event, last.data.post?.state], ['tweet:updated', value]);
		assert.ok(!adas.names(made).includes('tweet:deleted'));
		for (const [i, one] of all.entries()) if (one !== adas) assert.ok(one.names(made).slice(seen[i]).at(-1) === 'tweet:deleted', value);
	}
	const later = await anybody.again();
	await caughtUp(later);
	assert.ok(!JSON.stringify(later.heard(made)).includes('made #lsheld'), 'who comes back is not shown it');

	// limited: gone from lists only, and its author notices nothing
	const limited = await post(ada, 'limited #lsheld');
	await caughtUp(...all);
	state(limited, 'limited');
	await caughtUp(...all);
	assert.deepEqual(cats.names(limited).filter((name) => name !== 'tweet:updated'), ['tweet:new', 'tweet:deleted']);
	assert.deepEqual(cats.heard(limited).at(-1).channels, ['hashtag:lsheld', 'public']);
	assert.ok(!adas.names(limited).includes('tweet:deleted'));
	assert.equal(adas.heard(limited).at(-1).data.post.state, 'visible');
	await leave();
});

// Lets the questions of gateways that call a function wait for a lock while something is done.
async function whileAsking(name, columns, args, act) {
	const kept = sql(`SELECT pg_get_functiondef('roost.${name}(${args.map(() => 'bigint[]')})'::regprocedure)`);
	sql(`SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS gateway_test;
		${kept.replace(`FUNCTION roost.${name}`, `FUNCTION gateway_test.${name}`)};
		CREATE OR REPLACE FUNCTION roost.${name}(${args.map((each) => `${each} bigint[]`)}) RETURNS TABLE (${columns})
		LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
			$$ BEGIN PERFORM pg_advisory_xact_lock_shared(${KEY}); RETURN QUERY SELECT * FROM gateway_test.${name}(${args.map((each, i) => `$${i + 1}`)}); END $$`);
	try {
		const held = await hold(KEY);
		try {
			await act();
		} finally {
			await held.release();
		}
	} finally {
		await until(() => waiting(KEY) === 0, 'the end of the questions');
		sql(`${kept}; DROP FUNCTION gateway_test.${name}(${args.map(() => 'bigint[]')})`);
	}
}

test('a block or a word that comes between the reading of a row and the question who may see it holds', async () => {
	const [ada, bob, cat, dan] = await people('ada', 'bob', 'cat', 'dan');
	const [bobs, cats] = [await ears(bob, [`user:${ada.id}`]), await ears(cat, [`user:${ada.id}`])];
	let made;
	// nobody has anything to do with ada: the row was read as one for everyone
	await whileAsking('stream_data', 'seq bigint, data text, everyone boolean, strangers boolean, told text', ['seqs'], async () => {
		made = await post(ada, 'for everyone');
		await until(() => waiting(KEY) > 0, 'the question for the text');
		await done(bob, 'POST', `/users/${ada.id}/block`);
	});
	await caughtUp(bobs, cats);
	assert.deepEqual(bobs.names(made), []);
	assert.deepEqual(cats.names(made), ['tweet:new']);
	// now all are asked about; and somebody blocks her while the question waits
	await done(bob, 'DELETE', `/users/${ada.id}/block`);
	await done(dan, 'POST', `/users/${ada.id}/mute`);
	await whileAsking('stream_see', 'seq bigint, viewer_id bigint', ['seqs', 'viewer_ids'], async () => {
		made = await post(ada, 'who may see it?');
		await until(() => waiting(KEY) > 0, 'the question who may see it');
		await done(ada, 'POST', `/users/${bob.id}/block`);
		await done(cat, 'POST', '/muted-words', { phrase: 'may see' });
	});
	await caughtUp(bobs, cats);
	assert.deepEqual(bobs.names(made), []);
	assert.deepEqual(cats.names(made), []);
	await leave();
});

test('nobody sees typing or presence of who is behind a block, nor typing of who is muted', async () => {
	const [ada, bob, cat] = await people('ada', 'bob', 'cat');
	for (const [one, two] of [[ada, bob], [ada, cat], [bob, ada], [cat, ada]]) await done(one, 'POST', `/users/${two.id}/follow`);
	const [made, second] = [await post(cat, 'answer me'), await post(cat, 'me too')];
	const listen = async (user) => {
		const client = await WebSocketClient.open(gateway, { headers: bearer(user) });
		await client.ask({ type: 'subscribe', channels: ['presence', `post:${made.id}`, `post:${second.id}`, `user:${ada.id}`] });
		return client;
	};
	const [bobs, cats] = [await listen(bob), await listen(cat)];
	const signals = (client) => client.frames.map(({ payload }) => JSON.parse(payload)).filter(({ type, data }) => type === 'signal' && (data.account?.id ?? data.account_id) === ada.id).map(({ event, data }) => `${event} ${data.channel ?? ''}`.trim());
	// a signal goes to all at once, so it is there when what came after it is
	const typing = async (event, { id }) => {
		adas.json({ type: 'signal', event, channel: `post:${id}` });
		await cats.until(() => signals(cats).includes(`${event} post:${id}`), event);
		assert.equal((await bobs.ask({ type: 'ping' })).type, 'pong');
		return signals(bobs);
	};
	await done(bob, 'POST', `/users/${ada.id}/block`);
	const adas = await WebSocketClient.open(gateway, { headers: bearer(ada) });
	await adas.ask({ type: 'subscribe', channels: ['presence'] });
	const online = async (user) => (await call(gateway, 'GET', `/presence?account_ids=${ada.id}`, { token: user.token })).json.items[0].online;
	await until(() => online(cat), 'ada'); // (a server that has just begun does not announce who is online)
	// (it is over before the block is: by itself it would end at any time)
	assert.deepEqual(await typing('typing:start', made), []);
	assert.deepEqual(await typing('typing:stop', made), []);
	assert.equal(await online(bob), false);
	await done(bob, 'DELETE', `/users/${ada.id}/block`);
	await done(bob, 'POST', `/users/${ada.id}/mute`);
	assert.deepEqual(await typing('typing:start', second), []);
	assert.deepEqual(await typing('typing:stop', second), []);
	for (const client of [adas, bobs, cats]) client.destroy();
});

test('what is kept of answers for everybody goes with states and limits', async () => {
	const [ada] = await people('ada');
	const [made, second] = [await post(ada, 'kept #lscache'), await post(ada, 'kept, too #lscache')];
	const get = async (path) => {
		const answer = await fetch(`${gateway.url}/api/v1${path}`);
		return { status: answer.status, cache: answer.headers.get('x-cache'), text: await answer.text() };
	};
	const paths = [`/tweets/${made.id}`, `/users/${ada.id}/tweets`, '/tweets/public?limit=100', '/hashtags/lscache/tweets'];
	const shows = async (path) => (await get(path)).text.includes(`"id":"${made.id}"`);
	const kept = async (wanted) => {
		for (const path of paths) {
			await until(async () => {
				const answer = await get(path);
				return answer.cache === 'HIT' && answer.text.includes(`"id":"${made.id}"`) === wanted.includes(path);
			}, `${path}, kept and ${wanted.includes(path) ? 'with' : 'without'} the post`);
		}
	};
	await kept(paths);
	for (const value of ['held', 'removed']) {
		state(made, value);
		for (const path of paths) await until(async () => !await shows(path), `the end of ${path}`);
		state(made, 'visible');
		await kept(paths);
	}
	state(made, 'limited');
	await kept(paths.slice(0, 2));
	state(made, 'visible');
	await kept(paths);
	for (const change of [`limited_at = now()`, `status = 'suspended'`]) {
		sql(`UPDATE roost_data.account SET ${change} WHERE id = ${ada.id}`);
		for (const path of paths) await until(async () => !await shows(path), `the end of ${path}`);
		sql(`UPDATE roost_data.account SET limited_at = NULL, status = 'active' WHERE id = ${ada.id}`);
		await kept(paths);
	}
	assert.ok(second);
});
