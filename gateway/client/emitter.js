// Events with names: on(), off(), once(), and '*' for all of them.

export class Emitter {
	#listeners = new Map();

	/**
	 * Calls fn(data, event) at every event of a name, or at all of them with '*'. Returns a function that ends it.
	 * @param {string} name @param {Function} fn
	 */
	on(name, fn) {
		if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
		this.#listeners.get(name).add(fn);
		return () => this.off(name, fn);
	}

	/** The same, for one time. */
	once(name, fn) {
		const end = this.on(name, (...args) => { end(); fn(...args); });
		return end;
	}

	off(name, fn) {
		this.#listeners.get(name)?.delete(fn);
	}

	/** Calls who listens. One that throws is reported and keeps no other from its event. */
	emit(name, data, event = { event: name, data }) {
		for (const key of [name, '*']) {
			for (const fn of [...this.#listeners.get(key) ?? []]) {
				try {
					fn(data, event);
				} catch (error) {
					(globalThis.reportError ?? console.error)(error);
				}
			}
		}
	}
}
