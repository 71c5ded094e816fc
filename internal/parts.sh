# Runs the tests of packages that use programs other than Go, and prints which tests were
# skipped because a program is missing. RACE= leaves out the race detector. go vet has
# analyzed the packages before.
set -eu
race=${RACE--race}
if [ -n "$race" ]; then export CGO_ENABLED=1; fi # it needs a C compiler
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! ${GO:-go} test $race -vet=off -count=1 -v "$@" >"$log" 2>&1; then
	cat "$log"
	exit 1
fi
grep -E '^ok ' "$log"
if grep -q 'real part missing' "$log"; then
	# The reason comes after the name of the test.
	awk '/^ *=== (RUN|CONT|NAME)/ { test = $3 } /real part missing/ { sub(/^.*real part missing: /, ""); print "SKIPPED " test ": there is no " $0 }' "$log"
else
	echo "no test was skipped because a program is missing"
fi
