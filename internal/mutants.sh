#!/bin/sh
# Changes one operator after another in a package, and lists the changes that no
# test of that package sees: sh internal/mutants.sh DIR [FILES], FILES being the
# beginnings of file names, joined by |. It fails if less than $MUTANTS_KILLED
# percent are seen (0 is the default). docs/mutants.md says how to read the list.
set -eu
dir=$1
others=$(cd "$dir" && ls -- *.go | grep -v '_test\.go$' | grep -vE "^(${2:-.*})" | paste -sd '|' - || true)

# -count=1: a result from the cache is no measure for the time that tests may take.
# GOMAXPROCS in place of --test-cpu, with which version 0.6.0 calls every change seen.
GOFLAGS='-short -vet=off -count=1' GOMAXPROCS="${GOMAXPROCS:-2}" \
	"${GO:-go}" run github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0 unleash "./$dir" \
	--workers 1 --timeout-coefficient "${MUTANTS_TIMEOUT:-20}" --output-statuses ltv \
	--threshold-efficacy "${MUTANTS_KILLED:-0}" \
	--exclude-files / ${others:+--exclude-files "^($(echo "$others" | sed 's/\./\\./g'))\$"}
