// What events show to whom: nothing that the one who gets them could not read at that moment, however the event comes.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, hold, liftLimits, lines, sql, startGateway, until, waiting } from './lib.mjs';

const KEY = 7411;

let gateway;
let ann; // opens and closes her account
let fan; // follows her
let eve; // does not
before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ann, fan, eve] = [await account(gateway, 'lp_ann'), await account(gateway, 'lp_fan'), await account(gateway, 'lp_eve')];
	await done(fan, 'POST', `/users/${ann.id}/follow`);
});
after(async () => { await gateway?.stop(); });

// Does something that must succeed.
async function done(user, method, path, body) {
	const answer = await call(gateway, method, path, { token: user.token, body });
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
	return answer.json;
}

const post = (user, text, more = {}) => done(user, 'POST', '/tweets', { text, ...more });

// A socket that keeps the events it gets.
async function listen(user, channels, cursor) {
	const client = await WebSocketClient.open(gateway, user ? { headers: { authorization: `Bearer ${user.token}` } } : {});
	const answer = await client.ask(cursor ? { type: 'resume', channels, cursor } : { type: 'subscribe', channels });
	assert.equal(answer.type, cursor ? 'resumed' : 'subscribed', JSON.stringify(answer));
	client.begin = answer.cursor;
	client.events = [];
	client.take = () => {
		for (const frame of client.frames.filter(({ payload }) => payload.includes('"type":"events"'))) {
			client.events.push(...JSON.parse(frame.payload).events);
			client.frames.splice(client.frames.indexOf(frame), 1);
		}
		return client.events;
	};
	client.event = (fits, what) => client.until(() => client.take().find(fits), what);
	return client;
}

// Resolves when a socket has got everything that has happened before.
let marks = 0;
async function caughtUp(...clients) {
	const text = `mark ${++marks}`;
	const mark = await post(eve, text);
	for (const client of clients) await client.event((event) => event.data.post?.id === mark.id, text);
}

test('what is hidden between the reading of a row and of its text goes to nobody who may not see it', async () => {
	sql('SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS gateway_test');
	const kept = sql(`SELECT pg_get_functiondef('roost.stream_data(bigint[])'::regprocedure)`);
	const [stranger, other, follower] = [await listen(null, ['public', `user:${ann.id}`]), await listen(eve, ['public', `user:${ann.id}`]), await listen(fan, ['public', 'home'])];
	sql(`SET client_min_messages = warning;
		${kept.replace('FUNCTION roost.stream_data', 'FUNCTION gateway_test.stream_data')};
		CREATE OR REPLACE FUNCTION roost.stream_data(seqs bigint[]) RETURNS TABLE (seq bigint, data text, everyone boolean, strangers boolean, told text)
		LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
			$$ BEGIN PERFORM pg_advisory_xact_lock_shared(${KEY}); RETURN QUERY SELECT * FROM gateway_test.stream_data(seqs); END $$`);
	try {
		const held = await hold(KEY);
		let hidden;
		try {
			hidden = await post(ann, 'open for a moment');
			await until(() => waiting(KEY) > 0, 'the question for the text');
			await done(ann, 'PATCH', `/tweets/${hidden.id}`, { text: 'SECRETWORD of followers', visibility: 'followers' });
		} finally {
			await held.release();
		}
		const event = await follower.event(({ data }) => data.post?.id === hidden.id, 'the post');
		assert.equal(event.data.post.text, 'SECRETWORD of followers');
		await caughtUp(stranger, other, follower);
		for (const client of [stranger, other]) assert.deepEqual(client.take().filter(({ data }) => data.post?.id === hidden.id), []);
	} finally {
		sql(`${kept}; DROP FUNCTION gateway_test.stream_data(bigint[])`);
	}
	for (const client of [stranger, other, follower]) client.destroy();
});

