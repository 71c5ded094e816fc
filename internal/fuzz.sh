# Runs one fuzz target, the second argument, of the package in a folder, the first,
# and prints its output as a whole. 255 makes xargs stop.
cd "$1" || exit 255
if ! log=$("${GO:-go}" test -run '^$' -fuzz "^$2\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 20x . 2>&1); then
	printf '%s %s\n%s\n' "$1" "$2" "$log"
	exit 255
fi
printf '%s %s\n%s\n' "$1" "$2" "$(printf '%s\n' "$log" | tail -n 1)"
