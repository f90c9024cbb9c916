# Analyzers of text and links, one core.

echo
echo "analyzers of a post of 140 characters, and of hostile texts, one core"
quiet
sql -f bench/moderation.sql

# What policies add to writing a post, one core: rows by INSERT and posts by
# roost.post_create(), each with and without; the texts differ.
echo
echo "policies, CPU time a post, one core"
rm -f "$work"/moderation-write.log
for round in $(seq "$rounds"); do
	quiet
	sql -f bench/moderation_write.sql >>"$work/moderation-write.log"
done
for figure in insert_off insert_on create_off create_on; do
	echo "$figure: $(figure "$work/moderation-write.log" $figure low) µs"
done
