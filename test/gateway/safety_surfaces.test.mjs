// One fixture through the gateway: authors that are open, private and limited, their posts of every visibility, and viewers
// of every kind. What a WebSocket, a stream of server-sent events and the routes show is what docs/safety.md says.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { WebSocketClient, account, call, caughtUp, liftLimits, sql, startGateway, until } from './lib.mjs';

const TAG = `sfs${process.pid.toString(36)}`;
const WORD = 'unspeakable';
let gateway;
let marker; // nobody has anything to do with it
let moderator;
const authors = {}; // open, closed (private), quiet (limited)
const viewers = {}; // by what they are to all authors; stranger is null
const posts = []; // { id, author, visibility, spoken, state }
const ears = {};

const done = async (user, method, path, body) => {
	const answer = await call(gateway, method, path, { token: user.token, body });
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
};
const bearer = (user) => (user ? { authorization: `Bearer ${user.token}` } : {});

// The rule, for a viewer by its name and a post.
const follows = (viewer) => ['fan', 'muter', 'worder'].includes(viewer);
const mentioned = (viewer) => ['named', 'blocked', 'blocker', 'muter', 'worder'].includes(viewer);
function sees(viewer, { author, visibility, state }) {
	if (viewer === author) return true;
	if (state === 'held' || state === 'removed' || viewer === 'blocked' || viewer === 'blocker') return false;
	if (visibility === 'direct') return mentioned(viewer) && (follows(viewer) || author !== 'quiet');
	if (visibility === 'followers' || author !== 'open') return follows(viewer) || (mentioned(viewer) && author !== 'quiet');
	return true;
}
const wants = (viewer, { author, spoken }) => viewer === author || !(viewer === 'muter' || (viewer === 'worder' && spoken));
const listed = ({ author, visibility, state }) => author === 'open' && visibility === 'public' && state === 'visible';
const names = (list) => list.map(({ name }) => name).sort();
const predicted = (viewer, rule) => names(posts.filter((post) => rule(post)));
const everyone = () => [...Object.entries(viewers), ...Object.entries(authors)];
// The posts that a text names, by the words that only they have.
const found = (text) => names(posts.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(text)));

async function listen(user) {
	const channels = ['public', `hashtag:${TAG}`, ...(user ? ['home', 'notifications'] : []), ...Object.values(authors).map(({ id }) => `user:${id}`)];
	const socket = await WebSocketClient.open(gateway, { headers: bearer(user) });
	assert.equal((await socket.ask({ type: 'subscribe', channels })).type, 'subscribed');
	const request = http.get(`${gateway.url}/api/v1/events/stream?channels=${encodeURIComponent(channels)}`, { agent: false, headers: bearer(user) });
	request.on('error', () => {});
	const [answer] = await once(request, 'response');
	assert.equal(answer.statusCode, 200);
	answer.setEncoding('utf8');
	let text = '';
	answer.on('data', (data) => { text += data; });
	answer.on('error', () => {});
	await until(() => text.includes('event: ready'), 'the beginning of the stream');
	const events = [];
	return {
		socket() {
			for (const frame of socket.frames.filter(({ payload }) => payload.includes('"type":"events"'))) {
				events.push(...JSON.parse(frame.payload).events);
				socket.frames.splice(socket.frames.indexOf(frame), 1);
			}
			return events;
		},
		stream: () => text.split('\n').slice(0, -1).filter((line) => line.startsWith('data: {"id"')).map((line) => JSON.parse(line.slice(6))),
		close: () => { socket.destroy(); request.destroy(); },
	};
}

before(async () => {
	liftLimits();
	await until(() => sql('SELECT roost.worker_sync() AND epoch IS NOT NULL FROM roost.feed_position()') === 't', 'the beginning of the log');
	gateway = await startGateway();
	[marker, moderator] = [await account(gateway, 'sf_mark'), await account(gateway, 'sf_mod')];
	sql(`SELECT roost.role_grant('${moderator.id}', 'moderator')`);
	for (const name of ['open', 'closed', 'quiet']) authors[name] = await account(gateway, `sf_${name}`);
	viewers.stranger = null;
	for (const name of ['plain', 'fan', 'named', 'blocked', 'blocker', 'muter', 'worder']) viewers[name] = await account(gateway, `sf_${name}`);
	for (const author of Object.values(authors)) {
		for (const name of ['fan', 'muter', 'worder']) await done(viewers[name], 'POST', `/users/${author.id}/follow`);
		await done(author, 'POST', `/users/${viewers.blocked.id}/block`);
		await done(viewers.blocker, 'POST', `/users/${author.id}/block`);
		await done(viewers.muter, 'POST', `/users/${author.id}/mute`);
	}
	await done(viewers.worder, 'POST', '/muted-words', { phrase: WORD });
	await done(authors.closed, 'PATCH', '/users/me', { is_private: true });
	await done(moderator, 'POST', `/admin/accounts/${authors.quiet.id}/limit`, { reason: 'a test' });
	await caughtUp(gateway); // what was done until now is told to no ears
	for (const [name, user] of everyone()) ears[name] = await listen(user);

	const at = Object.entries(viewers).filter(([name]) => mentioned(name)).map(([, { username }]) => `@${username}`).join(' ');
	for (const author of Object.keys(authors)) {
		for (const [visibility, spoken, state] of [['public'], ['unlisted'], ['followers'], ['direct'], ['public', true], ['public', false, 'limited'], ['public', false, 'held'], ['public', false, 'removed']]) {
			const post = { author, visibility, spoken: spoken ?? false, state: 'visible', become: state, name: `sf${posts.length}x${TAG}` };
			post.id = (await done(authors[author], 'POST', '/tweets', { text: `${post.name} #${TAG} ${spoken ? WORD : ''} ${at}`, visibility })).id;
			posts.push(post);
		}
	}
});
after(async () => {
	for (const one of Object.values(ears)) one.close();
	await gateway?.stop();
});

