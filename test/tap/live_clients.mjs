// Many clients of streams in one process, for live_chaos.pl and chat_chaos.pl: WebSockets over bare sockets, server-sent events and long polls.
//
// Each one subscribes, keeps its cursor, comes back with it after whatever happens, and notes what it gets. The first line of
// the input is {"ports", "accounts": [{"id", "token"}], "clients": [{"account", "channels", "transport"}], "seed", "writers", "posts"}, with "conversation" for writers of messages; then lines with a
// command: "stall N", "drop N", "abuse", "quiet" (stops the writers), "finish SEQ FILE". Answers: "live N" when all have begun, "quiet", "finished N".
// The file has lines with tabs: "span CLIENT FROM TO" (what was to be received) and "heard CLIENT SEQ PART EVENT HOME SUBJECT".
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';

const say = (text) => process.stdout.write(`${text}\n`);
const lines = createInterface({ input: process.stdin });
const input = lines[Symbol.asyncIterator]();
const setup = JSON.parse((await input.next()).value);

// xorshift: the same seed gives the same choices
let state = (setup.seed >>> 0) || 1;
function random(n) {
	state ^= state << 13; state >>>= 0;
	state ^= state >>> 17;
	state ^= state << 5; state >>>= 0;
	return state % n;
}
const pick = (list) => list[random(list.length)];
const seqOf = (cursor) => Number(cursor.split('-')[1]);

let begun = 0;

class Client {
	cursor = null;
	epoch = null;
	spans = [];
	heard = [];
	ids = new Set();
	last = [0, 0];
	disorder = 0;
	doubles = 0;
	failures = 0;
	connects = 0;

	constructor({ account, channels, transport }, index) {
		Object.assign(this, { index, channels, transport, account: account === null ? null : setup.accounts[account] });
		this.later(random(2000));
	}

	get port() { return pick(setup.ports); }
	get headers() { return this.account ? { authorization: `Bearer ${this.account.token}` } : {}; }

	later(wait) {
		this.timer = setTimeout(() => this.connect(), wait);
	}

	// Comes back after a pause that doubles, with jitter; at once (almost) after one that worked.
	again() {
		if (this.broken) return;
		this.broken = true;
		this.close();
		this.failures++;
		this.later(50 + random(Math.min(2000, 100 * 2 ** Math.min(this.failures, 5))));
	}

	connect() {
		this.broken = false;
		this.live = false;
		this.connects++;
		this.open();
	}

	// A cursor to begin with: everything after it must come, or a new beginning be told.
	begin(cursor) {
		if (this.cursor === null) {
			this.spans.push([seqOf(cursor), null]);
			if (++begun === clients.length) say(`live ${begun}`);
		}
		this.move(cursor, 'beginning');
		this.failures = 0;
	}

	move(cursor, what) {
		if (this.cursor !== null && seqOf(cursor) < seqOf(this.cursor)) this.trouble(`${what} ${this.cursor} ${cursor}`);
		this.cursor = cursor;
	}

	// Something came in the wrong order.
	trouble(what) {
		this.disorder++;
		say(`trouble ${this.index} ${this.transport} ${this.connects} ${Date.now() % 1000000}: ${what}`);
	}

	// The log does not go on.
	reset(cursor) {
		if (this.cursor !== null) {
			this.spans.at(-1)[1] = seqOf(this.cursor);
			this.spans.push([seqOf(cursor), null]);
		}
		this.cursor = cursor;
		this.resets = (this.resets ?? 0) + 1;
	}

	take({ id, event, channels, data }) {
		if (this.ids.has(id)) {
			this.doubles++;
			return;
		}
		this.ids.add(id);
		const [seq, part] = id.split('.').map(Number);
		if (seq < this.last[0] || (seq === this.last[0] && part <= this.last[1])) this.trouble(`${id} after ${this.last.join('.')}`);
		this.last = [seq, part];
		const subject = data.post?.id ?? data.post_id ?? data.message?.id ?? data.message_id ?? data.target?.id ?? data.account?.id ?? '';
		this.heard.push(`${seq}\t${part}\t${event}\t${channels.includes('home') ? 1 : 0}\t${subject}`);
	}
}

