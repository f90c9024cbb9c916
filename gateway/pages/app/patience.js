// Who asks for much at once is told to wait a moment, and does.

const PATIENCE = 5; // seconds; who has to wait longer is told so
const TRIES = 4;

/** Makes a call, and makes it again where a rate limit says that it may soon: what was refused has had no effect. */
export async function patient(call) {
	for (let left = TRIES; ; left--) {
		try {
			return await call();
		} catch (error) {
			if (error.status !== 429 || !(error.retryAfter <= PATIENCE) || left === 1) throw error;
			await new Promise((resolve) => setTimeout(resolve, error.retryAfter * 1000));
		}
	}
}
