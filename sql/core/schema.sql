-- The schemas of the extension.  roost_data and roost_bi are made by
-- roost.install(), because what they hold belongs to the user.

CREATE SCHEMA roost;
COMMENT ON SCHEMA roost IS 'Public functions and types of roost: the only thing callers use.';
GRANT USAGE ON SCHEMA roost TO PUBLIC;

CREATE SCHEMA roost_internal;
COMMENT ON SCHEMA roost_internal IS 'Helpers and triggers of roost; not for callers, may change at any release.';