test('what was hidden while a subscriber waited is not given to it from memory', async () => {
	const late = await account(gateway, 'lp_late');
	const kept = sql(`SELECT pg_get_functiondef('roost.stream_home(bigint)'::regprocedure)`);
	const witness = await listen(fan, ['public', `user:${ann.id}`]);
	const held = await hold(KEY);
	let client;
	try {
		sql(kept.replace('BEGIN\n', `BEGIN\nPERFORM pg_advisory_xact_lock_shared(${KEY});\n`));
		client = await listen(late, ['home', 'public']);
		await until(() => waiting(KEY) > 0, 'the question for whom it follows');
		const made = await post(ann, 'SECRETWORD for a moment');
		await witness.event(({ data }) => data.post?.id === made.id, 'the post');
		await done(ann, 'PATCH', `/tweets/${made.id}`, { visibility: 'followers' });
		await witness.event(({ event, data }) => event === 'tweet:updated' && data.post.id === made.id, 'its change');
	} finally {
		sql(kept);
		await held.release();
	}
	await caughtUp(client, witness);
	assert.doesNotMatch(JSON.stringify(client.take()), /SECRETWORD/);
	for (const one of [client, witness]) one.destroy();
});

test('of what one does not want to hear, notifications say nothing, live or later', async () => {
	const made = await post(ann, 'like this');
	await done(ann, 'PUT', `/notifications/muted/${eve.id}`);
	await done(ann, 'PUT', '/notifications/preferences', { follow: 'nobody' });
	const bob = await account(gateway, 'lp_bob');
	const client = await listen(ann, ['notifications', 'public']);
	await done(eve, 'POST', `/tweets/${made.id}/like`);
	await done(eve, 'POST', `/users/${ann.id}/follow`);
	await done(bob, 'POST', `/users/${ann.id}/follow`);
	await done(bob, 'POST', `/tweets/${made.id}/like`);
	await caughtUp(client);
	const later = await listen(ann, ['notifications', 'public'], client.begin);
	await caughtUp(later);
	for (const heard of [client.take(), later.take(), (await call(gateway, 'GET', `/events?channels=notifications&after=${client.begin}`, { token: ann.token })).json.events])
		assert.deepEqual(heard.filter(({ data }) => !data.post).map(({ event, data }) => [event, (data.account ?? data.notification.account).id]),
			[['tweet:liked', bob.id], ['notification:new', bob.id]]);
	await done(ann, 'DELETE', `/notifications/muted/${eve.id}`);
	await done(ann, 'PUT', '/notifications/preferences', { follow: 'everyone' });
	await done(eve, 'DELETE', `/users/${ann.id}/follow`);
	for (const one of [client, later]) one.destroy();
});

// Everybody's view of an event stream, whichever way it comes; each event is checked against what its reader could GET.
async function views(user, channels) {
	const client = await listen(user, channels);
	const cursor = client.begin;
	const token = user?.token;
	return {
		user,
		client,
		async poll() { return (await call(gateway, 'GET', `/events?channels=${channels}&after=${cursor}&limit=1000`, { token })).json.events; },
		async resume() {
			const again = await listen(user, channels, cursor);
			await caughtUp(again);
			again.destroy();
			return again.take();
		},
		async sse() {
			const answer = await fetch(`${gateway.url}/events/stream?channels=${channels}&after=${cursor}`, { headers: token ? { authorization: `Bearer ${token}` } : {} });
			const mark = await post(eve, `mark ${++marks}`);
			let text = '';
			for await (const part of answer.body) if ((text += Buffer.from(part)).includes(mark.id)) break;
			return lines(text).filter((line) => line.startsWith('data: {"id"')).map((line) => JSON.parse(line.slice(6)));
		},
	};
}

