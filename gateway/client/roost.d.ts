// Types of the client. The shapes of posts and accounts are those of /openapi.json.

export interface Author { id: string; username: string; display_name: string; avatar_url: string | null }
export interface Relationship { account_id: string; following: boolean; followed_by: boolean; requested: boolean; requested_by: boolean;
	blocking: boolean; blocked_by: boolean; muting: boolean }
export interface Account extends Author {
	bio: string; header_url: string | null; url: string; language: string; is_private: boolean; is_verified: boolean; created_at: string;
	follower_count: number; following_count: number; post_count: number; relationship?: Relationship | null;
}
export interface Me extends Account { email: string; email_verified: boolean; birth_date: string | null; age: number | null; role: string }
export interface PostEmbed {
	id: string; author: Author; text: string; created_at: string; edited_at: string | null; visibility: 'public' | 'unlisted' | 'followers' | 'direct';
	reply_to_id: string | null; reply_to_account_id: string | null; thread_id: string; quote_of_id: string | null;
	like_count: number; retweet_count: number; reply_count: number; quote_count: number;
	liked?: boolean; retweeted?: boolean; bookmarked?: boolean; pinned?: boolean;
	mentions: { id: string; username: string; start: number; end: number }[]; hashtags: string[]; urls: { url: string; start: number; end: number }[];
	media: { url: string; type: string; preview_url?: string; description?: string }[];
	language: string | null; content_warning: string | null; url: string;
	state: 'visible' | 'held' | 'removed'; labels: string[];
}
export interface Post extends PostEmbed { retweet_of: PostEmbed | null; quote_of: PostEmbed | null }
export interface NotificationAct {
	id: string; group_id: string; type: 'follow' | 'follow_request' | 'like' | 'retweet' | 'quote' | 'reply' | 'mention' | 'friend_request' | 'friend_accepted';
	account: Author; post: PostEmbed | null; created_at: string;
}

export interface CallSignal { conversation_id: string; account: Author; event: string; data: Record<string, unknown> }
export interface MessageReaction { reaction: string; count: number; mine: boolean }
export interface MessageEmbed { id: string; sender: Author; text: string | null; encrypted: boolean; created_at: string; deleted_at: string | null }
/** In events state, the counts and client_id are null: they speak of the reader. */
export interface Message {
	id: string; conversation_id: string; sender: Author; text: string | null; media: unknown[] | null; encrypted: boolean;
	action: string | null; target: Author | null; detail: unknown; reply_to: MessageEmbed | null; forwarded: boolean; reactions: MessageReaction[] | null;
	state: 'sent' | 'delivered' | 'read' | null; delivered_count: number | null; read_count: number | null; client_id: string | null;
	created_at: string; edited_at: string | null; deleted_at: string | null; expires_at: string | null;
}
export interface ConversationMember { account: Author; role: 'member' | 'admin' | 'owner'; joined_at: string; read_id: string | null; delivered_id: string | null }
export interface Conversation {
	id: string; kind: 'direct' | 'group'; encryption: 'none' | 'e2ee'; title: string; description: string; avatar_url: string; created_at: string;
	member_count: number; members: Author[]; role: ConversationMember['role'] | null; expire_after: number | null; can_send: boolean | null; read_id: string | null;
	unread_count: number | null; last_message: Message | null; muted: boolean | null; muted_until: string | null; archived: boolean | null; pinned: boolean | null;
}

