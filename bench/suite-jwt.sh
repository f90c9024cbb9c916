# Verification of HS256 access tokens: in SQL, and in Node.js.

echo
echo "JWT verification, one core"
sql -f bench/jwt.sql
for round in $(seq "$rounds"); do
	quiet
	node bench/peers/jwt.js
done | awk -F'[ =]' '{ v[$1] = v[$1] " " $3 } END { for (k in v) print k, v[k] }' | sort |
	while read -r name values; do
		echo "$name $(tr ' ' '\n' <<<"$values" | median) /s over $rounds rounds: $values"
	done