test('nobody sees hidden posts, however and whenever they were hidden', async () => {
	await done(ann, 'PATCH', '/users/me', { is_private: false });
	const friend = await account(gateway, 'lp_friend'); // follows ann, and then does not any more
	const named = await account(gateway, 'lp_named'); // is mentioned
	await done(friend, 'POST', `/users/${ann.id}/follow`);
	const first = await post(ann, 'first of all');
	const channels = ['public', 'hashtag:lptag', `user:${ann.id}`, `user:${fan.id}`, `post:${first.id}`];
	const own = [...channels, 'home', 'notifications'];
	const all = await Promise.all([[null, channels], [eve, own], [fan, own], [friend, own], [named, own], [ann, own]].map(([user, list]) => views(user, list)));
	const [anybody, stranger, follower, former, mentioned, author] = all;
	const everywhere = all.map(({ client }) => client);

	const posts = {};
	posts.followers = await post(ann, 'SECRET followers #lptag', { visibility: 'followers' });
	posts.direct = await post(ann, `SECRET direct #lptag @${named.username}`, { visibility: 'direct' });
	posts.answer = await post(ann, 'SECRET answer', { visibility: 'followers', reply_to_id: first.id });
	posts.quote = await post(fan, 'a word on it #lptag', { quote_of_id: posts.followers.id });
	posts.reply = await post(fan, 'SECRET answer to it', { visibility: 'followers', reply_to_id: posts.followers.id });
	await done(fan, 'POST', `/tweets/${posts.followers.id}/like`);
	await done(fan, 'POST', `/tweets/${first.id}/retweet`);
	posts.closed = await post(ann, 'opened #lptag');
	await caughtUp(...everywhere);
	await done(ann, 'PATCH', `/tweets/${posts.closed.id}`, { text: 'SECRET closed', visibility: 'followers' });
	await done(ann, 'PATCH', '/users/me', { is_private: true });
	posts.private = await post(ann, 'SECRET private #lptag');
	await done(ann, 'PATCH', `/tweets/${first.id}`, { text: 'SECRET first' });
	await done(fan, 'POST', `/tweets/${posts.private.id}/like`);
	await caughtUp(...everywhere);
	await done(friend, 'DELETE', `/users/${ann.id}/follow`);
	posts.last = await post(ann, 'SECRET last');
	await done(fan, 'POST', `/tweets/${posts.last.id}/like`);
	await done(ann, 'DELETE', `/tweets/${posts.followers.id}`);
	await caughtUp(...everywhere);

	// what each of them has got at the time
	const texts = ({ client }) => client.take().map(({ data }) => data.post ?? data.notification?.post).filter(Boolean).flatMap((one) => [one, one.retweet_of, one.quote_of])
		.map((one) => one?.text).filter((text) => /SECRET/.test(text));
	const ids = ({ client }, post) => client.take().filter((event) => JSON.stringify(event).includes(post.id));
	for (const view of [anybody, stranger]) {
		assert.deepEqual(texts(view), []);
		for (const name of ['direct', 'answer', 'private', 'last', 'reply']) assert.deepEqual(ids(view, posts[name]), [], name);
	}
	assert.deepEqual([...new Set(texts(mentioned))], [`SECRET direct #lptag @${named.username}`]);
	assert.ok(!texts(former).includes('SECRET last') && texts(former).includes('SECRET private #lptag'));
	assert.deepEqual(ids(former, posts.last), []);
	for (const text of ['SECRET followers #lptag', 'SECRET answer', 'SECRET closed', 'SECRET private #lptag', 'SECRET first', 'SECRET last']) {
		assert.ok(texts(follower).includes(text), text);
		assert.ok(texts(author).includes(text), text);
	}

	// and who reads it all again sees of it what it may GET now
	for (const view of all) {
		for (const how of ['poll', 'resume', 'sse']) {
			for (const event of await view[how]()) {
				const shown = [event.data.post, event.data.notification?.post].filter(Boolean).flatMap((one) => [one, one.retweet_of, one.quote_of]).filter(Boolean);
				for (const one of [...shown, ...(/like/.test(event.event) ? [{ id: event.data.post_id }] : [])]) {
					const answer = await call(gateway, 'GET', `/tweets/${one.id}`, { token: view.user?.token });
					assert.equal(answer.status, 200, `${how} shows ${view.user?.username} ${JSON.stringify(event)}`);
					if (one.text) assert.equal(answer.json.text, one.text);
				}
			}
		}
	}
	for (const client of everywhere) client.destroy();
});

test('when a private account goes, strangers learn no id of its posts', async () => {
	const pia = await account(gateway, 'lp_pia');
	await done(fan, 'POST', `/users/${pia.id}/follow`);
	await done(pia, 'PATCH', '/users/me', { is_private: true });
	const made = await post(pia, 'SECRET until the end');
	const [stranger, reader] = [await listen(null, ['public', `user:${pia.id}`]), await listen(fan, ['public', `post:${made.id}`])];
	await done(pia, 'DELETE', '/users/me', { password: pia.password });
	await caughtUp(stranger, reader);
	const later = await listen(null, ['public', `user:${pia.id}`], stranger.begin);
	await caughtUp(later);
	for (const client of [stranger, later]) {
		assert.ok(client.take().some(({ event }) => event === 'user:deleted'));
		assert.deepEqual(client.take().filter((event) => JSON.stringify(event).includes(made.id)), []);
	}
	assert.deepEqual(reader.take().filter(({ event }) => event === 'tweet:deleted').map(({ data }) => data), [{ post_id: made.id, author_id: pia.id }]);
	for (const client of [stranger, reader, later]) client.destroy();
});