/** What is said of each event. Those of the log have an id; signals and what the client itself says have none. */
export interface EventMap {
	'tweet:new': { post: Post };
	'tweet:retweeted': { post: Post };
	'tweet:updated': { post: Post };
	'tweet:deleted': { post_id: string; author_id: string };
	'tweet:liked': { post_id: string; author_id: string; account: Author; like_count: number };
	'tweet:unliked': { post_id: string; author_id: string; account: Author; like_count: number };
	'user:followed': { account: Author; target: Author };
	'user:unfollowed': { account: Author; target: Author };
	'user:follow_requested': { account: Author; target: Author };
	'user:updated': { account: Account };
	'user:deleted': { account_id: string };
	'relationship:changed': { account_id: string };
	'notification:new': { notification: NotificationAct };
	'notification:read': { count: number; more: boolean; latest_id: string | null; read_id: string | null };
	'message:received': { message: Message };
	'message:edited': { message: Message };
	'message:deleted': { message_id: string; conversation_id: string; for: 'me' | 'everyone' };
	'message:reaction': { message_id: string; conversation_id: string; account: Author; reactions: MessageReaction[] };
	'message:delivered': { message_id: string; conversation_id: string; account: Author; at: string };
	'message:read': { message_id: string; conversation_id: string; account: Author; at: string };
	'conversation:created': { conversation: Conversation };
	'conversation:updated': { conversation: Conversation };
	'conversation:settings': { conversation_id: string; muted: boolean; muted_until: string | null; archived: boolean; pinned: boolean };
	'conversation:cleared': { conversation_id: string; message_id: string };
	'conversation:member_added': { conversation_id: string; account: Author | null; member: ConversationMember };
	'conversation:member_changed': { conversation_id: string; account: Author | null; member: ConversationMember };
	'conversation:member_removed': { conversation_id: string; account: Author | null; target: Author | null };
	'friend:request:received': { account: Author; target: Author; request_id: string };
	'friend:request:cancelled': { account: Author; target: Author; request_id: string | null };
	'friend:request:rejected': { account: Author; target: Author; request_id: string | null };
	'friend:request:accepted': { account: Author; target: Author; request_id: string | null };
	'friend:removed': { account: Author; target: Author; request_id: string | null };
	'encryption:devices_changed': { account_id: string; conversation_id: string | null; identity_changed: boolean };
	'encryption:prekeys_low': { device: number; count: number; kyber_count: number };
	'encryption:envelope': { conversation_id: string; message_id: string | null };
	'user:online': { account_id: string; at: string };
	'user:offline': { account_id: string; at: string };
	'typing:start': { account: Author; channel: string };
	'typing:stop': { account: Author; channel: string };
	'call:offer': CallSignal;
	'call:answer': CallSignal;
	'call:candidate': CallSignal;
	'call:hangup': CallSignal;
	'call:ringing': CallSignal;
	/** Events may have been missed: read again what is shown. */
	gap: { reason: string };
	state: { state: StreamState; transport: Transport; code?: number; error?: Error; delay?: number; reason?: string };
	/** The token has been accepted. */
	ready: { account_id: string; session_id: string; expires_at: string };
	/** Something was refused that nobody waits for. */
	error: RoostError;
}

export interface RoostEvent<N extends keyof EventMap = keyof EventMap> { event: N; data: EventMap[N]; id?: string; channels?: string[]; signal?: boolean }
export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'closed';
export type Transport = 'websocket' | 'sse' | 'poll';
export type Tokens = { access_token: string; refresh_token: string; expires_at: number };
export type Session = { access_token: string | null; refresh_token: string | null; token_type: string; expires_in: number; session_id: string; account: Me };
export type RequestOptions = { headers?: Record<string, string>; signal?: AbortSignal };

export class RoostError extends Error {
	status: number; code: string; title?: string; detail?: string; hint?: string; field?: string; requestId?: string; retryAfter?: number;
	members: Record<string, unknown>;
}

export interface RoostEventMap {
	'signed-in': { account: Me };
	'signed-out': { reason: 'logout' | 'expired' | 'revoked' };
}

export class Roost {
	constructor(options?: {
		url?: string; basePath?: string; cookies?: boolean; tokens?: Tokens | null; onTokens?: (tokens: Tokens | null) => void;
		fetch?: typeof fetch; WebSocket?: unknown;
	});
	readonly signedIn: boolean;
	readonly accessToken: string | null;
	register(fields: { username: string; email: string; password: string; display_name?: string; birth_date?: string; language?: string; device?: unknown }): Promise<Session>;
	login(fields: { identifier: string; password: string; device?: unknown }): Promise<Session>;
	logout(): Promise<void>;
	refresh(): Promise<void>;
	fresh(): Promise<void>;
	request<T = any>(method: string, path: string, body?: object, options?: RequestOptions): Promise<T>;
	get<T = any>(path: string, query?: Record<string, string | number | boolean | null | undefined>, options?: RequestOptions): Promise<T>;
	stream(options?: { channels?: string[]; cursor?: string | null; transports?: Transport[] }): RoostStream;
	on<N extends keyof RoostEventMap>(name: N, fn: (data: RoostEventMap[N]) => void): () => void;
	once<N extends keyof RoostEventMap>(name: N, fn: (data: RoostEventMap[N]) => void): () => void;
	off<N extends keyof RoostEventMap>(name: N, fn: (data: RoostEventMap[N]) => void): void;
}

export class RoostStream implements AsyncIterable<RoostEvent> {
	private constructor();
	readonly state: StreamState;
	readonly transport: Transport;
	readonly channels: string[];
	readonly cursor: string | null;
	readonly canCall: boolean;
	subscribe(...channels: string[]): Promise<void>;
	unsubscribe(...channels: string[]): void;
	call<T = any>(method: string, path: string, body?: object, options?: { headers?: Record<string, string> }): Promise<T>;
	typing(channel: string): void;
	stopTyping(channel: string): void;
	close(reason?: string): void;
	on<N extends keyof EventMap>(name: N, fn: (data: EventMap[N], event: RoostEvent<N>) => void): () => void;
	on(name: '*', fn: (data: unknown, event: RoostEvent) => void): () => void;
	once<N extends keyof EventMap>(name: N, fn: (data: EventMap[N], event: RoostEvent<N>) => void): () => void;
	off(name: string, fn: Function): void;
	[Symbol.asyncIterator](): AsyncGenerator<RoostEvent>;
}
