# Runs go vet on the packages that have files for another platform which this one, and the
# platforms before it, do not have.
#
#	sh internal/vet_platforms.sh GOOS/GOARCH[,GOOS/GOARCH...] PACKAGE...
set -eu
go=${GO:-go}
platforms=$1
shift
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
files() {
	"$go" list -f '{{range .GoFiles}}{{$.ImportPath}} {{.}}
{{end}}{{range .TestGoFiles}}{{$.ImportPath}} {{.}}
{{end}}{{range .XTestGoFiles}}{{$.ImportPath}} {{.}}
{{end}}' "$@" | sort
}
export CGO_ENABLED=0
files "$@" >"$dir/seen"
for platform in $(echo "$platforms" | tr , ' '); do
	export GOOS="${platform%/*}" GOARCH="${platform#*/}"
	files "$@" >"$dir/here"
	packages=$(comm -13 "$dir/seen" "$dir/here" | cut -d ' ' -f 1 | sort -u)
	if [ -n "$packages" ]; then
		echo "$platform: go vet" $packages
		"$go" vet $packages
	fi
	sort -u "$dir/seen" "$dir/here" >"$dir/all"
	mv "$dir/all" "$dir/seen"
done
