-- Changes of the tables and functions themselves: event triggers, made by
-- roost.install() if a superuser calls it.

CREATE OR REPLACE FUNCTION roost_internal.audit_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_object record;
BEGIN
	-- Not while the tables are coming or going, nor what roost does by itself.
	IF to_regclass('roost_data.audit_entry') IS NULL OR roost_internal.in_extension_script()
		OR (SELECT a.backend_type FROM pg_stat_get_activity(pg_backend_pid()) a) = 'roost worker' THEN
		RETURN;
	END IF;
	IF TG_EVENT = 'sql_drop' THEN
		FOR v_object IN
			SELECT o.object_type, o.object_identity FROM pg_event_trigger_dropped_objects() o
			WHERE (o.original OR o.object_type IN ('table', 'trigger', 'function')) AND NOT o.is_temporary
				AND (o.schema_name IN ('roost', 'roost_internal', 'roost_data', 'roost_bi')
					OR o.object_type IN ('trigger', 'extension', 'schema', 'table constraint') AND o.object_identity ~ '\mroost')
		LOOP
			PERFORM roost_internal.audit_add('ddl.drop', 'schema', NULL,
				jsonb_build_object('command', TG_TAG, 'type', v_object.object_type, 'object', v_object.object_identity));
		END LOOP;
	ELSE
		FOR v_object IN
			SELECT DISTINCT c.command_tag, c.object_type, c.object_identity FROM pg_event_trigger_ddl_commands() c
			WHERE NOT c.in_extension AND c.command_tag <> 'COMMENT'
				AND (c.schema_name IN ('roost', 'roost_internal', 'roost_data', 'roost_bi') OR c.command_tag IN ('GRANT', 'REVOKE')
					OR c.object_type IN ('trigger', 'extension', 'schema') AND c.object_identity ~ '\mroost')
		LOOP
			PERFORM roost_internal.audit_add('ddl.command', 'schema', NULL,
				jsonb_strip_nulls(jsonb_build_object('command', v_object.command_tag, 'type', v_object.object_type, 'object', v_object.object_identity)));
		END LOOP;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_ddl() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_ddl() IS 'Event trigger: adds an entry to the audit trail when tables, triggers or functions of roost are made, changed or dropped, or rights are granted or revoked in this database.';

CREATE OR REPLACE FUNCTION roost_internal.audit_ddl_watch(watch boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
BEGIN
	-- Only superusers make and drop event triggers.
	IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
		RETURN;
	END IF;
	DROP EVENT TRIGGER IF EXISTS roost_audit_ddl;
	DROP EVENT TRIGGER IF EXISTS roost_audit_drop;
	IF watch THEN
		CREATE EVENT TRIGGER roost_audit_ddl ON ddl_command_end EXECUTE FUNCTION roost_internal.audit_ddl();
		CREATE EVENT TRIGGER roost_audit_drop ON sql_drop EXECUTE FUNCTION roost_internal.audit_ddl();
		ALTER EVENT TRIGGER roost_audit_ddl ENABLE ALWAYS;
		ALTER EVENT TRIGGER roost_audit_drop ENABLE ALWAYS;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_ddl_watch(boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_ddl_watch(boolean) IS 'Makes or drops the event triggers of the audit trail; roost.install() and roost.uninstall() call it.';
