# Analyzers of text and links, one core.

echo
echo "analyzers of a post of 140 characters, and of hostile texts, one core"
quiet
sql -f bench/moderation.sql