const MASK = Buffer.from([1, 2, 3, 4]);

function frame(opcode, payload) {
	const length = payload.length;
	const head = length < 126 ? Buffer.from([0x80 | opcode, 0x80 | length]) : Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 255]);
	const masked = Buffer.from(payload);
	for (let i = 0; i < length; i++) masked[i] ^= MASK[i & 3];
	return Buffer.concat([head, MASK, masked]);
}

class Socket extends Client {
	open() {
		const socket = this.socket = net.connect(this.port, '127.0.0.1');
		let rest = Buffer.alloc(0);
		let upgraded = false;
		socket.on('connect', () => socket.write(`GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
			`Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: roost.v1\r\n${this.account ? `Authorization: Bearer ${this.account.token}\r\n` : ''}\r\n`));
		socket.on('data', (data) => {
			if (this.socket !== socket) return;
			rest = rest.length ? Buffer.concat([rest, data]) : data;
			if (!upgraded) {
				const end = rest.indexOf('\r\n\r\n');
				if (end < 0) return;
				if (!rest.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) return this.again();
				upgraded = true;
				rest = rest.subarray(end + 4);
				this.send(this.cursor === null ? { type: 'subscribe', id: 1, channels: this.channels } : { type: 'resume', id: 1, channels: this.channels, cursor: this.cursor });
			}
			rest = this.frames(rest);
		});
		socket.on('error', () => {});
		socket.on('close', () => { if (this.socket === socket) this.again(); });
	}

	// Takes whole frames from a buffer; returns the rest.
	frames(buffer) {
		for (;;) {
			if (buffer.length < 2) return buffer;
			let length = buffer[1] & 127;
			let start = 2;
			if (length === 126) {
				if (buffer.length < 4) return buffer;
				length = buffer.readUInt16BE(2);
				start = 4;
			} else if (length === 127) {
				if (buffer.length < 10) return buffer;
				length = Number(buffer.readBigUInt64BE(2));
				start = 10;
			}
			if (buffer.length < start + length) return buffer;
			const opcode = buffer[0] & 15;
			const payload = buffer.subarray(start, start + length);
			buffer = buffer.subarray(start + length);
			if (opcode === 9) this.socket.write(frame(10, payload));
			else if (opcode === 8) return this.again(), Buffer.alloc(0);
			else if (opcode === 1) this.message(JSON.parse(payload));
			if (this.broken) return Buffer.alloc(0);
		}
	}

	message(message) {
		this.live ||= message.type === 'subscribed' || message.type === 'resumed';
		switch (message.type) {
			case 'subscribed': return this.begin(message.cursor);
			case 'resumed':
				this.failures = 0;
				return message.recovered ? undefined : this.reset(message.cursor);
			case 'events':
				for (const event of message.events) this.take(event);
				return this.move(message.cursor, 'events');
			case 'reset': return this.reset(message.cursor);
			case 'pong': return message.cursor && this.cursor !== null ? this.move(message.cursor, 'pong') : undefined;
			case 'error': return this.again();
		}
	}

	send(message) {
		if (this.socket?.writable) this.socket.write(frame(1, Buffer.from(JSON.stringify(message))));
	}

	// Before it has resumed, a socket is told how far the gateway is, not how far it is itself.
	ask() { if (this.live) this.send({ type: 'ping', id: 2 }); }
	stall(stop) { this.socket?.[stop ? 'pause' : 'resume'](); }
	close() { this.socket?.destroy(); }
}

class EventStream extends Client {
	open() {
		const request = this.request = http.get({ host: '127.0.0.1', port: this.port, path: `/api/v1/events/stream?channels=${encodeURIComponent(this.channels.join())}`, agent: false, headers: { ...this.headers, ...(this.cursor === null ? {} : { 'last-event-id': this.cursor }) } });
		const over = () => { if (this.request === request) this.again(); };
		request.on('error', over);
		request.on('close', over);
		request.on('response', (answer) => {
			if (answer.statusCode !== 200) return this.again();
			let rest = '';
			this.answer = answer.setEncoding('utf8');
			answer.on('error', () => {});
			answer.on('data', (data) => {
				// what a stalled connection had left is not of this one
				if (this.broken || this.request !== request) return;
				const parts = (rest + data).split('\n\n');
				rest = parts.pop();
				for (const part of parts) this.part(Object.fromEntries(part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])));
			});
		});
	}

	part({ event, id, data }) {
		const content = data && JSON.parse(data);
		if (event === 'ready') {
			this.failures = 0;
			if (this.cursor === null) this.begin(content.cursor);
			else if (!content.recovered) this.reset(content.cursor);
		} else if (event === 'reset') this.reset(content.cursor);
		else if (event && content.id) this.take(content);
		if (id && this.cursor !== null && event !== 'reset') this.move(id, event ?? 'heartbeat');
	}

	ask() {}
	stall(stop) { this.answer?.[stop ? 'pause' : 'resume'](); }
	close() { this.request?.destroy(); }
}

class Poll extends Client {
	open() {
		const query = new URLSearchParams({ channels: this.channels.join(), ...(this.cursor === null ? {} : { after: this.cursor, wait: finishing ? 1 : 20 }) });
		const request = this.request = http.get({ host: '127.0.0.1', port: this.port, path: `/api/v1/events?${query}`, agent: false, headers: this.headers });
		const over = () => { if (this.request === request) this.again(); };
		request.on('error', over);
		request.on('response', (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (data) => { text += data; });
			answer.on('error', over);
			answer.on('aborted', over);
			answer.on('end', () => {
				if (this.broken || this.request !== request) return;
				if (answer.statusCode !== 200 || !answer.complete) return this.again();
				const { events, cursor, recovered } = JSON.parse(text);
				if (this.cursor === null) this.begin(cursor);
				else if (!recovered) this.reset(cursor);
				else {
					for (const event of events) this.take(event);
					this.move(cursor, 'answer');
					this.failures = 0;
				}
				this.broken = true;
				this.later(random(20));
			});
		});
	}

	ask() {}
	stall() {}
	close() { this.request?.destroy(); }
}

const kinds = { websocket: Socket, sse: EventStream, poll: Poll };
let finishing = false;
const clients = [];
for (const [index, client] of setup.clients.entries()) clients.push(new kinds[client.transport](client, index));

// Writers over HTTP, who care for no answer.
let writing = true;
let writes = 0;

function call(method, path, token, body) {
	return new Promise((resolve) => {
		const request = http.request({ host: '127.0.0.1', port: pick(setup.ports), method, path: `/api/v1${path}`, agent: false, timeout: 10000, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (data) => { text += data; });
			answer.on('error', resolve);
			answer.on('aborted', resolve);
			answer.on('end', () => resolve(answer.statusCode < 300 && text ? JSON.parse(text) : undefined));
		});
		request.on('error', resolve);
		request.on('timeout', () => request.destroy());
		request.end(body && JSON.stringify(body));
	});
}

async function write() {
	const recent = [...setup.posts];
	while (writing) {
		const { token, id } = pick(setup.accounts);
		const post = pick(recent.slice(-20));
		const choice = random(20);
		if (choice < 9) {
			const made = await call('POST', '/tweets', token, { text: `written ${++writes} #tag${random(5)}`, ...(choice < 2 ? { reply_to_id: post } : {}) });
			if (made?.id) recent.push(made.id);
		} else if (choice < 14) await call('POST', `/tweets/${post}/like`, token);
		else if (choice < 15) await call('DELETE', `/tweets/${post}/like`, token);
		else if (choice < 17) await call('POST', `/tweets/${post}/retweet`, token);
		else if (choice < 18) await call('DELETE', `/tweets/${post}`, token);
		else await call(choice < 19 ? 'POST' : 'DELETE', `/users/${pick(setup.accounts.filter((account) => account.id !== id)).id}/follow`, token);
		await new Promise((resolve) => setTimeout(resolve, 20 + random(setup.pause)));
	}
}

// Writes messages, each until an answer says that it is there: with the same client_id, so it must be there once.
async function talk() {
	while (writing) {
		const { token } = pick(setup.accounts);
		const client_id = `chaos-${++writes}`;
		const body = { conversation_id: setup.conversation, text: `said ${writes}`, client_id };
		let made;
		while (!made?.id) {
			made = await call('POST', '/messages', token, body);
			if (!made?.id) await new Promise((resolve) => setTimeout(resolve, 100 + random(200)));
		}
		// somebody has got it
		await call('POST', `/messages/${made.id}/${pick(['delivered', 'read'])}`, pick(setup.accounts).token);
		await new Promise((resolve) => setTimeout(resolve, 20 + random(setup.pause)));
	}
}
const writers = Array.from({ length: setup.writers }, setup.conversation ? talk : write);

// Strangers who break the rules: garbage, frames without end, connects without end, a head that never ends.
function abuse() {
	const port = pick(setup.ports);
	const handshake = 'GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
	const garbage = Buffer.from(Array.from({ length: 4096 }, () => random(256)));
	const flood = Buffer.concat(Array.from({ length: 500 }, () => frame(1, Buffer.from('{"type":"ping"}'))));
	const bad = (bytes, times) => {
		const socket = net.connect(port, '127.0.0.1', () => {
			socket.write(handshake);
			for (let i = 0; i < times; i++) socket.write(bytes);
		});
		socket.on('error', () => {});
		setTimeout(() => socket.destroy(), 2000);
	};
	for (let i = 0; i < 5; i++) {
		bad(garbage, 20);
		bad(flood, 40);
	}
	let n = 0;
	const connects = setInterval(() => {
		for (let i = 0; i < 20; i++) {
			const socket = net.connect(port, '127.0.0.1', () => setTimeout(() => socket.destroy(), 200));
			socket.on('error', () => {});
		}
		if (++n === 50) clearInterval(connects);
	}, 20);
}

// Waits until every client knows of everything up to a row, then writes down what they have got.
async function finish(seq, file) {
	finishing = true;
	for (;;) {
		const behind = clients.filter(({ cursor }) => cursor === null || seqOf(cursor) < seq);
		if (behind.length === 0) break;
		say(`behind ${behind.length}: ${behind.slice(0, 3).map((client) => `${client.index} ${client.transport} ${client.cursor} ${client.connects} ${client.failures}`).join('; ')}`);
		for (const client of behind) client.ask();
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
	const out = [];
	for (const client of clients) {
		client.spans.at(-1)[1] = seqOf(client.cursor);
		for (const [from, to] of client.spans) out.push(`span\t${client.index}\t${from}\t${to}\t${client.resets ?? 0}\t${client.disorder}\t${client.doubles}\t${client.connects}`);
		for (const heard of client.heard) out.push(`heard\t${client.index}\t${heard}`);
	}
	writeFileSync(file, `${out.join('\n')}\n`);
	say(`finished ${clients.length}`);
	process.exit(0);
}

for await (const line of input) {
	const [command, ...words] = line.split(' ');
	if (command === 'stall') for (let i = 0; i < Number(words[0]); i++) {
		const client = pick(clients);
		client.stall(true);
		setTimeout(() => client.stall(false), 2000 + random(4000));
	}
	else if (command === 'drop') for (let i = 0; i < Number(words[0]); i++) pick(clients).close();
	else if (command === 'abuse') abuse();
	else if (command === 'quiet') {
		writing = false;
		await Promise.all(writers);
		say(setup.conversation ? `quiet ${writes}` : 'quiet');
	} else if (command === 'finish') finish(Number(words[0]), words[1]);
}
