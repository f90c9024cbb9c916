# Outboxes and inboxes alone, without a server around them: what one core does
# in memory, beside the machine's own limit.

cc -O2 -w -std=gnu11 -I. -Iextension -I"$("$PG_CONFIG" --includedir-server)" -o "$work/boxes" bench/boxes.c -lm
rm -f "$work/boxes.log"
for round in $(seq "$rounds"); do
	quiet
	"$work/boxes" "${BOX_READERS:-100000}" "${BOX_AUTHORS:-100000}" 10000 1 >>"$work/boxes.log"
done
echo
echo "Timelines in memory, one core, ${BOX_READERS:-100000} inboxes and ${BOX_AUTHORS:-100000} outboxes, median [best] over $rounds rounds"
echo "M deliveries/s to 10,000 random inboxes: $(figure "$work/boxes.log" push high); random read-modify-writes of 64 bytes over the same memory: $(figure "$work/boxes.log" limit high), ratio $(ratio "$(middle "$work/boxes.log" push)" "$(middle "$work/boxes.log" limit)")"
echo "the same, posts to 50 inboxes each: $(figure "$work/boxes.log" push50 high)"
echo "ns to read the newest 50 ids of a random inbox: $(figure "$work/boxes.log" read_ns low); five of its cache lines, read plainly: $(figure "$work/boxes.log" copy_ns low)"
echo "µs to merge the newest 50 of 200 outboxes: $(figure "$work/boxes.log" merge200_us low), of 1,000: $(figure "$work/boxes.log" merge1000_us low)"
echo "bytes an entry of an inbox: $(figure "$work/boxes.log" bytes low)"
