/**
 * What went wrong, as the server says it (application/problem+json): status is that of HTTP, or 0 when no answer came
 * (code: network); code is what programs decide by; field names what the caller gave;
 * retryAfter is in seconds; members are those that only some problems have, such as devices of stale_devices.
 */
export class RoostError extends Error {
	constructor({ status = 0, code = 'network', title, detail, hint, field, request_id: requestId, type, instance, ...members } = {}, { retryAfter, cause } = {}) {
		super(detail ?? title ?? code, cause && { cause });
		Object.assign(this, { name: 'RoostError', status, code, title, detail, hint, field, requestId, retryAfter, members });
	}
}

/** Makes an error of an answer, be it a problem or some proxy's page. */
export async function errorOf(answer) {
	const problem = await answer.json().catch(() => null);
	const seconds = Number(answer.headers.get('retry-after'));
	return new RoostError({ code: 'http_error', title: answer.statusText || `HTTP ${answer.status}`, ...problem, status: answer.status },
		{ retryAfter: seconds > 0 ? seconds : undefined });
}

/** Makes an error of a frame: an error, or a response with a problem. */
export function errorOfFrame({ status, code = 'error', detail, headers, body }) {
	const seconds = Number(headers?.['retry-after']);
	return new RoostError({ code, detail, ...body, status }, { retryAfter: seconds > 0 ? seconds : undefined });
}
