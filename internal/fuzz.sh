# Runs the fuzz targets of the package in a folder, the argument, and prints their output
# as a whole. The test is compiled once for all of them, with the flags in FUZZFLAGS. 255
# makes xargs stop.
cd "$1" || exit 255
go=${GO:-go}
dir=$(mktemp -d) || exit 255
trap 'rm -rf "$dir"' EXIT
# Where go test -fuzz keeps interesting inputs, too.
cache=$($go env GOCACHE)/fuzz/$($go list .) || exit 255
if ! log=$($go test -c -vet=off "${FUZZFLAGS--fuzz=.}" -o "$dir/fuzz.test" . 2>&1); then
	printf '%s\n%s\n' "$1" "$log"
	exit 255
fi
for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' ./*_test.go | sort); do
	if ! log=$("$dir/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$FUZZTIME" -test.fuzzminimizetime 20x \
		-test.fuzzcachedir "$cache" -test.paniconexit0 2>&1); then
		printf '%s %s\n%s\n' "$1" "$target" "$log"
		exit 255
	fi
	printf '%s %s: %s\n' "$1" "$target" "$(printf '%s\n' "$log" | grep '^fuzz: elapsed' | tail -n 1)"
done