test('streams tell of each post whom the rule says, in the channels that it is in', async () => {
	const mark = await done(marker, 'POST', '/tweets', { text: 'mark' });
	const marked = (events) => events.some(({ data }) => data.post?.id === mark.id);
	await until(() => Object.values(ears).every((one) => marked(one.socket()) && marked(one.stream())), 'everything that was done before');
	for (const [viewer] of everyone()) {
		const events = ears[viewer].socket();
		assert.deepEqual(ears[viewer].stream().map(({ id }) => id), events.map(({ id }) => id), viewer);
		const told = posts.filter((post) => sees(viewer, post) && wants(viewer, post));
		const channels = (post) => [...(follows(viewer) || viewer === post.author ? ['home'] : []), `user:${authors[post.author].id}`, ...(listed(post) ? [`hashtag:${TAG}`, 'public'] : [])].sort();
		const heard = events.filter(({ event }) => event === 'tweet:new').map(({ data, channels: where }) => [found(data.post.text)[0], [...where].sort()]).filter(([name]) => name);
		assert.deepEqual(heard.sort(), told.map((post) => [post.name, channels(post)]).sort(), viewer);
		assert.deepEqual(names(events.filter(({ event }) => event === 'notification:new').map(({ data }) => ({ name: found(data.notification.post?.text ?? '')[0] }))),
			mentioned(viewer) ? names(told) : [], `notifications of ${viewer}`);
		for (const { data } of events) for (const name of found(JSON.stringify(data))) assert.ok(told.some((post) => post.name === name), `${viewer} hears of ${name}`);
	}
});

// What the routes show to a viewer; strangers ask twice, the second time from memory.
async function shown(user, path) {
	const first = await call(gateway, 'GET', path, { token: user?.token });
	if (!user) {
		const again = await call(gateway, 'GET', path);
		assert.deepEqual([again.status, found(again.text)], [first.status, found(first.text)], path);
	}
	return first;
}

async function routesAgree() {
	sql("SELECT roost.worker_sync(), roost.search_sync('60 seconds')");
	for (const [viewer, user] of everyone()) {
		const own = (post) => post.author === viewer;
		const mine = (post) => sees(viewer, post) && wants(viewer, post);
		const expect = async (path, rule) => assert.deepEqual(found((await shown(user, path)).text), predicted(viewer, rule), `${viewer} ${path}`);
		await expect('/tweets/public?limit=100', (post) => mine(post) && listed(post));
		await expect(`/hashtags/${TAG}/tweets?limit=100`, (post) => mine(post) && listed(post));
		await expect(`/search?type=posts&limit=100&q=${TAG}`, (post) => mine(post) && (listed(post) || own(post) || (follows(viewer) && post.state === 'visible' && ['public', 'followers'].includes(post.visibility))));
		if (user) await expect('/tweets/home?limit=100', (post) => mine(post) && (follows(viewer) || own(post)));
		if (user) await expect('/notifications?limit=100', (post) => mentioned(viewer) && mine(post));
		for (const [author, { id }] of Object.entries(authors)) {
			const open = author !== 'closed' || follows(viewer) || viewer === author; // lists of a private account
			await expect(`/users/${id}/tweets?limit=100`, (post) => post.author === author && open && sees(viewer, post));
		}
		for (const post of posts) {
			const { status, text } = await shown(user, `/tweets/${post.id}`);
			assert.deepEqual([status, found(text).length], sees(viewer, post) ? [200, 1] : [404, 0], `${viewer} ${JSON.stringify(post)}`);
		}
	}
}

test('routes show what the rule says', routesAgree);

test('and do when moderators have limited, held and removed posts, also from memory', async () => {
	for (const post of posts.filter(({ become }) => become)) {
		await done(moderator, 'POST', `/admin/tweets/${post.id}/${{ limited: 'limit', held: 'hold', removed: 'remove' }[post.become]}`, { reason: 'a test' });
		post.state = post.become;
	}
	// When the gateway has told of what comes after that, it has read all of it in the log, and its memory knows, too.
	const mark = await done(marker, 'POST', '/tweets', { text: 'another mark' });
	const marked = (events) => events.some(({ data }) => data.post?.id === mark.id);
	await until(() => Object.values(ears).every((one) => marked(one.socket()) && marked(one.stream())), 'everything that was done before');
	await routesAgree();
	for (const [viewer] of everyone()) {
		const gone = ears[viewer].socket().filter(({ event }) => event === 'tweet:deleted').map(({ data }) => posts.find(({ id }) => id === data.post_id)?.name);
		assert.deepEqual(gone.sort(), predicted(viewer, (post) => viewer !== post.author && sees(viewer, { ...post, state: 'visible' }) && wants(viewer, post)
			&& (['held', 'removed'].includes(post.state) || (post.state === 'limited' && post.author === 'open'))), viewer);
	}
});
