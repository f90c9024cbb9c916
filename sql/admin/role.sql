-- What a role may do.  roost makes no roles; these functions grant.

CREATE OR REPLACE FUNCTION roost.grant_gateway(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
	EXECUTE format('GRANT USAGE ON SCHEMA roost TO %I', role);
	EXECUTE format('GRANT EXECUTE ON FUNCTION roost.handle(text, text, text, text, text, text), roost.gateway_config(), roost.gateway_position(), roost.gateway_stat() TO %I', role);
	EXECUTE format('GRANT EXECUTE ON FUNCTION roost.stream_open(text, text), roost.stream_check(bigint[], bigint[]), roost.stream_position(), roost.stream_home(bigint),
		roost.stream_filters(bigint[]), roost.stream_read(bigint, integer, boolean), roost.stream_data(bigint[]), roost.stream_see(bigint[], bigint[]), roost.stream_notify(bigint[], bigint[]),
		roost.stream_resume(bigint, bigint, bigint, text[], integer) TO %I', role);
	EXECUTE format('GRANT EXECUTE ON FUNCTION roost.live_beat(bigint, bigint[], bigint[], boolean), roost.live_signal(bigint, text, text), roost.live_see(bigint[], text[], bigint[]),
		roost.live_call(bigint[]), roost.live_call_missed(bigint), roost.live_call_send(bigint, bigint, text, text, text, text) TO %I', role);
	PERFORM roost_internal.audit_add('grant.gateway', 'role', NULL, jsonb_build_object('role', role));
END
$$;
REVOKE ALL ON FUNCTION roost.grant_gateway(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_gateway(name) IS 'Lets a role serve requests: it may execute roost.handle and the functions named roost.gateway_*, roost.stream_* and roost.live_*, and reads no table. Give it LOGIN and a password yourself; it should own nothing and belong to no other role. Call it again after an update that brought new functions.';

CREATE OR REPLACE FUNCTION roost.grant_worker(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
	EXECUTE format('GRANT USAGE ON SCHEMA roost TO %I', role);
	EXECUTE format('GRANT EXECUTE ON FUNCTION roost.job_take(text, integer, interval), roost.job_done(bigint, integer), roost.job_fail(bigint, integer, text, timestamptz) TO %I', role);
	PERFORM roost_internal.audit_add('grant.worker', 'role', NULL, jsonb_build_object('role', role));
END
$$;
REVOKE ALL ON FUNCTION roost.grant_worker(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_worker(name) IS 'Lets a role work on jobs: take them, with what they hold (mails with their tokens, too), and report. It reads no table.';

CREATE OR REPLACE FUNCTION roost_internal.grant_view_functions(schema name, role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_function regprocedure;
BEGIN
	-- A view reads with its owner's rights, but calls functions with the reader's.
	FOR v_function IN
		SELECT DISTINCT d.refobjid::regprocedure
		FROM pg_depend d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
		JOIN pg_class c ON c.oid = w.ev_class AND c.relnamespace = schema::text::regnamespace
		JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid AND p.pronamespace = 'roost_internal'::regnamespace
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function, role);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.grant_view_functions(name, name) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.grant_view_functions(name, name) IS 'Lets a role call the internal functions that the views of a schema call.';

CREATE OR REPLACE FUNCTION roost.grant_analyst(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
	EXECUTE format('GRANT USAGE ON SCHEMA roost, roost_bi TO %I', role);
	EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA roost_bi TO %I', role);
	PERFORM roost_internal.audit_add('grant.analyst', 'role', NULL, jsonb_build_object('role', role));
	PERFORM roost_internal.grant_view_functions('roost_bi', role);
END
$$;
REVOKE ALL ON FUNCTION roost.grant_analyst(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_analyst(name) IS 'Lets a role read the views of roost_bi and nothing else. Call it again after an update that brought new views.';

CREATE OR REPLACE FUNCTION roost.grant_admin(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost.grant_analyst(role);
	EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA roost TO %I', role);
	PERFORM roost_internal.grant_view_functions('roost', role);
	EXECUTE format('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA roost TO %I', role);
	EXECUTE format('REVOKE EXECUTE ON FUNCTION roost.install(), roost.uninstall(text), roost.grant_gateway(name), roost.grant_worker(name), roost.grant_analyst(name), roost.grant_admin(name),
		roost.role_grant(roost.account_ref, roost.role_name) FROM %I', role);
	PERFORM roost_internal.audit_add('grant.admin', 'role', NULL, jsonb_build_object('role', role));
END
$$;
REVOKE ALL ON FUNCTION roost.grant_admin(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_admin(name) IS 'Lets a role call every function of schema roost as any account (actor_id), and read roost_bi and the views of statistics; not install, uninstall or grant, which belong to the owner. Call it again after an update that brought new functions.';
