-- Tables of the job module.

CREATE TABLE IF NOT EXISTS roost_data.job (
	id bigint PRIMARY KEY,
	queue text COLLATE "C" NOT NULL CHECK (queue ~ '^[a-z][a-z0-9_]{0,39}$'),
	kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,59}$'),
	payload jsonb NOT NULL DEFAULT '{}',
	secret boolean NOT NULL DEFAULT false,
	run_at timestamptz NOT NULL DEFAULT now(),
	attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
	max_attempts integer NOT NULL DEFAULT 10 CHECK (max_attempts > 0),
	locked_until timestamptz,
	last_error text,
	done_at timestamptz,
	dead_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.job IS 'Work for processes outside the database (mails, later push and media), one row each. A worker takes it under a lease; see roost.job_take.';
COMMENT ON COLUMN roost_data.job.queue IS 'What a worker asks for, for instance mail.';
COMMENT ON COLUMN roost_data.job.kind IS 'What is to be done within the queue.';
COMMENT ON COLUMN roost_data.job.secret IS 'The payload holds a secret: it is emptied when the job is done or dead.';
COMMENT ON COLUMN roost_data.job.run_at IS 'Not before this time. While a worker holds the job it equals locked_until, so that a job whose worker died becomes due again by itself.';
COMMENT ON COLUMN roost_data.job.attempts IS 'How often it was taken. The worker names this number when it reports, so that one whose lease ran out cannot report for its successor.';
COMMENT ON COLUMN roost_data.job.dead_at IS 'When it was given up after max_attempts attempts.';
CREATE INDEX IF NOT EXISTS job_queue_run_at_idx ON roost_data.job (queue, run_at, id) WHERE done_at IS NULL AND dead_at IS NULL;
CREATE INDEX IF NOT EXISTS job_finished_idx ON roost_data.job ((coalesce(done_at, dead_at))) WHERE done_at IS NOT NULL OR dead_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS roost_data.mail_template (
	name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z_]{0,59}$'),
	language text COLLATE "C" NOT NULL CHECK (language = lower(language)),
	subject text NOT NULL,
	text text NOT NULL,
	html text NOT NULL,
	PRIMARY KEY (name, language)
);
COMMENT ON TABLE roost_data.mail_template IS 'The mails that roost writes, for the operator to edit and translate. {{name}} stands for a value; values are escaped in html.';
COMMENT ON COLUMN roost_data.mail_template.language IS 'Lower case, for instance en or pt-br. A mail is written in the language asked for, else without its region, else in en.';
CREATE OR REPLACE TRIGGER mail_template_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.mail_template
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('mail_template', 'name,language', 'subject!', 'text!', 'html!');
