-- Types and the route table of the api module.

CREATE DOMAIN roost.cursor AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_.~-]{1,128}$');
COMMENT ON DOMAIN roost.cursor IS 'A position in a list, as given in "next" of the page before. Opaque: 1 to 128 letters, digits, ".", "_", "~" or "-".';

-- Owned by the extension.  Routes of users (builtin = false) are part of a
-- dump; both may exist for one method and path, then the user's one answers.
CREATE TABLE roost_internal.route (
	method text COLLATE "C" NOT NULL CHECK (method IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
	path text COLLATE "C" NOT NULL,
	shape text COLLATE "C" NOT NULL,
	function text COLLATE "C" NOT NULL,
	auth text COLLATE "C" NOT NULL CHECK (auth IN ('none', 'optional', 'user')),
	limit_class text COLLATE "C" NOT NULL,
	status smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
	lane text COLLATE "C" NOT NULL CHECK (lane IN ('fast', 'write', 'slow')),
	cookies boolean NOT NULL,
	sensitive boolean NOT NULL,
	builtin boolean NOT NULL,
	tags text[] NOT NULL,
	cache text COLLATE "C",
	CONSTRAINT route_cache_check CHECK (cache IS NULL OR cache IN ('ids', 'list', 'time') AND method = 'GET' AND auth <> 'user' AND status = 200 AND NOT cookies AND NOT sensitive),
	CONSTRAINT route_pkey PRIMARY KEY (method, shape, builtin)
);
COMMENT ON TABLE roost_internal.route IS 'Which function answers which HTTP method and path; see roost_internal.route() and roost.route_add().';
COMMENT ON COLUMN roost_internal.route.path IS 'Path under the base path; a segment ":name" binds the argument of that name.';
COMMENT ON COLUMN roost_internal.route.shape IS 'The path with every parameter written as ":", so that two names for one path collide.';
COMMENT ON COLUMN roost_internal.route.function IS 'Qualified name of the function, with its argument types only if the name alone is ambiguous.';
COMMENT ON COLUMN roost_internal.route.auth IS 'none: a token is ignored; optional: a token is used if sent; user: a valid token is required.';
COMMENT ON COLUMN roost_internal.route.limit_class IS 'Class of rate limit policies of which each request takes one unit; "none" takes nothing.';
COMMENT ON COLUMN roost_internal.route.lane IS 'Which of the gateway''s connection groups runs it: fast, write or slow.';
COMMENT ON COLUMN roost_internal.route.cookies IS 'The result holds tokens, which clients may ask to get as cookies.';
COMMENT ON COLUMN roost_internal.route.sensitive IS 'The result holds secrets: never stored in clear.';
COMMENT ON COLUMN roost_internal.route.cache IS 'How gateways may keep answers to requests without a credential: null not at all; ids until something changes whose id stands in path or answer; list the same, and a new post or an edit anywhere may add to it; time for a minute.';
COMMENT ON COLUMN roost_internal.route.builtin IS 'Made by the extension itself; not part of a dump.';
SELECT pg_catalog.pg_extension_config_dump('roost_internal.route', 'WHERE NOT builtin');
