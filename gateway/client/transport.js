// Three ways to hear what happens, with one face. A transport is made with a link:
//
//   { roost, channels(), cursor(), frame(object), closed(code, error) }
//
// It calls link.frame() with what the server says (frames of docs/live.md; the
// other two say theirs in the same words) and link.closed() once, at its end.
// close() ends it without that call.

import { RoostError, errorOf } from './error.js';

const POLL_WAIT = 25; // seconds

/** Joins the address of a stream and its parameters; commas and colons stay readable. */
const address = (roost, path, query) => `${roost.base}${path}?${Object.entries(query).filter(([, value]) => value !== null && value !== undefined)
	.map(([name, value]) => `${name}=${encodeURIComponent(value).replace(/%2C/g, ',').replace(/%3A/g, ':')}`).join('&')}`;

class WebSocketTransport {
	canSend = true;
	#socket;
	#over = false;

	static possible(roost) {
		return Boolean(roost.WebSocket);
	}

	open(link) {
		const url = `${link.roost.base.replace(/^http/, 'ws')}/stream`;
		const end = (code, error) => {
			if (this.#over) return;
			this.close();
			link.closed(code, error);
		};
		try {
			this.#socket = new link.roost.WebSocket(url, ['roost.v1']);
		} catch (error) { // a policy may forbid it
			queueMicrotask(() => end(0, error));
			return;
		}
		this.#socket.onmessage = ({ data }) => {
			if (this.#over) return;
			let frame;
			try {
				frame = JSON.parse(data);
			} catch (error) {
				end(1007, error);
				return;
			}
			link.frame(frame);
		};
		this.#socket.onerror = () => {};
		this.#socket.onclose = ({ code }) => end(code === 1006 ? 0 : code);
	}

	send(frame) {
		if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
	}

	close() {
		this.#over = true;
		if (this.#socket && this.#socket.readyState < 2) this.#socket.close(1000);
	}
}

/** What the two over HTTP share: a request that can be cut off, and its errors as close codes. */
class HttpTransport {
	canSend = false;
	abort = new AbortController();

	static possible() {
		return true;
	}

	async get(link, path, query, accept) {
		await link.roost.fresh();
		const init = link.roost.credentials('GET', { headers: { accept } });
		const answer = await link.roost.fetch(address(link.roost, path, query), { ...init, signal: this.abort.signal })
			.catch((cause) => { throw new RoostError({ detail: 'The server cannot be reached.' }, { cause }); });
		if (!answer.ok) throw await errorOf(answer);
		return answer;
	}

	open(link) {
		this.run(link).then(() => this.finish(link, 0), (error) => this.finish(link, error.status === 401 ? 4401 : 0, error));
	}

	finish(link, code, error) {
		if (this.abort.signal.aborted) return;
		this.close();
		link.closed(code, error);
	}

	send() {}

	close() {
		this.abort.abort();
	}
}

class EventStreamTransport extends HttpTransport {
	async run(link) {
		const answer = await this.get(link, '/events/stream', { channels: link.channels().join(','), after: link.cursor() }, 'text/event-stream');
		if (!/^text\/event-stream/.test(answer.headers.get('content-type') ?? '')) throw new RoostError({ code: 'not_a_stream', status: answer.status });
		link.frame({ type: 'hello', heartbeat: 15 });
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
		for (let rest = ''; ;) {
			const { value, done } = await reader.read();
			if (done || this.abort.signal.aborted) return;
			const parts = (rest + value).split('\n\n');
			rest = parts.pop();
			for (const part of parts) this.#take(link, part);
		}
	}

	// Says one event of the stream as a frame.
	#take(link, text) {
		const fields = {};
		for (const line of text.split('\n')) {
			const [, name, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
			if (name) fields[name] = name === 'data' && 'data' in fields ? `${fields.data}\n${value}` : value;
		}
		const data = fields.data ? JSON.parse(fields.data) : {};
		if (fields.event === 'ready') link.frame({ type: link.cursor() ? 'resumed' : 'subscribed', ...data });
		else if (fields.event === 'reset') link.frame({ type: 'reset', cursor: fields.id, ...data });
		else if (fields.event === 'expired') this.finish(link, 4401);
		else if (fields.event && data.id) link.frame({ type: 'events', events: [data], cursor: fields.id });
		else if (fields.event && data.event) link.frame({ type: 'signal', ...data });
		else link.frame({ type: 'pong', cursor: fields.id });
	}
}

class PollTransport extends HttpTransport {
	async run(link) {
		link.frame({ type: 'hello', heartbeat: POLL_WAIT + 10 });
		for (let wait = 0; !this.abort.signal.aborted; wait = POLL_WAIT) {
			const after = link.cursor();
			const answer = await this.get(link, '/events', { channels: link.channels().join(','), after, wait }, 'application/json');
			const { events, cursor, recovered } = await answer.json();
			if (this.abort.signal.aborted) return;
			if (wait === 0) link.frame({ type: after ? 'resumed' : 'subscribed', recovered, cursor });
			else if (recovered === false) link.frame({ type: 'reset', cursor });
			link.frame({ type: 'events', events, cursor });
		}
	}
}

/** The best one first. */
export const transports = { websocket: WebSocketTransport, sse: EventStreamTransport, poll: PollTransport };
